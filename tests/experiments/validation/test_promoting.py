from __future__ import annotations

import threading
from pathlib import Path

import mlflow
import pytest

from benne.errors import (
    GovernanceError,
    ModelDirectoryError,
    NotIndependent,
    NotValidated,
    ParameterError,
    PromotionConflict,
)
from benne.experiments.model_registry import CHALLENGER, CHAMPION, files_of, version_of, versions
from benne.experiments.tracking import store_in_use
from benne.experiments.validation import promoting
from benne.experiments.validation.promoting import follow_record, promote_champion, roll_back_champion
from benne.scoring.audit.chain import verify
from benne.scoring.decisions.promotion import promote, promoted
from benne.scoring.decisions.served_model import identity_of, served
from benne.scoring.wiring import random_id
from tests.experiments.validation.conftest import OPS
from tests.scoring.validated import verdict_content

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


def verdict_on(world, governance, run, **changes):
    """A verdict on a run, written without measuring: that is tested elsewhere."""
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.declaring import every_declared
    from benne.scoring.governance.verdicts import record_verdict

    version = version_of(world.tracking, world.runs[run])
    with files_of(world.tracking, version) as directory, governance.store.read() as connection:
        content = verdict_content(identity_of(directory), every_declared(connection)[0], **changes)
    actor = Actor(content["validator"], "compliance")
    return governance.group.submit(
        record_verdict(content, actor=actor, event_id=random_id(), policy_version="test")
    ).result


def promoting_run(world, governance, run=None, actor=OPS):
    which = None if run is None else world.runs[run]
    return promote_champion(world.tracking, governance, actor, ids=random_id, which=which)


def rolled_back(world, governance, reason="calibration"):
    return roll_back_champion(world.tracking, governance, OPS, reason, ids=random_id)


def aliases(world):
    return {alias: version.version for version in versions(world.tracking) for alias in version.aliases}


def chain(governance):
    with governance.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT type, decision, deny_reason, outcome FROM audit_records ORDER BY seq")
        return [tuple(row) for row in rows]


def on_record(governance):
    with governance.store.read() as connection:
        assert verify(connection).intact
        return promoted(connection)


def test_what_nobody_validated_is_not_promoted_and_the_refusal_is_on_record(world, governance):
    with pytest.raises(NotValidated, match="got no verdict on these files"):
        promoting_run(world, governance)
    assert chain(governance)[-1] == ("model_promoted", "denied", "not_validated", None)
    assert aliases(world) == {CHALLENGER: 2}
    assert on_record(governance) is None


def test_a_failed_verdict_lets_nothing_serve(world, governance):
    verdict_on(world, governance, 1, state="failed")
    with pytest.raises(NotValidated, match=r"a verdict that failed: .*points\.largest_gap"):
        promoting_run(world, governance)
    assert aliases(world) == {CHALLENGER: 2}


def test_a_verdict_on_another_model_lets_this_one_not_serve(world, governance):
    verdict_on(world, governance, 0)
    with pytest.raises(NotValidated, match="got no verdict on these files"):
        promoting_run(world, governance, 1)


def test_the_challenger_becomes_the_champion_and_once_more_changes_nothing(world, governance):
    verdict = verdict_on(world, governance, 1)
    champion = promoting_run(world, governance)
    assert (champion.recorded, champion.moved, champion.version.version) == (True, True, 2)
    assert champion.promotion.validation_id == verdict.validation_id
    assert aliases(world) == {CHAMPION: 2}
    before = chain(governance)
    again = promoting_run(world, governance)
    assert (again.recorded, again.moved) == (False, False)
    assert chain(governance) == before
    with store_in_use(world.tracking):
        loaded = mlflow.pyfunc.load_model("models:/benne@champion")
    assert loaded.metadata.run_id == world.runs[1]


def test_a_crash_before_the_alias_moved_is_finished_by_the_same_command(world, governance, monkeypatch):
    verdict_on(world, governance, 1)

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(promoting, "name_champion", dies)
        with pytest.raises(KeyboardInterrupt):
            promoting_run(world, governance)
    assert on_record(governance).seq == 1
    assert aliases(world) == {CHALLENGER: 2}
    finished = promoting_run(world, governance)
    assert (finished.recorded, finished.moved) == (False, True)
    assert aliases(world) == {CHAMPION: 2}


def test_rolling_back_goes_through_former_champions_and_is_on_record(world, governance):
    for run in (0, 1):
        verdict_on(world, governance, run)
        promoting_run(world, governance, run)
    back = rolled_back(world, governance)
    assert (back.version.version, back.promotion.undoes, back.moved) == (1, 2, True)
    assert aliases(world) == {CHAMPION: 1}
    decided = [one for one in chain(governance) if one[0] != "document_filed"]
    assert decided[-1] == ("model_rolled_back", None, None, "calibration")
    with pytest.raises(GovernanceError, match="Another model must have served before this one, got none"):
        rolled_back(world, governance)
    promoting_run(world, governance, 1)
    assert rolled_back(world, governance).version.version == 1
    assert on_record(governance).seq == 5


