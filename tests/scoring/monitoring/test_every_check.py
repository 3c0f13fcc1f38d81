"""Each check and each limit: a made-up month that breaks exactly that raises its alarm, the unbroken one does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.features.consent_mask import MASK_COLUMNS
from benne.scoring.monitoring.monitor import Evidence, monitor
from benne.scoring.monitoring.report import MonitoringReport
from benne.scoring.monitoring.thresholds import Thresholds
from tests.scoring.monitoring.months import BEGAN, BROKE, CATEGORIES, MEMBERS, NOW, World, start_of

PAGE = Path(__file__).parents[3] / "docs" / "monitoring.md"
FIRST = 5
"""Months before it are left out: a trend needs six."""


@dataclass
class Months:
    """Months that a case changes: what goes into the scores, what was said, and what became of it."""

    features: pd.DataFrame
    told: pd.DataFrame
    bad: np.ndarray
    bands: np.ndarray
    rng: np.random.Generator
    evidence: dict[str, pd.DataFrame]

    @classmethod
    def of(cls, world: World) -> Months:
        moments = world.features.index.get_level_values("as_of")
        inside = (moments >= start_of(FIRST)) & (moments <= start_of(BROKE))
        features, told = world.features[inside].copy(), world.told()[inside].copy()
        bands = np.asarray(world.model.scale_.band(told["score"].to_numpy()))
        return cls(features, told, world.bad[inside].copy(), bands, np.random.default_rng(8), {})

    @property
    def last(self) -> np.ndarray:
        """Rows of the month that is broken."""
        return np.asarray(self.features.index.get_level_values("as_of") == start_of(BROKE))

    @property
    def month(self) -> np.ndarray:
        return np.repeat(np.arange(FIRST, BROKE + 1), MEMBERS)

    def some(self, share: float, among: np.ndarray | None = None) -> np.ndarray:
        """Rows of the last month by chance."""
        own = self.last if among is None else among
        return own & (self.rng.random(len(own)) < share)

    def outcomes(self) -> pd.DataFrame:
        return self.features.index.to_frame(index=False).assign(bad=self.bad)

    def withhold(self, rows: np.ndarray, name: str = "behaviour") -> None:
        self.features.loc[rows, CATEGORIES[name]] = np.nan
        for category, column in MASK_COLUMNS.items():
            self.features[column] = ~rows if category == name else True

    def monitored(self, model: Any) -> MonitoringReport:
        given = {"scores": self.told, "outcomes": self.outcomes()} | self.evidence
        thresholds = Thresholds.default()
        if "rules" in given:
            thresholds = thresholds.changed({"format": 1, "rules": given.pop("rules")})
        return monitor(model, self.features, Evidence(**given), thresholds=thresholds, clock=lambda: NOW)


def as_they_are(_: Months) -> None:
    """Nothing is changed."""


@dataclass(frozen=True)
class Case:
    """``prepare`` changes both sides, ``break_it`` one; ``also`` are alerts that cannot but follow."""

    break_it: Callable[[Months], None]
    also: tuple[str, ...] = ()
    prepare: Callable[[Months], None] = as_they_are


def moved(name: str, by: float) -> Callable[[Months], None]:
    def break_it(months: Months) -> None:
        months.features.loc[months.last, name] += by

    return break_it


def creeping(months: Months) -> None:
    months.features["income"] += 0.09 * (months.month - FIRST)


def score_creeping(months: Months) -> None:
    months.told["score"] += 10.0 * (months.month - FIRST)


def higher_scores(months: Months) -> None:
    months.told.loc[months.last, "score"] += 60.0


def without_value(months: Months) -> None:
    months.features.loc[months.some(0.4), "savings"] = np.nan


def beyond_the_range(months: Months) -> None:
    months.features.loc[months.some(0.14), "swing"] = 50.0


def one_value(months: Months) -> None:
    months.features.loc[months.last, "savings"] = 0.0


def standing_still(months: Months) -> None:
    before = months.features.loc[months.month == BROKE - 1, "swing"].to_numpy()
    months.features.loc[months.last, "swing"] = before


def flagged(name: str) -> Callable[[Months], None]:
    def break_it(months: Months) -> None:
        months.told.loc[months.some(0.3), name] = True

    return break_it


def told_others(months: Months) -> None:
    months.told.loc[months.last, "score"] += 1.0


def asked(months: Months) -> None:
    at = [start_of(month) for month in range(FIRST, BROKE + 1) for _ in range(10)]
    months.evidence["refusals"] = pd.DataFrame({"as_of": pd.DatetimeIndex(at), "reason": "too_old"})


def more_refused(months: Months) -> None:
    more = pd.DataFrame({"as_of": pd.DatetimeIndex([start_of(BROKE)] * 150), "reason": "too_old"})
    months.evidence["refusals"] = pd.concat([months.evidence["refusals"], more])


def too_little(months: Months) -> None:
    empty = months.some(0.3)
    months.withhold(empty, "ability")
    months.told = months.told[~empty]


def reviewed(months: Months) -> None:
    at = pd.DatetimeIndex([start_of(BROKE)] * 100)
    months.evidence["reviews"] = pd.DataFrame({"decided_at": at, "overturned": np.arange(100) < 5})


def overturned(months: Months) -> None:
    months.evidence["reviews"]["overturned"] = np.arange(100) < 60


def turned(share: float, among: Callable[[Months], np.ndarray]) -> Callable[[Months], None]:
    """So many of some rows turned bad instead of those who did."""

    def break_it(months: Months) -> None:
        rows = among(months)
        months.bad[rows] = (months.rng.random(int(rows.sum())) < share).astype(float)

    return break_it


def best(months: Months) -> np.ndarray:
    """The best tenth of the last month."""
    return _tail(months, -1.0)


def worst(months: Months) -> np.ndarray:
    return _tail(months, 1.0)


def _tail(months: Months, way: float) -> np.ndarray:
    places = np.flatnonzero(months.last)
    order = np.argsort(-way * months.told["pd"].to_numpy()[places], kind="stable")
    rows = np.zeros(len(months.bad), dtype=bool)
    rows[places[order[: len(places) // 10]]] = True
    return rows


def halved_pd(months: Months) -> None:
    months.told["pd"] /= 2.0  # in all months: outcomes are as they were beside those before


def shuffled(months: Months) -> None:
    months.bad[months.last] = months.rng.permutation(months.bad[months.last])


def pattern(months: Months) -> None:
    withheld = months.rng.random(len(months.bad)) < 0.4
    months.withhold(withheld)
    months.told["withheld"] = np.where(withheld, "behaviour", "")


def without_behaviour(months: Months) -> np.ndarray:
    return np.asarray(months.features[CATEGORIES["behaviour"]].isna().all(axis=1)) & months.last


def said_again(share: float, other: bool) -> Callable[[Months], None]:
    def break_it(months: Months) -> None:
        whole = months.outcomes()
        again = whole[months.some(share)]
        months.evidence["outcomes"] = pd.concat([whole, again.assign(bad=1.0 - again["bad"]) if other else again])

    return break_it


def dated(months: Months) -> None:
    """Nobody's window is past; half of those who turn bad do within four months, a few by the day."""
    months.evidence["rules"] = {"outcome_days": 1_500}
    whole = months.outcomes()
    after = months.rng.integers(1, 240, len(whole))
    whole["bad_at"] = (whole["as_of"] + pd.to_timedelta(after, unit="D")).where(whole["bad"] == 1.0)
    months.evidence["outcomes"] = whole


