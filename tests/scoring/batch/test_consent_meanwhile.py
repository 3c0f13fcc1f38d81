"""Consent that ends while a batch runs: no score leaves after a withdrawal that was acknowledged."""

from __future__ import annotations

import random
import threading
import time

import pytest

from benne.errors import BatchDamaged, ConsentRequired
from benne.features.categories import CATEGORIES
from benne.scoring.batch import publishing
from benne.scoring.batch.proofs import check_proof, prove
from tests.scoring.conftest import DAY


def at_call(number, act):
    """Do something while the model scores the chunk of that number, and never again; first it is asked about nobody."""
    calls = iter(range(-1, 10_000))
    return lambda: act() if next(calls) == number else None


def scored(batches):
    return set(batches.scores()["subject_id"])


def members(batches, *numbers):
    return {batches.platform.member(number) for number in numbers}


@pytest.mark.parametrize(
    ("categories", "reason"), [(None, "consent-withdrawn"), (("social",), "consent-changed")], ids=["all", "a category"]
)
def test_who_withdraws_while_the_model_computes_is_refused(batches, five, categories, reason):
    platform = batches.platform
    platform.model.before_answering = at_call(
        0, lambda: platform.ledger.withdraw(platform.member(1), "lending", "shop", categories)
    )
    batches.run(five)
    assert scored(batches) == members(batches, 0, 2, 3, 4)
    assert batches.refusals() == {platform.member(1): reason}
    assert next(row["outcome"] for row in batches.records()) == "scored:1/refused:1"


def test_consent_that_runs_out_meanwhile_is_none(batches):
    platform = batches.platform
    platform.grant(0, granularity="exact", validity=DAY)
    platform.grant(1, granularity="exact", validity=9 * DAY)
    path = batches.write(platform.features(dict.fromkeys(range(2), CATEGORIES)))
    platform.model.before_answering = at_call(0, lambda: platform.clock.turn(2 * DAY))
    batches.run(path)
    assert batches.refusals() == {platform.member(0): "consent-expired"}


def test_consent_to_a_coarser_answer_given_meanwhile_holds(batches, five):
    platform = batches.platform
    platform.model.before_answering = at_call(0, lambda: platform.grant(0, granularity="band"))
    batches.run(five)
    assert batches.refusals() == {platform.member(0): "consent-changed"}


def test_consent_renewed_or_given_meanwhile_takes_nothing_away_and_gives_nothing(batches, five):
    platform = batches.platform
    path = batches.write(platform.features(dict.fromkeys(range(6), CATEGORIES)))

    def grant():
        platform.grant(0, granularity="exact")
        platform.grant(5, granularity="exact")

    platform.model.before_answering = at_call(0, grant)
    batches.run(path, chunk_rows=6)
    assert scored(batches) == members(batches, 0, 1, 2, 3, 4)
    assert batches.refusals() == {platform.member(5): "consent-required"}


def test_everybody_may_withdraw_at_once(batches, five):
    platform = batches.platform

    def withdraw():
        for number in range(5):
            platform.ledger.withdraw(platform.member(number), "lending", "shop", None)

    platform.model.before_answering = at_call(0, withdraw)
    with pytest.raises(ConsentRequired, match="consent-withdrawn"):
        batches.run(five)
    assert not batches.out.exists()
    assert batches.chain_is_intact()


def test_who_withdraws_after_their_chunk_was_recorded_is_not_in_the_file(batches, five):
    platform = batches.platform
    platform.model.before_answering = at_call(
        2, lambda: platform.ledger.withdraw(platform.member(0), "lending", "shop", None)
    )
    summary = batches.run(five)
    assert scored(batches) == members(batches, 1, 2, 3, 4)
    assert batches.refusals() == {platform.member(0): "consent-withdrawn"}
    assert (summary.scored, summary.refused, summary.records) == (4, {"consent-withdrawn": 1}, 4)
    assert [row["outcome"] for row in batches.records()][-1] == "scored:0/refused:1"
    with platform.store.read() as connection:
        checked = check_proof(prove(batches.out, platform.member(0)), connection)
    assert checked.decision == "denied"


def test_who_withdraws_while_the_file_is_put_together_is_not_in_it(batches, five, monkeypatch):
    platform, assemble = batches.platform, publishing.assemble
    leaving = iter(range(2))

    def slow(*arguments):
        made = assemble(*arguments)
        for number in leaving:
            platform.ledger.withdraw(platform.member(number), "lending", "shop", None)
            break
        return made

    monkeypatch.setattr(publishing, "assemble", slow)
    summary = batches.run(five)
    assert scored(batches) == members(batches, 2, 3, 4)
    assert batches.refusals() == dict.fromkeys(members(batches, 0, 1), "consent-withdrawn")
    assert summary.records == len(batches.records()) == 3 + 2


def test_what_others_do_in_the_ledger_does_not_hold_up_a_batch(batches, five, monkeypatch):
    platform, assembled = batches.platform, []
    assemble = publishing.assemble

    def counted(*arguments):
        made = assemble(*arguments)
        assembled.append(platform.grant(100 + len(assembled)))  # for the same recipient, but not in the file
        return made

    monkeypatch.setattr(publishing, "assemble", counted)
    batches.run(five)
    assert len(assembled) == 1


def test_a_ledger_that_never_rests_ends_the_try_and_keeps_the_parts(batches, five, monkeypatch):
    platform = batches.platform
    watermark = publishing.Settler.watermark

    def restless(settler):
        seen = watermark(settler)
        platform.grant(7)
        return seen

    with monkeypatch.context() as patched:
        patched.setattr(publishing.Settler, "watermark", restless)
        with pytest.raises(BatchDamaged, match="kept changing"):
            batches.run(five)
    assert not batches.out.exists()
    assert batches.run(five).resumed_at == 5
    assert len(batches.records()) == 3


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_in_the_file_whose_withdrawal_was_acknowledged_before_it_got_its_name(batches, monkeypatch, seed):
    """Members withdraw from a thread of their own while chunks are decided, recorded and put together."""
    platform, rng = batches.platform, random.Random(seed)
    for number in range(40):
        platform.grant(number, granularity="exact")
    path = batches.write(platform.features(dict.fromkeys(range(40), CATEGORIES)))
    acknowledged, when_named, done = [], [], threading.Event()

    def withdraw():
        for number in rng.sample(range(40), 30):
            if done.wait(rng.uniform(0.0, 0.03)):
                return
            platform.ledger.withdraw(platform.member(number), "lending", "shop", None)
            acknowledged.append(platform.member(number))

    give_names = publishing.give_names

    def noted(files):  # the ledger stands still here: nothing can be acknowledged between this and the name
        when_named.append(set(acknowledged))
        give_names(files)

    monkeypatch.setattr(publishing, "give_names", noted)
    platform.model.before_answering = lambda: time.sleep(0.01)
    leaving = threading.Thread(target=withdraw)
    leaving.start()
    batches.run(path, chunk_rows=4)
    done.set()
    leaving.join()
    assert not scored(batches) & when_named[-1]
    assert when_named[-1], "somebody must have left in time"
    assert scored(batches) | set(batches.refusals()) == {platform.member(number) for number in range(40)}
    assert batches.chain_is_intact()
