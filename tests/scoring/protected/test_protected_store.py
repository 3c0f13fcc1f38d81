"""Protected attributes are kept apart, encrypted, and read on record, for an audit alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

from benne.errors import AuditWriteError, FairnessError, ProtectedAccessDenied, VaultError
from benne.scoring.audit.chain import verify
from benne.scoring.decisions.request import Actor
from benne.scoring.protected import ProtectedStore, opened_protected
from benne.scoring.protected.folder import DATABASE, opened_parts
from benne.scoring.wiring import random_id

ANNA, BERT, CARL = f"{1:032x}", f"{2:032x}", f"{3:032x}"
AUDIT = "fairness_audit:2026-q4"


def test_what_is_kept_is_read_again_and_null_was_never_stated(home, counsel, attributes):
    with opened_protected(home) as protected:
        kept = protected.add(attributes, actor=counsel)
        found = protected.read(["sex", "age"], actor=counsel, purpose=AUDIT)
    assert (kept.members, kept.values, kept.erased) == (3, 5, 0)
    assert found.index.name == "subject_id"
    assert found["age"].tolist() == [41, 30, 67]
    assert found["sex"].tolist()[:2] == ["female", "male"]
    assert found["sex"].isna().tolist() == [False, False, True]


def test_only_those_asked_for_are_read_and_a_newer_value_takes_the_place(home, counsel, attributes):
    with opened_protected(home) as protected:
        protected.add(attributes, actor=counsel)
        protected.add(attributes[["age"]].iloc[:1] + 1, actor=counsel)
        found = protected.read(["age"], actor=counsel, purpose=AUDIT, subject_ids=[ANNA, f"{9:032x}"])
    assert found["age"].to_dict() == {ANNA: 42}
    assert list(found.columns) == ["age"]


def test_nothing_protected_can_be_read_from_the_files(home, counsel, attributes):
    with opened_protected(home) as protected:
        protected.add(attributes.assign(race="a-race-to-look-for"), actor=counsel)
    for file in home.glob(f"{DATABASE}*"):
        assert b"a-race-to-look-for" not in file.read_bytes()
        assert b"female" not in file.read_bytes()
    assert (home.stat().st_mode & 0o077) == 0


def test_no_value_can_be_told_from_the_length_of_what_is_encrypted(home, counsel, attributes):
    with opened_protected(home) as protected:
        protected.add(attributes.assign(race="x" * 48), actor=counsel)
        found = protected.read(["sex", "race"], actor=counsel, purpose=AUDIT)
    assert found["sex"].tolist()[:2] == ["female", "male"]
    assert found["race"].tolist() == ["x" * 48] * 3
    with sqlite3.connect(home / DATABASE) as database:
        lengths = database.execute("SELECT DISTINCT length(ciphertext) FROM member_payloads").fetchall()
    assert len(lengths) == 1


@pytest.mark.parametrize("purpose", ["", "marketing", "fairness_audit", "fairness_audit:", "fairness_audit:why not"])
def test_a_read_without_a_stated_audit_is_refused_and_the_refusal_is_on_record(home, counsel, attributes, purpose):
    with opened_protected(home) as protected:
        protected.add(attributes, actor=counsel)
        with pytest.raises(ProtectedAccessDenied, match="got no purpose of that form"):
            protected.read(["sex"], actor=counsel, purpose=purpose)
        last = protected.log()[-1]
    assert (last["what"], last["decision"], last["outcome"]) == ("protected_attributes_read", "denied", "no-purpose")


@pytest.mark.parametrize("role", ["admin", "recipient", "system"])
def test_whoever_may_not_read_is_refused_on_record(home, attributes, counsel, role):
    with opened_protected(home) as protected:
        protected.add(attributes, actor=counsel)
        with pytest.raises(ProtectedAccessDenied, match="read by compliance or data_scientist"):
            protected.read(["sex"], actor=Actor("someone", role), purpose=AUDIT)
        assert protected.log()[-1]["outcome"] == "role"


def test_each_read_is_on_record_by_whom_for_which_audit_and_names_no_member(home, counsel, attributes):
    with opened_protected(home) as protected:
        protected.add(attributes, actor=counsel)
        protected.read(["sex"], actor=Actor("analyst-7", "data_scientist"), purpose=AUDIT, subject_ids=[ANNA, BERT])
        last = protected.log()[-1]
    assert (last["actor"], last["purpose"], last["outcome"]) == ("analyst-7", AUDIT, "2-members")
    with opened_parts(home) as parts, parts.store.read() as connection:
        assert verify(connection, ()).intact
        rows = connection.execute(text("SELECT * FROM audit_records")).all()
    assert len(rows) == 2
    assert not any(ANNA in str(row) or "female" in str(row) for row in rows)


def test_a_read_that_cannot_be_recorded_hands_out_nothing(home, counsel, attributes):
    with opened_protected(home) as protected:
        protected.add(attributes, actor=counsel)
    with sqlite3.connect(home / DATABASE) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON audit_records BEGIN SELECT RAISE(ABORT, 'full'); END")
    opened = []

    class Watched:
        """The vault, and what was asked of it."""

        def __init__(self, vault) -> None:
            self._vault, self.keyring = vault, vault.keyring

        def get_many(self, *asked, **how):
            opened.append(asked)
            return self._vault.get_many(*asked, **how)

    with opened_parts(home) as parts:
        protected = ProtectedStore(
            parts.store, Watched(parts.vault), parts.audit, declared=parts.declared, ids=random_id
        )
        with pytest.raises(AuditWriteError, match="the database takes it"):
            protected.read(["sex"], actor=counsel, purpose=AUDIT)
    assert opened == []


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.assign(religion="x"), "must be one of sex, age, .*got 'religion' .refused even with consent."),
        (lambda t: t.assign(disease="x"), "got 'disease' .refused even with consent."),
        (lambda t: t.assign(marital_status="single"), "'marital_status' must have been declared"),
        (lambda t: t.assign(age=17), "'age' must be whole years from 18 to 120"),
        (lambda t: t.assign(age=41.5), "'age' must be whole years from 18 to 120"),
        (lambda t: t.assign(sex="x" * 60), "'sex' must be short words of at most 48"),
        (lambda t: t.reset_index(), "one row for each member, indexed by subject_id"),
        (lambda t: pd.concat([t, t]), "one row for each member, indexed by subject_id"),
    ],
)
def test_what_may_not_be_kept_is_refused_and_nothing_is_kept(home, counsel, attributes, change, match):
    with opened_protected(home) as protected:
        with pytest.raises(FairnessError, match=match):
            protected.add(change(attributes), actor=counsel)
        assert protected.read(["sex"], actor=counsel, purpose=AUDIT).empty


def test_a_raw_id_is_refused_without_being_named(home, counsel, attributes):
    with opened_protected(home) as protected, pytest.raises(VaultError, match="32 hexadecimal digits") as raised:
        protected.add(attributes.rename(index={ANNA: "anna@example.org"}), actor=counsel)
    assert "anna" not in str(raised.value)


def test_data_scientists_read_and_do_not_keep(home, attributes):
    with opened_protected(home) as protected, pytest.raises(ProtectedAccessDenied, match="kept by compliance or admin"):
        protected.add(attributes, actor=Actor("analyst-7", "data_scientist"))


def test_a_folder_without_its_database_is_no_store_of_nobody(home):
    (home / DATABASE).unlink()
    with pytest.raises(FairnessError, match="must hold the database"), opened_protected(home):
        pass


def test_a_folder_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(FairnessError, match="Make a store: benne protected init"), opened_protected(tmp_path):
        pass
