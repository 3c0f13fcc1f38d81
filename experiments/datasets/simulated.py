"""Simulated members beside the real sets: the only ones with all five categories, and no evidence about people."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pandas as pd

from benne.experiments.datasets.dataset import Split
from benne.experiments.datasets.trial import Trial
from benne.experiments.simulator import NOTICE, simulate
from benne.experiments.training import label_rows
from benne.features import ConsentMask, SubjectKey, build_features, ingest, registry, split_mask
from benne.features.frames import key_member_ids

__all__ = ["SIMULATED", "simulated_trial"]

SIMULATED: Final = "simulated"


def simulated_trial(*, key: SubjectKey, members: int = 20_000, seed: int = 0) -> Trial:
    """Simulate a platform whose members consent to everything, and hold out 30 % of them.

    Parameters
    ----------
    key : SubjectKey
    members, seed : int
        Of the simulator.
    """
    with TemporaryDirectory() as folder:
        world = simulate(Path(folder) / "world", members=members, seed=seed)
        clock = world.extracted_at.to_pydatetime()
        events = ingest(world.raw, Path(folder) / "events", key=key, ingested_at=clock)
        observed, outcomes = (key_member_ids(frame, key) for frame in (world.observations(), world.outcomes()))
        consents = ConsentMask.all_granted(reason=NOTICE)
        rows = label_rows(build_features(events, observed, consents=consents), outcomes)
    features, _ = split_mask(rows.features)
    labels = pd.Series(rows.bad.astype("int8"), name="bad")
    folds = tuple(Split("holdout").of(labels, None))
    return Trial(SIMULATED, features, registry.categories_of(features.columns), labels, None, folds)
