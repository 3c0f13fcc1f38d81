"""Faults injected into twenty months of simulated members are each found where they begin; without, no alarm."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.experiments.labelling import label_rows
from benne.experiments.simulator import SimulatorOptions, simulate
from benne.features import ConsentMask, SubjectKey, build_features, ingest
from benne.features.frames import key_member_ids
from benne.models import BoosterOptions, CreditScoreModel
from benne.models.figures import figures_of
from tests.scoring.monitoring.months import BROKE, MONTHS, World, start_of

pytestmark = pytest.mark.slow

MOMENTS = tuple(datetime(2025, month, 1, tzinfo=UTC) for month in (1, 3, 5, 7))
MEMBERS = 6_000
BEGAN = "2024-01"


@dataclass(frozen=True)
class SimulatedWorld(World):
    """Members of a simulated platform: some withhold, and some cannot be scored."""

    def alarms(self, features=None, **evidence) -> dict[str, str]:
        """The first month of each alarm."""
        report = self.monitored(features, **evidence)
        found: dict[str, str] = {}
        for alert in report.alarms:
            found.setdefault(alert.name, alert.period)
        return found

    def told(self) -> pd.DataFrame:
        refused = np.logical_or(*self.model.refusals(self.features, frozenset()))
        figures = figures_of(self.model, self.features[~refused])
        return pd.DataFrame({"score": figures.score, "pd": figures.pd}, index=self.features.index[~refused])


@pytest.fixture(scope="module", params=[0, 1])
def world(request, tmp_path_factory) -> World:
    """Each month a member is as at one of four moments, drawn: months are alike but for luck, outcomes drawn anew."""
    folder = tmp_path_factory.mktemp("months")
    simulated = simulate(folder / "world", members=MEMBERS, seed=request.param, options=SimulatorOptions(as_of=MOMENTS))
    key = SubjectKey(hashlib.sha256(b"months").digest())
    events = ingest(simulated.raw, folder / "events", key=key, ingested_at=simulated.extracted_at.to_pydatetime())
    observed, outcomes, truth = (
        key_member_ids(frame, key) for frame in (simulated.observations(), simulated.outcomes(), simulated.truth())
    )
    everything = ConsentMask.all_granted(reason="simulated members")
    rows = label_rows(build_features(events, observed, consents=everything), outcomes)
    member = rows.features.index.get_level_values("subject_id").to_numpy(dtype=object)
    rng = np.random.default_rng(0)
    test = np.isin(member, rng.permutation(np.unique(member))[: MEMBERS // 3])
    model = CreditScoreModel(booster=BoosterOptions(threads=1), own_booster_gap=None, unconstrained_price=False)
    model.fit(rows.features[~test], rows.bad[~test].astype(int), groups=member[~test])
    pool = rows.features[test]
    known = truth.set_index(["subject_id", "as_of"])["pd"].reindex(pool.index).to_numpy()
    owner, _ = pd.factorize(member[test])
    features, pd_of = [], []
    for month in range(MONTHS):
        order = rng.permutation(len(pool))
        first = pd.Series(order).groupby(owner[order]).first().to_numpy()
        index = [member[test][first], [start_of(month)] * len(first)]
        features.append(pool.iloc[first].set_axis(pd.MultiIndex.from_arrays(index, names=["subject_id", "as_of"])))
        pd_of.append(known[first])
    chance = np.concatenate(pd_of)
    return SimulatedWorld(model, pd.concat(features), (rng.random(len(chance)) < chance).astype(float))


def test_clean_months_raise_no_alarm(world):
    assert world.alarms(scores=world.told(), outcomes=world.outcomes()) == {}


def test_shifted_income_is_found(world):
    moved = world.features.copy()
    moved.loc[world.late, "income_monthly_180d"] *= 2.0
    assert world.alarms(moved)["psi.income_monthly_180d"] == BEGAN


def test_a_broken_source_is_found(world):
    for name, value, check in (("bill_share_180d", 0.0, "constant"), ("on_time_streak_longest", np.nan, "nulls")):
        broken = world.features.copy()
        broken.loc[world.late, name] = value
        assert world.alarms(broken)[f"{check}.{name}"] == BEGAN


def test_a_stale_feed_is_found(world):
    feed = [name for name, category in world.model.category_of.items() if category == "behaviour"]
    stale = world.features.copy()
    month = stale.index.get_level_values("as_of")
    last = stale.loc[month == start_of(BROKE - 1), feed].droplevel("as_of")
    stale.loc[world.late, feed] = last.reindex(stale.index.get_level_values("subject_id")[world.late]).to_numpy()
    found = world.alarms(stale)
    assert found["stale.bill_share_180d"] == BEGAN
    still = {name.partition(".")[2] for name in found if name.startswith("stale.")}
    assert still <= set(feed)
    assert len(still) > 10


def test_an_inverted_score_is_found(world):
    told = world.told()
    late = told.index.get_level_values("as_of") >= start_of(BROKE)
    told.loc[late, "score"] = 1_300.0 - told.loc[late, "score"]
    found = world.alarms(scores=told, outcomes=world.outcomes())
    assert found["psi.score"] == found["differs"] == found["auc"] == BEGAN


def test_poisoned_labels_are_found(world):
    flipped = world.late & (np.random.default_rng(4).random(len(world.bad)) < 0.1)
    found = world.alarms(outcomes=world.outcomes(np.where(flipped, 1.0 - world.bad, world.bad)))
    assert found["labels_discordant.best"] == BEGAN
    assert not any(name.startswith(("psi", "nulls", "stale", "constant")) for name in found)
