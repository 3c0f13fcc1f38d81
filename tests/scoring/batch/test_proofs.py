"""One member's proof: it holds for what was told, for nothing else, and says nothing about anybody else."""

from __future__ import annotations

import copy
import hashlib
import json
import struct

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import BatchDamaged, ObservationError, ProofRejected
from benne.features.categories import CATEGORIES
from benne.scoring.batch.proofs import check_proof, prove
from benne.scoring.erasure.export_files import take_out
from tests.scoring.conftest import DAY


@pytest.fixture
def told(batches):
    """Five members, told in three ways, and one who does not consent."""
    for number, granularity in enumerate(("exact", "band", "threshold", "exact", "exact")):
        batches.platform.grant(number, granularity=granularity)
    batches.run(batches.write(batches.platform.features(dict.fromkeys(range(6), CATEGORIES))), chunk_rows=4)
    return batches


def proof_of(batches, number):
    return prove(batches.out, batches.platform.member(number))


def checked(batches, proof):
    with batches.platform.store.read() as connection:
        return check_proof(json.loads(json.dumps(proof)), connection)


def test_every_row_has_a_proof_that_holds(told):
    decisions = [checked(told, proof_of(told, number)).decision for number in range(6)]
    assert decisions == ["granted"] * 5 + ["denied"]
    assert {checked(told, proof_of(told, number)).event_id for number in range(6)} == {
        row["event_id"] for row in told.records()
    }


def test_a_proof_holds_what_was_told_and_no_more(told):
    exact, band, threshold, denied = (proof_of(told, number)["row"] for number in (0, 1, 2, 5))
    assert (exact["score"], exact["band"], exact["points_social"]) == (650.0, "good", 10.0)
    assert (band["score"], band["band"], band["points_social"]) == (None, "good", None)
    assert (threshold["score"], threshold["band"]) == (None, None)
    assert (denied["reason"], denied["score"], denied["granularity"]) == ("consent-required", None, None)


def test_a_proof_names_nobody_else(told):
    text = json.dumps(proof_of(told, 1))
    others = [told.platform.member(number) for number in range(6) if number != 1]
    assert told.platform.member(1) in text
    assert [other for other in others if other in text] == []


def test_a_proof_can_be_checked_without_benne(told):
    """Ten lines of hashing, after the table in benne.scoring.batch.leaves."""
    proof = proof_of(told, 3)
    row, batch = proof["row"], proof["batch"]

    def sha256(content):
        return hashlib.sha256(content).digest()

    def canonical(content):
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    words = {name: row[name] for name in ("band", "granularity", "reason", "withheld")} | {"decision": "granted"}
    leaf = sha256(
        b"benne batch decision 1\n"
        + sha256(canonical({"event_id": proof["event_id"], **batch}))
        + bytes.fromhex(proof["salt"])
        + bytes.fromhex(row["subject_id"])
        + struct.pack(">q", row["as_of_us"])
        + sha256(canonical(words))
        + b"".join(struct.pack(">d", row[name]) for name in batch["figures"])
    )
    node, place, size = sha256(b"\0" + leaf), proof["position"], proof["size"]
    assert (place, size) == (3, 4)
    for other in map(bytes.fromhex, proof["path"]):
        node = sha256(b"\1" + other + node) if place % 2 else sha256(b"\1" + node + other)
        place //= 2
    assert node.hex() == told.records()[0]["merkle_root"]


@pytest.fixture(scope="module")
def genuine(tmp_path_factory):
    """A proof, and the store that it holds against."""
    from tests.scoring.batch.conftest import Batches
    from tests.scoring.conftest import open_platform

    folder = tmp_path_factory.mktemp("genuine")
    batches = Batches(open_platform(folder / "benne.db"), folder)
    for number in range(5):
        batches.platform.grant(number, granularity="exact")
    batches.run(batches.write(batches.platform.features(dict.fromkeys(range(5), CATEGORIES))), chunk_rows=5)
    yield batches, proof_of(batches, 2)
    batches.platform.store.close()


