"""What a hostile insider tries with gates and verdicts: rows taken away or moved, gates left out, other stores."""

from __future__ import annotations

import re

import pytest

from benne.errors import GatesChanged, GatesError, GovernanceError, NotIndependent, NotValidated
from benne.scoring import open_store
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.declaring import gates_before
from benne.scoring.governance.documents import file_document
from benne.scoring.governance.gates_file import parse_gates, read_gates_text
from benne.scoring.governance.taking_over import take_over, verdict_to_take_over
from benne.scoring.governance.verdicts import record_verdict, require_validated
from benne.scoring.wiring import random_id, system_clock
from tests.scoring.validated import GATES, declared_in, now_us, validated, verdict_content

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

MODEL = ("benne/" + "ab" * 8, "ab" * 32)
HASH = MODEL[1]
TWO_GATES = GATES + '[[gates]]\nmetric = "discrimination.auc"\nat_least = 0.6\nsmallest_n = 500\nwhy = "ranks"\n'
CHANGED = "that the audit chain says was recorded"


def recorded(group, content):
    work = record_verdict(content, actor=Actor("bob", "compliance"), event_id=random_id(), policy_version="test")
    return group.submit(work).result


def standing(store):
    with store.read() as connection:
        return require_validated(connection, HASH)


# ------------------------------------------------------------------ rows


def test_a_verdict_that_failed_and_was_deleted_is_missed(store, group, tampered):
    validated(store, group, MODEL)
    validated(store, group, MODEL, state="failed")
    tampered("model_validations", "DELETE FROM model_validations WHERE NOT passed")
    with pytest.raises(NotValidated, match=CHANGED):
        standing(store)


def test_an_older_verdict_put_behind_the_newest_is_not_the_newest(store, group, tampered):
    validated(store, group, MODEL)
    validated(store, group, MODEL, state="failed")
    tampered("model_validations", "UPDATE model_validations SET seq = 3 WHERE passed")
    with pytest.raises(NotValidated, match=r"a verdict that failed: points\.largest_gap"):
        standing(store)


def test_gates_that_were_deleted_are_missed_and_earlier_ones_do_not_stand_in_their_place(store, group, tampered):
    declared_in(group, GATES.replace("toys", "lax"))
    declared_in(group)
    tampered("declared_gates", "DELETE FROM declared_gates WHERE version = 'toys'")
    with store.read() as connection, pytest.raises(GatesChanged, match="got fewer"):
        gates_before(connection, now_us())


# ------------------------------------------------------------------ what a verdict says


@pytest.mark.parametrize(
    "dishonest",
    [
        lambda results: results[:1],
        lambda results: [*results, results[0] | {"metric": "discrimination.ks"}],
        lambda results: [results[0], results[0]],
        lambda results: [results[0], results[1] | {"metric": ["discrimination.auc"]}],
    ],
)
def test_a_verdict_that_leaves_a_gate_out_is_not_recorded(store, group, dishonest):
    content = verdict_content(MODEL, declared_in(group, TWO_GATES))
    content["results"] = dishonest(content["results"])
    with pytest.raises(NotValidated, match="must answer each of its gates once"):
        recorded(group, content)


@pytest.mark.parametrize(
    "change",
    [
        {"required": False, "state": "failed", "value": 0.5},
        {"value": 0.59},
        {"value": None},
        {"n": 499},
        {"n": None},
        {"value": True},
        {"value": "0.7"},
        {"at_least": 0.1, "value": 0.2},
        {"at_least": None},
        {"smallest_n": 1, "n": 10},
        {"state": "INSUFFICIENT", "passed": False},
    ],
)
def test_a_verdict_whose_figures_do_not_pass_a_gate_as_it_was_declared_is_not_recorded(store, group, change):
    content = verdict_content(MODEL, declared_in(group, TWO_GATES))
    change = dict(change)
    content["passed"] = change.pop("passed", True)
    content["results"][1] |= change
    with pytest.raises(NotValidated, match=r"another answer to discrimination\.auc"):
        recorded(group, content)


def test_a_training_that_begins_after_its_validation_is_not_recorded(group, store):
    content = verdict_content(MODEL, declared_in(group), training_began_us=now_us() + 10**12)
    with pytest.raises(GovernanceError, match="must have begun before it is validated"):
        recorded(group, content)


def test_nobody_approves_the_gates_of_their_own_model(store, group):
    content = verdict_content(MODEL, declared_in(group, approver="Ann"))
    with pytest.raises(NotIndependent, match="approved by somebody other than the author of the model, got Ann"):
        recorded(group, content)


@pytest.mark.parametrize("name", ["\u0430nn", "a\u200bnn", "\uff41nn", "ann\x00", "ann\nbob", "a nn", "", "x" * 65])
def test_a_name_that_only_looks_like_another_is_none(group, name):
    content = verdict_content(MODEL, declared_in(group), validator=name)
    with pytest.raises(GovernanceError, match="The validator must be a name of up to 64 letters"):
        recorded(group, content)


# ------------------------------------------------------------------ a store of one's own


@pytest.fixture
def own(tmp_path):
    """A database that somebody made for themselves, with gates dated back by their clock."""
    store = open_store(tmp_path / "own.db")
    with GroupCommit(store, clock=system_clock) as group:
        yield store, group
    store.close()


