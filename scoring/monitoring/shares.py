"""Shares by period: bands, patterns of consent, thin and rare files, refusals by reason, overturned decisions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import MonitoringError
from benne.features.quality.cells import Share, hide_small
from benne.features.quality.drift import Bins
from benne.models import CreditScoreModel
from benne.models.rarity import MOST_OF_TRAINING
from benne.models.reference_histograms import ReferenceHistograms
from benne.scoring.monitoring.chance import as_many_by_chance, index_by_chance, shares_differ, stability
from benne.scoring.monitoring.judging import Judge
from benne.scoring.monitoring.observed import Observed, Period, period_labels

__all__ = [
    "FEWEST",
    "NAMELESS",
    "check_flags",
    "check_refusals",
    "check_reviews",
    "check_shares",
    "pattern_names",
    "reference_patterns",
    "share_shown",
]

Floats = npt.NDArray[np.float64]

FEWEST: Final = 10
"""Rows that a figure rests on at least."""

NAMELESS: Final = "others"
"""What the reference counts together because it is few."""

_FEWEST_REVIEWS: Final = 30


def pattern_names(model: CreditScoreModel, seen: Observed) -> npt.NDArray[np.object_]:
    """The categories that each row lets be used, as text, shape (n,); empty without a score.

    The reference has no row that could not be scored: beside it, whoever withholds what a score needs would look like
    a shift, in every period.
    """
    names = np.array(model.layout.names, dtype=object)
    unique, place = np.unique(seen.consented, axis=0, return_inverse=True)
    texts = [_text(names[row]) for row in unique]
    return np.where(np.isfinite(seen.score), np.array(texts, dtype=object)[place.ravel()], "")


def reference_patterns(kept: ReferenceHistograms, order: Sequence[str]) -> dict[Hashable, int | None]:
    """The reference's patterns by the same texts."""
    return {_text([name for name in order if name in used]): count for used, count in kept.patterns.items()}


def check_shares(
    name: str, of_row: npt.NDArray[np.object_], reference: Mapping[Any, int | None],
    seen: Observed, kept: ReferenceHistograms, judge: Judge,
) -> list[dict[str, Any]]:  # fmt: skip
    """Compare the shares of bands, or of patterns, with the reference's.

    Parameters
    ----------
    name : str
        ``bands`` or ``patterns``.
    of_row : ndarray of str, shape (n,)
        Of each row; empty where it has none.
    reference : mapping of str to int or None
        None counts among the others.
    seen : Observed
    kept : ReferenceHistograms
    judge : Judge

    Returns
    -------
    list of dict
        One line a period: ``period``, ``rows``, ``psi``, ``psi_by_chance`` and the share of each; None where a cell is
        of fewer than ten.
    """
    known = [key for key, count in reference.items() if count]
    told = [reference[key] or 0 for key in known]
    whole = Bins((), (*told, kept.rows - sum(told)), 0)
    lines = []
    for k, period in enumerate(seen.periods):
        own = of_row[seen.rows_of(k)]
        own = own[own != ""]
        counts = [int((own == key).sum()) for key in known]
        current = Bins((), (*counts, len(own) - sum(counts)), 0)
        psi, chance, freedom = stability(whole, current, kept.rows_per_member, seen.repeats_of(k))
        if len(own) >= judge.fewest and psi > index_by_chance(chance, freedom, judge.thresholds.rules.significance, 1):
            judge.tell("psi", name, psi, period, f"Shares of {name} have shifted: PSI {psi:.3f} in {period}.")
        enough = len(own) >= FEWEST
        shown = hide_small(current.counts, FEWEST) if enough else (None,) * len(current.counts)
        shares = {of: None if n is None else n / len(own) for of, n in zip([*known, NAMELESS], shown, strict=True)}
        lines.append({
            "period": period, "rows": len(own) if enough else 0, "psi": psi if enough else None,
            "psi_by_chance": chance if enough else None, **shares,
        })  # fmt: skip
    return lines


def check_flags(seen: Observed, kept: ReferenceHistograms, judge: Judge) -> list[dict[str, Any]]:
    """Shares of rows without a score, of thin and of rare ones, and of told scores that are not the model's."""
    lines = []
    for k, period in enumerate(seen.periods):
        rows = seen.rows_of(k)
        scored = np.isfinite(seen.score[rows])
        line: dict[str, Any] = {"period": period, "rows": len(scored) if len(scored) >= FEWEST else 0}
        line["scored"] = share_shown(int(scored.sum()), len(scored))
        _unscored(seen, k, judge)
        for name, values in (("thin", seen.thin), ("rare", seen.rare), ("differs", seen.differs)):
            told = None if values is None else values[rows][np.isfinite(values[rows])]
            line[name] = None if told is None else share_shown(int(told.sum()), len(told))
            if told is not None and len(told) >= judge.fewest:
                _flag(name, told, period, kept, judge)
        lines.append(line)
    return lines