CHANGES = {
    "score": lambda proof: proof["row"].update(score=651.0),
    "a figure that was not told": lambda proof: proof["row"].update(pd=0.1),
    "no figure": lambda proof: proof["row"].update(score=None),
    "band": lambda proof: proof["row"].update(band="excellent"),
    "reason": lambda proof: proof["row"].update(reason="consent-required"),
    "granularity": lambda proof: proof["row"].update(granularity="band"),
    "withheld": lambda proof: proof["row"].update(withheld="social"),
    "member": lambda proof: proof["row"].update(subject_id="f" * 32),
    "moment": lambda proof: proof["row"].update(as_of_us=proof["row"]["as_of_us"] + 1),
    "salt": lambda proof: proof.update(salt="00" * 32),
    "position": lambda proof: proof.update(position=proof["position"] ^ 1),
    "size": lambda proof: proof.update(size=proof["size"] + 1),
    "path": lambda proof: proof["path"].pop(),
    "recipient": lambda proof: proof["batch"].update(recipient="other"),
    "purpose": lambda proof: proof["batch"].update(purpose="rental"),
    "model": lambda proof: proof["batch"].update(model_id="benne/other"),
    "configuration": lambda proof: proof["batch"].update(config_hash="00" * 32),
    "event": lambda proof: proof.update(event_id="elsewhere"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_proof_in_which_anything_was_changed_is_rejected(genuine, what):
    batches, proof = genuine[0], copy.deepcopy(genuine[1])
    CHANGES[what](proof)
    with pytest.raises(ProofRejected, match="A proof must"):
        checked(batches, proof)


@pytest.mark.parametrize(
    "proof", [None, [], {}, "text", {"form": "benne batch proof 1"}, {"form": "other"}, 7], ids=str
)
def test_what_is_no_proof_is_rejected(genuine, proof):
    with pytest.raises(ProofRejected, match="A proof must"):
        checked(genuine[0], proof)


@pytest.mark.parametrize("key", ["event_id", "batch", "row", "salt", "position", "size", "path"])
@pytest.mark.parametrize("value", [None, [], {}, "x", -1, 2**70, 2.5, True, [None], {"figures": [["x"]]}], ids=str)
def test_a_proof_of_strange_values_is_rejected_and_never_an_accident(genuine, key, value):
    with pytest.raises(ProofRejected, match="A proof must"):
        checked(genuine[0], genuine[1] | {key: value})


@pytest.mark.parametrize("value", ["650.0", [650.0], {}], ids=str)
def test_a_figure_of_a_proof_is_a_number(genuine, value):
    proof = genuine[1] | {"row": genuine[1]["row"] | {"score": value}}
    with pytest.raises(ProofRejected, match="must hold a row"):
        checked(genuine[0], proof)


def test_a_record_that_somebody_changed_proves_nothing(told):
    proof = proof_of(told, 0)
    told.platform.tamper("UPDATE audit_records SET model_id = 'benne/other'")
    proof["batch"]["model_id"] = "benne/other"
    with pytest.raises(ProofRejected, match="say of its batch what is on record"):
        checked(told, proof)


def test_a_score_changed_in_the_file_has_no_proof(told):
    scores = told.scores()
    scores.loc[0, "score"] = 900.0
    scores.to_parquet(told.out)
    with pytest.raises(BatchDamaged, match="must be of one batch"):
        proof_of(told, 0)


def test_who_is_not_in_the_batch_has_no_proof(told):
    with pytest.raises(ObservationError, match="must be in the batch"):
        proof_of(told, 77)
    with pytest.raises(ObservationError, match="must be in the batch"):
        prove(told.out, told.platform.member(0), told.platform.clock() + DAY)
    with pytest.raises(ObservationError, match="must be there and whole"):
        prove(told.folder / "other.parquet", told.platform.member(0))


def test_of_several_moments_one_can_be_named(batches):
    platform = batches.platform
    platform.grant(1, granularity="exact")
    early = platform.features({1: CATEGORIES}, value=1.0)
    platform.clock.turn(DAY)
    late = platform.features({1: CATEGORIES}, value=2.0)
    batches.run(batches.write(pd.concat([late, early])))
    assert prove(batches.out, platform.member(1))["row"]["score"] == 700.0
    assert prove(batches.out, platform.member(1), platform.clock() - DAY)["row"]["score"] == 650.0


def test_an_erased_member_takes_nobodys_proof_along(told):
    """Erasure takes rows out of exports; the leaves, which say nothing about anybody, stay."""
    for path in sorted(told.folder.glob("*.parquet")):
        take_out(path, [told.platform.member(1)])
    assert checked(told, proof_of(told, 0)).decision == "granted"
    with pytest.raises(ObservationError, match="must be in the batch"):
        proof_of(told, 1)


def test_the_files_of_leaves_and_proofs_say_nothing_that_the_scores_do_not(told):
    leaves = pd.read_parquet(told.folder / "scores.leaves.parquet")
    proofs = pd.read_parquet(told.folder / "scores.proofs.parquet")
    assert list(leaves.columns) == ["event_id", "position", "leaf"]
    assert list(proofs.columns) == ["subject_id", "as_of", "reason", "event_id", "position", "salt"]
    assert proofs["salt"].nunique() == len(proofs)


def test_the_same_batch_again_has_other_salts_and_leaves(told):
    before = pd.read_parquet(told.folder / "scores.leaves.parquet")
    told.run(told.folder / "features.parquet", chunk_rows=4)
    after = pd.read_parquet(told.folder / "scores.leaves.parquet")
    assert not set(before["leaf"]) & set(after["leaf"])


LEAVES_OF_JSON = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=40)


@given(st.data())
def test_no_change_of_any_value_passes(genuine, data):
    batches, proof = genuine
    changed = copy.deepcopy(proof)
    holder = data.draw(st.sampled_from([changed, changed["row"], changed["batch"]]))
    key = data.draw(st.sampled_from(sorted(holder)))
    value = data.draw(LEAVES_OF_JSON | st.lists(LEAVES_OF_JSON, max_size=3))
    if holder[key] == value:
        return
    holder[key] = value
    with batches.platform.store.read() as connection, pytest.raises(ProofRejected, match="A proof must"):
        check_proof(changed, connection)
