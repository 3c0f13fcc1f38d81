from __future__ import annotations

import pytest
from mlflow import MlflowClient

from benne.experiments.tracking import store_in_use
from benne.experiments.validation import promoting
from benne.experiments.validation.carding import approvals_of, refile_card
from benne.scoring.audit.chain import verify
from benne.scoring.governance.documents import documents_of
from benne.scoring.wiring import random_id
from tests.experiments.validation.conftest import OPS
from tests.experiments.validation.test_promoting import promoting_run, rolled_back, verdict_on
from tests.experiments.validation.test_recording import validated

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


def cards(governance, config_hash):
    with governance.store.read() as connection:
        return documents_of(connection, config_hash, "card")


def approvals(governance, config_hash):
    """What the newest card on file says was decided, as (what, verdict, by)."""
    lines = cards(governance, config_hash)[0].content["tables"]["approvals"]
    return [(line["what"], line["verdict"], line["by"]) for line in lines]


def description(world, version):
    with store_in_use(world.tracking):
        return MlflowClient().get_model_version("benne", str(version)).description


def test_a_validation_files_the_runs_card_with_itself_on_it_and_what_it_found(world, governance):
    _, verdict = validated(world, governance)
    (card,) = cards(governance, verdict.config_hash)
    assert card.filed_by == "bob"
    (line,) = card.content["tables"]["approvals"]
    assert (line["what"], line["verdict"], line["by"], line["author"]) == ("validation", "passed", "bob", "ann")
    assert (line["gates_version"], line["gates_hash"]) == (verdict.gates_version, verdict.gates_hash)
    with governance.store.read() as connection:
        (gaming,) = documents_of(connection, verdict.config_hash, "gaming")
        assert documents_of(connection, verdict.config_hash, "fairness") == []  # nobody gave attributes
        assert verify(connection).intact
    figures = [one.content["measures"]["gaming.cheap_points"] for one in (gaming, card, verdict)]
    assert figures[0] == figures[1] == figures[2]
    assert "| validation | passed | bob | ann |" in description(world, 1)


def test_a_promotion_and_a_roll_back_are_on_the_cards_of_both_models_and_in_their_descriptions(world, governance):
    first, second = (verdict_on(world, governance, run) for run in (0, 1))
    promoting_run(world, governance, 0)
    assert approvals(governance, first.config_hash) == [
        ("validation", "passed", "bob"),
        ("promotion", "champion", "ops"),
    ]
    promoting_run(world, governance, 1)
    rolled_back(world, governance)
    assert approvals(governance, first.config_hash)[2:] == [("roll-back", "champion again", "ops")]
    assert approvals(governance, second.config_hash)[1:] == [
        ("promotion", "champion", "ops"), ("roll-back", "no longer champion", "ops"),
    ]  # fmt: skip
    assert "| roll-back | champion again | ops |" in description(world, 1)
    assert "| roll-back | no longer champion | ops |" in description(world, 2)


def test_the_same_card_is_not_filed_twice(world, governance):
    verdict = verdict_on(world, governance, 1)
    promoting_run(world, governance)
    before = cards(governance, verdict.config_hash)
    promoting_run(world, governance)
    assert cards(governance, verdict.config_hash) == before


def test_a_card_that_a_crash_left_out_is_filed_by_the_same_command(world, governance, monkeypatch):
    verdict = verdict_on(world, governance, 1)
    with monkeypatch.context() as patched:
        patched.setattr(promoting, "refile_card", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            promoting_run(world, governance)
    assert cards(governance, verdict.config_hash) == []
    assert not promoting_run(world, governance).recorded
    assert approvals(governance, verdict.config_hash)[-1] == ("promotion", "champion", "ops")


def test_where_neither_store_nor_run_has_a_card_none_is_filed(world, governance):
    verdict = verdict_on(world, governance, 1)
    assert refile_card(verdict.config_hash, governance, OPS, ids=random_id) is None
    other = refile_card(  # the card of another run is not this model's
        verdict.config_hash, governance, OPS, ids=random_id, tracking=world.tracking, run_id=world.runs[0]
    )
    assert other is None


def test_decisions_about_other_models_are_not_among_a_models_approvals(world, governance):
    first, second = (verdict_on(world, governance, run) for run in (0, 1))
    promoting_run(world, governance, 1)
    with governance.store.read() as connection:
        assert [one.what for one in approvals_of(connection, first.config_hash)] == ["validation"]
        assert [one.what for one in approvals_of(connection, second.config_hash)] == ["validation", "promotion"]