def sooner(months: Months) -> None:
    whole = months.evidence["outcomes"]
    more = months.some(0.35) & (whole["bad"] == 0.0).to_numpy()
    whole.loc[more, "bad"] = 1.0
    whole.loc[more, "bad_at"] = start_of(BROKE) + timedelta(days=20)


CASES: dict[str, Case] = {
    "psi.income": Case(moved("income", 0.8), also=("psi.score", "psi.bands", "differs", "calibration", "auc")),
    "psi.score": Case(higher_scores, also=("psi.bands", "differs")),
    "psi.bands": Case(higher_scores, also=("psi.score", "differs")),
    "psi.patterns": Case(lambda months: months.withhold(months.some(0.5)), also=("differs",)),
    "trend.income": Case(creeping, also=("psi.income", "differs")),
    "trend.score": Case(score_creeping, also=("psi.score", "psi.bands", "differs")),
    "nulls.savings": Case(without_value, also=("psi.savings", "differs")),
    "outside.swing": Case(beyond_the_range, also=("psi.swing", "differs")),
    "constant.savings": Case(one_value, also=("psi.savings", "differs")),
    "stale.swing": Case(standing_still, also=("differs",)),
    "thin": Case(flagged("thin_file")),
    "rare": Case(flagged("rare")),
    "refused.too_old": Case(more_refused, prepare=asked),
    "refused.too_little": Case(too_little),
    "overturned": Case(overturned, prepare=reviewed),
    "differs": Case(told_others),
    "calibration": Case(halved_pd, also=("calibration.band.poor", "calibration.pattern.", "labels_discordant.best")),
    "calibration.band.fair": Case(
        turned(0.25, lambda months: months.last & (months.bands == "fair")), also=("labels_discordant.best", "auc")
    ),
    "calibration.pattern.credit_history+ability": Case(
        turned(0.6, without_behaviour), prepare=pattern,
        also=("calibration", "labels_jump", "labels_discordant.", "auc", "order."),
    ),
    "auc": Case(shuffled, also=("calibration.band.", "labels_discordant.", "order.")),
    "order.fair": Case(
        turned(0.55, lambda months: months.last & (months.bands == "fair")),
        also=("calibration", "labels_jump", "labels_discordant.best", "auc"),
    ),
    "labels_jump": Case(
        turned(0.6, lambda months: months.last & (months.bands == "poor")),
        also=("calibration", "labels_discordant.best"),
    ),
    "maturing": Case(sooner, prepare=dated),
    "labels_discordant.best": Case(turned(0.4, best), also=("calibration.band.", "order.", "auc")),
    "labels_discordant.worst": Case(turned(0.0, worst), also=("calibration", "auc")),
    "labels_conflicting": Case(said_again(0.05, other=True)),
    "labels_repeated": Case(said_again(0.2, other=False)),
}  # fmt: skip


