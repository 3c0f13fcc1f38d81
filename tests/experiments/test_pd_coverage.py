"""How often a member's own PD, which only a simulator knows, lies within the interval that the model gives."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benne.experiments.labelling import label_rows
from benne.experiments.simulator import simulate
from benne.experiments.simulator.options import SimulatorOptions
from benne.features import ConsentMask, SubjectKey, build_features, ingest
from benne.features.frames import key_member_ids
from benne.models import BoosterOptions, CreditScoreModel, withheld_of
from benne.scoring.batch import unscorable

MOMENTS = tuple(datetime(2025, month, 1, tzinfo=UTC) for month in (1, 3, 5, 7))
QUICK = BoosterOptions(max_trees=150, learning_rate=0.1, patience=20, folds=4)


@pytest.mark.parametrize(("members", "options", "lowest", "highest", "thin_lowest"), [
    (1_500, QUICK, 0.82, 0.97, 0.5),
    pytest.param(6_000, BoosterOptions(), 0.85, 0.95, 0.85, marks=pytest.mark.slow),
])  # fmt: skip
def test_ninety_per_cent_intervals_hold_the_known_pd(
    members: int, options: BoosterOptions, lowest: float, highest: float, thin_lowest: float, tmp_path: Path
) -> None:
    world = simulate(tmp_path / "world", members=members, seed=0, options=SimulatorOptions(as_of=MOMENTS))
    key = SubjectKey(hashlib.sha256(b"coverage").digest())
    events = ingest(world.raw, tmp_path / "events", key=key, ingested_at=world.extracted_at.to_pydatetime())
    observed, outcomes, truth = (
        key_member_ids(frame, key) for frame in (world.observations(), world.outcomes(), world.truth())
    )
    everything = ConsentMask.all_granted(reason="simulated members")
    rows = label_rows(build_features(events, observed, consents=everything), outcomes)
    member = rows.features.index.get_level_values("subject_id").to_numpy(dtype=object)
    test = np.isin(member, np.random.default_rng(0).permutation(np.unique(member))[: members // 3])
    model = CreditScoreModel(booster=options, own_booster_gap=None)
    model.fit(rows.features[~test], rows.bad[~test].astype(int), groups=member[~test])
    tested = rows.features[test]
    tested = tested[unscorable(model, tested, withheld_of(tested)) == ""]
    known = truth.set_index(["subject_id", "as_of"])["pd"].reindex(tested.index).to_numpy()
    low, high = model.predict_interval(tested).T
    thin, within = model.thin_file(tested), (low < known) & (known < high)
    assert lowest <= within.mean() <= highest
    assert thin.sum() > 50
    assert within[thin].mean() >= thin_lowest