def test_a_roll_back_that_died_before_the_alias_moved_is_finished_and_not_done_twice(world, governance, monkeypatch):
    for run in (0, 1):
        verdict_on(world, governance, run)
        promoting_run(world, governance, run)
    with monkeypatch.context() as patched:
        patched.setattr(promoting, "follow_record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rolled_back(world, governance)
    assert aliases(world) == {CHAMPION: 2}
    finished = rolled_back(world, governance)
    assert (finished.recorded, finished.moved) == (False, True)
    assert (aliases(world), on_record(governance).seq) == ({CHAMPION: 1}, 3)


def test_of_two_at_once_one_is_told_so_and_alias_and_record_agree(world, governance):
    for run in (0, 1):
        verdict_on(world, governance, run)
    models = []
    for run in (0, 1):
        with files_of(world.tracking, version_of(world.tracking, world.runs[run])) as directory:
            from benne.models import CreditScoreModel

            models.append(served(CreditScoreModel.load(directory), *identity_of(directory)))
    outcomes, together = [], threading.Barrier(2)

    def decide(model):
        work = promote(model, OPS, event_id=random_id(), policy_version="test", after=0)
        together.wait()
        try:
            outcomes.append(governance.group.submit(work).result.config_hash)
        except PromotionConflict as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=decide, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lost = [one for one in outcomes if "somebody changed it meanwhile" in one]
    assert len(lost) == 1
    assert on_record(governance).config_hash in outcomes


def test_whoever_loses_is_on_record_with_a_promotion_and_with_a_roll_back(world, governance, monkeypatch):
    for run in (0, 1):
        verdict_on(world, governance, run)
    monkeypatch.setattr("benne.scoring.decisions.promoting.promoted", lambda _: None)  # looked up before the others
    promoting_run(world, governance, 0)
    with pytest.raises(PromotionConflict, match="somebody changed it meanwhile"):
        promoting_run(world, governance, 1)
    assert chain(governance)[-1] == ("model_promoted", "denied", "changed_meanwhile", None)
    monkeypatch.undo()
    promoting_run(world, governance, 1)
    verdict_on(world, governance, 0, state="failed")
    with pytest.raises(NotValidated, match="a verdict that failed"):
        rolled_back(world, governance)
    assert chain(governance)[-1] == ("model_rolled_back", "denied", "not_validated", None)
    assert on_record(governance).seq == 2


def test_the_alias_follows_the_record_where_somebody_else_promoted_in_between(world, governance, monkeypatch):
    for run in (0, 1):
        verdict_on(world, governance, run)
    original, calls = promoting.name_champion, []

    def slow(tracking, version):
        calls.append(version.version)
        if len(calls) == 1:  # the other one is faster with both steps
            promoting_run(world, governance, 1)
        return original(tracking, version)

    monkeypatch.setattr(promoting, "name_champion", slow)
    promoting_run(world, governance, 0)
    assert aliases(world)[CHAMPION] == 2
    assert calls[-1] == 2
    assert follow_record(world.tracking, governance, "benne")[1] is False


def test_files_that_changed_after_the_verdict_do_not_serve(world, governance):
    verdict_on(world, governance, 1)
    with store_in_use(world.tracking):
        place = Path(mlflow.artifacts.download_artifacts("models:/benne/2"))
    (manifest,) = place.rglob("manifest.json")
    (booster,) = place.rglob("booster.txt")
    whole, written = booster.read_bytes(), manifest.read_bytes()
    try:
        booster.write_bytes(whole.replace(b"leaf_value=", b"leaf_value= ", 1))
        with pytest.raises(ModelDirectoryError, match="corrupted: its hash"):
            promoting_run(world, governance)
        manifest.write_bytes(written + b"\n")
        with pytest.raises(NotValidated, match="got no verdict on these files"):
            promoting_run(world, governance)
    finally:
        booster.write_bytes(whole)
        manifest.write_bytes(written)
    assert aliases(world) == {CHALLENGER: 2}


def test_a_version_that_is_not_there_is_refused(world, governance):
    for which, match in (("7", "has no version 7"), ("0" * 32 + "f", "has no version of that run")):
        with pytest.raises(ParameterError, match=match):
            promote_champion(world.tracking, governance, OPS, ids=random_id, which=which)


def test_whoever_made_a_model_cannot_have_its_verdict_recorded(world, governance):
    with pytest.raises(NotIndependent, match="other than its author"):
        verdict_on(world, governance, 1, author="Bob", validator="bob")
