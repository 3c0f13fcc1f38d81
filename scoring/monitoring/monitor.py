"""Monitoring of a model over periods: what came in, what was said, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from benne.models import CreditScoreModel
from benne.models.reference_histograms import ReferenceHistograms
from benne.scoring.monitoring.alerts import Alert
from benne.scoring.monitoring.curves import ageing, curve_lines
from benne.scoring.monitoring.data_checks import check_features, check_score
from benne.scoring.monitoring.feature_periods import FeaturePeriods, features_by_period, scores_by_period
from benne.scoring.monitoring.group_vintages import GroupVintages, check_calibration, check_order
from benne.scoring.monitoring.judging import Judge
from benne.scoring.monitoring.observed import Observed, Period, observed
from benne.scoring.monitoring.outcomes import Matured, check_labels, matured
from benne.scoring.monitoring.report import MonitoringReport
from benne.scoring.monitoring.shares import (
    FEWEST,
    check_flags,
    check_refusals,
    check_reviews,
    check_shares,
    pattern_names,
    reference_patterns,
    share_shown,
)
from benne.scoring.monitoring.thresholds import Thresholds
from benne.scoring.monitoring.vintages import vintage_lines

__all__ = ["Evidence", "monitor"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What else is known beside the features; each may be absent.

    Parameters
    ----------
    scores : DataFrame, optional
        What was told: see :func:`benne.scoring.monitoring.observed.observed`. Without it the model scores anew.
    outcomes : DataFrame, optional
        ``subject_id``, ``as_of``, ``bad``, perhaps ``bad_at``: see :func:`benne.scoring.monitoring.outcomes.matured`.
    refusals : DataFrame, optional
        ``as_of``, ``reason``.
    reviews : DataFrame, optional
        ``decided_at``, ``overturned``.
    """

    scores: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    refusals: pd.DataFrame | None = None
    reviews: pd.DataFrame | None = None


def monitor(
    model: CreditScoreModel, features: pd.DataFrame, evidence: Evidence | None = None, *,
    thresholds: Thresholds | None = None, period: Period = "month", clock: Callable[[], datetime],
) -> MonitoringReport:  # fmt: skip
    """Compare each period with what the model learned from, and what it said with what happened.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, indexed by (subject_id, as_of)
        As ``build_features`` returns them.
    evidence : Evidence, optional
    thresholds : Thresholds, optional
        By default those of ``default.toml``.
    period : {"day", "week", "month", "quarter"}, default="month"
    clock : callable returning datetime
        With a time zone: which outcomes have matured depends on it.

    Raises
    ------
    ReferenceMismatch
        If the features are of another model.
    ReferenceUnknown
        If the model was saved before it kept histograms.
    MonitoringError
        If rows, scores, outcomes, refusals or reviews are not as they must be.
    """
    given, now = evidence or Evidence(), clock()
    judge = Judge(thresholds or Thresholds.default())
    seen, kept = observed(model, features, given.scores, period), model.histograms_
    counted, score = features_by_period(seen, kept), scores_by_period(seen, kept)
    check_features(counted, kept, seen.periods, judge)
    check_score(score, seen.periods, judge, len(counted) + 1)
    bands, patterns = _bands(model, seen), pattern_names(model, seen)
    tables = {
        "features": _lines(counted, seen.periods, "feature"),
        "scores": _lines([score], seen.periods, "of"),
        "bands": check_shares("bands", bands, kept.bands, seen, kept, judge),
        "patterns": check_shares("patterns", patterns, reference_patterns(kept, model.layout.names), seen, kept, judge),
        "files": check_flags(seen, kept, judge),
    }
    if given.refusals is not None:
        tables["refusals"] = check_refusals(given.refusals, seen, period, judge)
    if given.reviews is not None:
        tables["reviews"] = check_reviews(given.reviews, period, judge)
    state, said = _outcomes(model, given.outcomes, seen, (bands, patterns), now, judge, tables)
    return MonitoringReport(
        made_at=now, periods=seen.periods, tables=tables, alerts=_ordered(judge.alerts),
        notes=(*_notes(seen, kept, judge), *said), outcomes=state, rows=len(seen.features),
    )  # fmt: skip