def _unscored(seen: Observed, k: int, judge: Judge) -> None:
    """Files with too little on record for a score, against the periods before."""
    empty, earlier = seen.empty[seen.rows_of(k)], seen.empty[: seen.starts[k]]
    if min(len(empty), len(earlier)) >= judge.fewest:
        now, then = float(empty.mean()), float(earlier.mean())
        if shares_differ((float(empty.sum()), len(empty)), (float(earlier.sum()), len(earlier)), judge.bound(1)):
            said = f"{100 * now:.1f} % of files hold too little in {seen.periods[k]}, {100 * then:.1f} % before."
            judge.tell("refused", "too_little", now - then, seen.periods[k], said)


def _flag(name: str, told: Floats, period: str, kept: ReferenceHistograms, judge: Judge) -> None:
    share, now = float(told.mean()), (float(told.sum()), float(len(told)))
    if name == "thin" and kept.thin is not None:
        then, members = kept.thin / kept.rows, float(kept.members)
        if shares_differ(now, (then * members, members), judge.bound(1)):
            said = f"{100 * share:.1f} % of files are thin in {period}, {100 * then:.1f} % before."
            judge.tell("thin", "", share - then, period, said)
    if name == "rare" and as_many_by_chance(now[0], len(told), MOST_OF_TRAINING) < judge.significance(1):
        judge.tell("rare", "", share, period, f"{100 * share:.1f} % of files are unlike the training's in {period}.")
    if name == "differs":
        said = f"{100 * share:.1f} % of the told scores looked at are not the model's in {period}."
        judge.tell("differs", "", share, period, said)


def check_refusals(refusals: pd.DataFrame, seen: Observed, period: Period, judge: Judge) -> list[dict[str, Any]]:
    """Share refused for each reason by period, against the periods before.

    Parameters
    ----------
    refusals : DataFrame
        As ``benne score --refused`` writes them: ``as_of`` and ``reason``, a row for each.
    seen : Observed
        Of those who were not refused.
    period : {"day", "week", "month", "quarter"}
    judge : Judge
    """
    moments, reasons = _columns(refusals, ("as_of", "reason"), "Refusals")
    labels, reason = period_labels(pd.DatetimeIndex(moments), period).astype(str), reasons.astype(str).to_numpy()
    lines, before = [], dict.fromkeys(sorted(set(reason.tolist())), 0)
    asked_before = 0
    for k, name in enumerate(seen.periods):
        own = reason[labels == name]
        asked = len(own) + int(np.isfinite(seen.score[seen.rows_of(k)]).sum())
        counts = {why: int((own == why).sum()) for why in before}
        enough = asked >= FEWEST
        shown = {why: share_shown(n, asked) for why, n in counts.items()}
        lines.append({"period": name, "asked": asked if enough else 0, **shown})
        for why, n in counts.items():
            if min(asked, asked_before) >= judge.fewest:
                then = (float(before[why]), float(asked_before))
                if shares_differ((float(n), float(asked)), then, judge.bound(len(before))):
                    said = f"{why} refused {100 * n / asked:.1f} % in {name}, {100 * then[0] / then[1]:.1f} % before."
                    judge.tell("refused", why, n / asked - then[0] / then[1], name, said)
            before[why] += n
        asked_before += asked
    return lines


def check_reviews(reviews: pd.DataFrame, period: Period, judge: Judge) -> list[dict[str, Any]]:
    """Share of reviews that changed a decision, by the period in which they were decided.

    Parameters
    ----------
    reviews : DataFrame
        ``decided_at`` and ``overturned``, a row for each.
    period : {"day", "week", "month", "quarter"}
    judge : Judge
    """
    moments, overturned = _columns(reviews, ("decided_at", "overturned"), "Reviews")
    labels, changed = (
        period_labels(pd.DatetimeIndex(moments), period).astype(str),
        overturned.to_numpy(dtype=np.float64),
    )
    lines = []
    for name in sorted(set(labels.tolist())):
        own = changed[labels == name]
        share = float(own.mean())
        decided = len(own) if len(own) >= FEWEST else 0
        lines.append({"period": name, "decided": decided, "overturned": share_shown(int(own.sum()), len(own))})
        if len(own) >= _FEWEST_REVIEWS:
            judge.tell("overturned", "", share, name, f"{100 * share:.0f} % of {len(own)} reviews changed a decision.")
    return lines


def _columns(frame: pd.DataFrame, names: tuple[str, str], what: str) -> tuple[Any, Any]:
    frame = frame.reset_index() if set(names) - set(frame.columns) else frame
    missing = [name for name in names if name not in frame]
    if missing or getattr(frame[names[0]].dtype, "tz", None) is None:
        raise MonitoringError(
            f"{what} must have the columns {' and '.join(names)}, the first with a time zone, got "
            f"{f'no {missing[0]}' if missing else 'none'}. Add it."
        )
    return frame[names[0]], frame[names[1]]


def share_shown(part: int, whole: int) -> float | None:
    """A share, unless it, what is left, or the whole is of fewer than ten."""
    return None if whole < FEWEST else Share.of(part, whole, FEWEST).shown


def _text(names: Sequence[str] | npt.NDArray[np.object_]) -> str:
    return "+".join(names)