def alarms(report: MonitoringReport) -> set[str]:
    return {alert.name for alert in report.alarms}


class Sides:
    """Months as they are, and as each preparation leaves them, monitored once."""

    def __init__(self, world: World) -> None:
        self.model = world.model
        self._months = Months.of(world)
        self._unbroken: dict[Callable[[Months], None], MonitoringReport] = {}

    def prepared(self, case: Case) -> Months:
        own = self._months
        months = replace(
            own, features=own.features.copy(), told=own.told.copy(), bad=own.bad.copy(), rng=np.random.default_rng(8),
            evidence={},
        )  # fmt: skip
        case.prepare(months)
        return months

    def unbroken(self, case: Case) -> MonitoringReport:
        if case.prepare not in self._unbroken:
            self._unbroken[case.prepare] = self.prepared(case).monitored(self.model)
        return self._unbroken[case.prepare]

    def broken(self, case: Case) -> MonitoringReport:
        months = self.prepared(case)
        case.break_it(months)
        return months.monitored(self.model)


@pytest.fixture(scope="module")
def sides(world: World) -> Sides:
    return Sides(world)


@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_alarms_in_its_month_and_little_else_does(sides: Sides, name: str) -> None:
    case = CASES[name]
    whole, broken_one = sides.unbroken(case), sides.broken(case)
    assert name not in {alert.name for alert in whole.alerts}
    found = next((alert for alert in broken_one.alarms if alert.name == name and alert.period == BEGAN), None)
    assert found is not None, sorted(alarms(broken_one))
    limit = Thresholds.default().limits[name.partition(".")[0]].alarm
    assert found.value > found.threshold == limit
    others = alarms(broken_one) - alarms(whole) - {name}
    assert {one for one in others if not one.startswith(case.also or "no other")} == set()


def kinds(names: Any) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_every_limit_has_a_case() -> None:
    assert kinds(CASES) == set(Thresholds.default().limits)


def test_every_check_of_the_page_has_a_case_and_every_case_is_on_the_page() -> None:
    table = PAGE.read_text("utf-8").partition("### What is looked for")[2].partition("\nOutcomes are looked at")[0]
    named = [
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split("|")[1])
    ]
    assert len(named) > 20
    forms = {name: re.compile(re.sub(r"<[^>]+>", ".+", name.replace(".", r"\."))) for name in named}
    without = [name for name, form in forms.items() if not any(form.fullmatch(case) for case in CASES)]
    unnamed = [case for case in CASES if not any(form.fullmatch(case) for form in forms.values())]
    assert (without, unnamed) == ([], [])