def _outcomes(
    model: CreditScoreModel, outcomes: pd.DataFrame | None, seen: Observed, of_rows: tuple[Any, Any], now: datetime,
    judge: Judge, tables: dict[str, list[dict[str, Any]]],
) -> tuple[str | None, list[str]]:  # fmt: skip
    """Add the tables that outcomes give; returns whether there were enough, and what to say of them."""
    if outcomes is None:
        return None, []
    found, rules = matured(outcomes, seen, now, judge), judge.thresholds.rules
    check_labels(found, seen.periods, judge)
    said, aged = list(_left_out(found)), ageing(found, seen, now, rules)
    if aged is not None:
        tables["vintage_curves"] = curve_lines(aged, seen, judge)
    if not found.enough:
        return "INSUFFICIENT", [
            *said,
            "No outcomes, or outcomes of one kind alone, have matured: nothing is said of them.",
        ]
    order, bad = [band.name for band in model.scale_.bands], _of_told_periods(found.bad, seen)
    tables["vintages"] = vintage_lines(seen, found.bad, model.scale_, _reference_auc(model), judge)
    names = sorted({str(name) for name in of_rows[1].tolist()} - {""})
    for kind, of_row, groups in (("band", of_rows[0], order), ("pattern", of_rows[1], names)):
        counted = GroupVintages.of(kind, of_row, groups, seen, bad)
        tables[f"outcomes_by_{kind}"] = counted.pooled()
        tables[f"outcomes_by_{kind}_and_period"] = counted.by_period()
        check_calibration(counted, judge)
        if kind == "band":
            check_order(counted, judge)
    return "measured", said


def _left_out(found: Matured) -> Iterator[str]:
    for count, what in (
        (found.early, "outcomes were left out: their window and lag are not past"),
        (found.censored, "rows have no outcome"),
        (found.conflicting, "rows have both outcomes, and neither was counted"),
        (found.unmatched, "outcomes are of no monitored row"),
    ):
        if count:
            yield f"{_few(count)} {what}."


def _of_told_periods(bad: Any, seen: Observed) -> Any:
    """Without outcomes of periods of which so few have matured that nothing is told: the rest would give them away."""
    counts = np.bincount(seen.period_of_row[np.isfinite(bad)], minlength=len(seen.periods))
    return np.where(counts[seen.period_of_row] < FEWEST, np.nan, bad)


def _bands(model: CreditScoreModel, seen: Observed) -> Any:
    scored = np.isfinite(seen.score)
    found = np.full(len(scored), "", dtype=object)
    found[scored] = model.scale_.band(seen.score[scored])
    return found


def _reference_auc(model: CreditScoreModel) -> float | None:
    found = float(model.contract_report_.price["auc"].to_dict()["contracted"])
    return found if np.isfinite(found) else None


def _lines(found: Sequence[FeaturePeriods], periods: Sequence[str], what: str) -> list[dict[str, Any]]:
    return [
        {what: one.name, "period": period, **_line(one, k)} for one in found for k, period in enumerate(periods)
    ]  # fmt: skip


def _line(one: FeaturePeriods, k: int) -> dict[str, Any]:
    """Figures of ten rows or more; shares of fewer than ten are null."""
    rows = int(one.rows[k])
    if rows < FEWEST:
        return {"rows": 0, "psi": None, "psi_by_chance": None, "nulls": None, "outside": None, "unchanged": None}
    enough = one.pairs[k] >= FEWEST
    return {
        "rows": rows, "psi": float(one.psi[k]), "psi_by_chance": float(one.by_chance[k]),
        "nulls": share_shown(int(one.nulls[k]), rows), "outside": share_shown(int(one.outside[k]), rows),
        "place": float(one.place[k]), "unchanged": float(one.unchanged[k]) if enough else None,
    }  # fmt: skip


def _few(count: int) -> str:
    return "Fewer than ten" if count < FEWEST else f"{count:,}"


def _notes(seen: Observed, kept: ReferenceHistograms, judge: Judge) -> Iterator[str]:
    small = [period for k, period in enumerate(seen.periods) if np.diff(seen.starts)[k] < judge.fewest]
    if small:
        yield f"Periods of fewer than {judge.fewest} rows are shown and not judged: {', '.join(small)}."
    unscored = int((~np.isfinite(seen.score)).sum())
    if unscored:
        yield f"{_few(unscored)} rows have no score, or none that may be seen."
    if len(seen.periods) < judge.thresholds.rules.trend_periods:
        yield "Trends are looked for over more periods than there are."
    yield f"Compared with {kept.rows:,} training rows of {kept.members:,} members."


def _ordered(alerts: list[Alert]) -> tuple[Alert, ...]:
    return tuple(sorted(alerts, key=lambda alert: (alert.severity, alert.period, alert.name)))