def taken_over(own, group):
    with own[0].read() as connection:
        found = verdict_to_take_over(connection, HASH)
    return group.submit(take_over(*found, actor=Actor("ops", "admin"), ids=random_id, policy_version="test"))


def test_where_gates_were_declared_none_of_another_store_are_taken_over(store, own):
    lax = declared_in(own[1], GATES.replace("toys", "lax").replace("1e-9", "1.0"))
    recorded(own[1], verdict_content(MODEL, lax))
    with GroupCommit(store, clock=system_clock) as group:
        declared_in(group)
        with pytest.raises(GatesChanged, match="which has its own, got lax of another store"):
            taken_over(own, group)


def test_gates_of_another_store_do_not_come_to_stand_for_what_was_validated_here(store, own, tmp_path):
    lax = declared_in(own[1], GATES.replace("toys", "lax").replace("1e-9", "1.0"))
    third = open_store(tmp_path / "third.db")
    with GroupCommit(third, clock=lambda: system_clock().replace(year=2020)) as elsewhere:
        early = declared_in(elsewhere)
        champion = ("benne/" + "cd" * 8, "cd" * 32)
        recorded(elsewhere, verdict_content(champion, early))
        with third.read() as connection:
            brought = verdict_to_take_over(connection, champion[1])
    third.close()
    recorded(own[1], verdict_content(MODEL, lax))
    with GroupCommit(store, clock=system_clock) as group:
        began = lax.declared_at_us + 1
        group.submit(take_over(*brought, actor=Actor("ops", "admin"), ids=random_id, policy_version="test"))
        validated_here = verdict_content(("benne/" + "ef" * 8, "ef" * 32), early, training_began_us=began)
        recorded(group, validated_here)
        with pytest.raises(GatesChanged, match="must not stand for what was validated under others here"):
            taken_over(own, group)
        with store.read() as connection:
            require_validated(connection, "ef" * 32)
            require_validated(connection, champion[1])


def test_an_older_verdict_of_another_store_does_not_stand_above_a_newer_one_here(store, own):
    gates = declared_in(own[1])
    recorded(own[1], verdict_content(MODEL, gates))
    other = ("benne/" + "cd" * 8, "cd" * 32)
    recorded(own[1], verdict_content(other, gates))
    with own[0].read() as connection:
        brought = verdict_to_take_over(connection, other[1])
    with GroupCommit(store, clock=system_clock) as group:
        group.submit(take_over(*brought, actor=Actor("ops", "admin"), ids=random_id, policy_version="test"))
        recorded(group, verdict_content(MODEL, gates, state="failed"))
        with pytest.raises(NotValidated, match="must be newer than those that are here"):
            taken_over(own, group)
    with pytest.raises(NotValidated, match="a verdict that failed"):
        standing(store)


# ------------------------------------------------------------------ malformed and huge


@pytest.mark.parametrize(
    "line", ["at_least = " + "9" * 400, "at_least = nan", "at_most = inf", "smallest_n = -1", "required = 'no'"]
)
def test_numbers_that_are_none_are_refused_as_gates(database, line):
    text = f'version = "1"\n[[gates]]\nmetric = "discrimination.auc"\nwhy = "x"\n{line}\n'
    with pytest.raises(GatesError, match="mine"):
        parse_gates(text, "mine")


@pytest.mark.parametrize("cutoffs", ["[350]", "[100.0, 600]", "[951]", "[nan]", "[" + "9" * 400 + "]"])
def test_cut_offs_at_which_everybody_passes_are_refused(database, cutoffs):
    with pytest.raises(GatesError, match=r"above 350 and up to 950|too large"):
        parse_gates(GATES + f"[fairness]\ncutoffs = {cutoffs}\n", "mine")


def test_what_is_declared_is_the_files_bytes_and_no_more_than_64_kib(database, tmp_path):
    (tmp_path / "gates.toml").write_bytes(GATES.replace("\n", "\r\n").encode())
    assert read_gates_text(tmp_path / "gates.toml").count("\r\n") == GATES.count("\n")
    (tmp_path / "gates.toml").write_bytes(GATES.encode() + b"# " + "ü".encode() * 33_000)
    with pytest.raises(GatesError, match="at most 64 KiB"):
        read_gates_text(tmp_path / "gates.toml")


@pytest.mark.parametrize("kind", ["<script>", "a b", 'x"\r\nSet-Cookie: a=b', "Card", ""])
def test_the_kind_of_a_document_is_a_plain_word(database, kind):
    with pytest.raises(GovernanceError, match="must be a word of up to 32 small letters"):
        file_document(_document(kind=kind), actor=Actor("ann", "admin"), event_id="1", policy_version="test")


def test_a_document_that_is_huge_or_bottomless_is_not_filed(database):
    bottomless: list[object] = []
    for _ in range(100_000):
        bottomless = [bottomless]
    for more, match in (({"notes": ["x" * 5_000_000]}, "at most 4 MiB"), ({"extra": bottomless}, "at most 100 levels")):
        with pytest.raises(GovernanceError, match=re.escape(match)):
            file_document(_document(**more), actor=Actor("ann", "admin"), event_id="1", policy_version="test")


def _document(**more):
    return {
        "format": 1, "kind": "card", "model": {"model_id": MODEL[0], "config_hash": HASH}, "made_at": "", "by": "ann",
        "measures": {}, "tables": {}, "notes": [], **more,
    }  # fmt: skip
