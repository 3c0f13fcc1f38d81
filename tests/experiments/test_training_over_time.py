"""The whole way on a simulated platform whose members are observed at several moments."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from benne.experiments.labelling import LabelledRows, label_rows
from benne.experiments.simulator import SimulatorOptions, simulate
from benne.experiments.training import train_model
from benne.features import ConsentMask, SubjectKey, build_features, load_events
from benne.features.frames import key_member_ids
from benne.models import BoosterOptions, CreditScoreModel

MOMENTS = tuple(datetime(2025, month, 1, tzinfo=UTC) for month in (1, 4, 7))
KEY = SubjectKey(bytes(range(32)))


@pytest.fixture(scope="module")
def observed(tmp_path_factory) -> LabelledRows:
    options = SimulatorOptions(as_of=MOMENTS, history_months=24)
    world = simulate(tmp_path_factory.mktemp("world"), members=1500, seed=2, options=options)
    tables = {path.stem: pd.read_parquet(path) for path in world.raw.glob("*.parquet")}
    events = load_events(tables, key=KEY, ingested_at=world.extracted_at.to_pydatetime(), currency=options.currency)
    observations, outcomes = (key_member_ids(frame, KEY) for frame in (world.observations(), world.outcomes()))
    features = build_features(events, observations, consents=ConsentMask.all_granted(reason="simulated members"))
    return label_rows(features, outcomes)


def test_members_seen_again_and_again_are_tested_later_and_apart(observed):
    quick = BoosterOptions(max_trees=80, learning_rate=0.15, patience=10, folds=3)
    run = train_model(observed, CreditScoreModel(booster=quick))
    assert run.split.how.order == "time"
    assert run.fold_order == "member"
    sides = [side.features.index for side in (run.train, run.test)]
    assert not set(sides[0].get_level_values("subject_id")) & set(sides[1].get_level_values("subject_id"))
    assert sides[0].get_level_values("as_of").max() < sides[1].get_level_values("as_of").min()
    assert run.evaluation.metrics["auc"] > 0.6
    assert run.model.contract_report_.largest_miss < 1e-6
    assert run.evaluation.largest_gap < 1e-9
