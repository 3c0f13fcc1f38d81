"""Months of made-up members, and a model that has learned from others like them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring.monitoring.group_vintages import GroupVintages
from benne.scoring.monitoring.monitor import Evidence, monitor
from benne.scoring.monitoring.observed import Observed
from benne.scoring.monitoring.report import MonitoringReport

MONTHS, MEMBERS, BROKE = 20, 400, 12
CATEGORIES = {
    "credit_history": ["late_count", "oldest"],
    "behaviour": ["utilisation", "swing"],
    "ability": ["income", "savings"],
}
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A model, and months of the same members that it has not learned from."""

    model: CreditScoreModel
    features: pd.DataFrame
    bad: np.ndarray

    @property
    def late(self) -> np.ndarray:
        """Rows from the month on in which a fault begins."""
        return self.features.index.get_level_values("as_of") >= start_of(BROKE)

    def outcomes(self, bad=None) -> pd.DataFrame:
        return self.features.index.to_frame(index=False).assign(bad=self.bad if bad is None else bad)

    def told(self) -> pd.DataFrame:
        return self.model.explain(self.features).table()[["score", "pd", "thin_file", "rare"]]

    def monitored(self, features=None, **evidence) -> MonitoringReport:
        given = self.features if features is None else features
        return monitor(self.model, given, Evidence(**evidence), clock=lambda: NOW)


def start_of(month: int) -> pd.Timestamp:
    return pd.Timestamp("2023-01-01", tz="UTC") + pd.DateOffset(months=month)


def drawn(rows: int, rng) -> tuple[pd.DataFrame, np.ndarray]:
    columns = [column for group in CATEGORIES.values() for column in group]
    values = pd.DataFrame(rng.normal(size=(rows, len(columns))), columns=columns)
    values["late_count"] = np.maximum(0, np.rint(values["late_count"]))
    values.loc[rng.random(rows) < 0.15, "savings"] = np.nan
    risk = -2.2 + 1.2 * values["late_count"] + 0.8 * values["utilisation"] - 0.9 * values["income"]
    return values, (rng.random(rows) < 1.0 / (1.0 + np.exp(-risk))).astype(float).to_numpy()


def made_up_world() -> World:
    """Six thousand members to learn from, and twenty months of four hundred others."""
    rng = np.random.default_rng(3)
    X, bad = drawn(6_000, rng)
    quick = BoosterOptions(max_trees=60, learning_rate=0.2, patience=10, folds=3, threads=1)
    model = CreditScoreModel(CATEGORIES, booster=quick, own_booster_gap=None, unconstrained_price=False).fit(X, bad)
    X, bad = drawn(MONTHS * MEMBERS, rng)
    subjects = [f"{number:032x}" for number in range(MEMBERS)] * MONTHS
    moments = [start_of(month) for month in range(MONTHS) for _ in range(MEMBERS)]
    return World(model, X.set_axis(pd.MultiIndex.from_arrays([subjects, moments], names=["subject_id", "as_of"])), bad)


def found(report: MonitoringReport, name: str) -> list[str]:
    """Months in which a check alarmed."""
    return [alert.period for alert in report.alarms if alert.name == name]


BEGAN = f"{start_of(BROKE):%Y-%m}"


def group_vintages(names, group, period, bad, pd_of, members=None) -> GroupVintages:
    """Bands counted of rows in the order of their periods; each row of another member, if nothing else is said."""
    n, periods = len(group), int(period.max()) + 1
    nothing = np.full(n, np.nan)
    seen = Observed(
        features=pd.DataFrame(index=range(n)), consented=np.ones((n, 1), dtype=bool), empty=np.zeros(n, dtype=bool),
        category=np.empty(0, dtype=np.intp), members=np.arange(n) if members is None else members,
        periods=tuple(f"{start_of(k):%Y-%m}" for k in range(periods)),
        starts=np.searchsorted(period, np.arange(periods + 1)),
        moments=pd.DatetimeIndex([start_of(k) for k in range(periods)])[period],
        score=nothing, pd=pd_of, thin=None, rare=None, differs=None,
    )  # fmt: skip
    return GroupVintages.of("band", np.array(names, dtype=object)[group], names, seen, bad)
