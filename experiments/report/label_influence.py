"""Labels that the score itself influenced: how many, where, and what figures are without them.

Whoever was given credit because of a score, or was refused it, turned out as they did under that decision. A model
that learns from such labels learns partly what the earlier score did. That cannot be undone here; it is counted and
shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.experiments.measure import Measure
from benne.experiments.report.groups import SMALLEST_GROUP, joined, joined_labels
from benne.experiments.report.sample import Sample, figures_by, sample_of
from benne.models.calibration import wilson_interval

if TYPE_CHECKING:
    from benne.experiments.labelling import LabelledRows
    from benne.experiments.training import TrainingRun

__all__ = ["LabelInfluence", "influence_measures", "influence_of"]

Floats = npt.NDArray[np.float64]

_UNKNOWN_AT_MOST: Final = 0.05
"""Share of rows of which it may be unknown whether the score influenced them, before nothing is said of the whole."""

_PARTS: Final = ("not influenced", "influenced", "not known")


@dataclass(frozen=True)
class LabelInfluence:
    """What is known of the score's influence on the labels of a training run.

    Parameters
    ----------
    rows : int
        Training and test rows.
    known : int
        Of these, rows of which it is known whether the score influenced them.
    influenced : int
        Of these, rows that it did.
    offered, without_outcome, refused_by_score : int or None
        Rows that had the consents to train before outcomes were joined; those of them whose outcome is not known; and
        those of them whose outcome is not known because the score refused them. None where nobody counted.
    parts : DataFrame
        Figures on test rows: all, and those ``not influenced``, ``influenced``, ``not known``; parts of fewer than
        ten rows are left out.
    by_band : DataFrame
        Per band of the score on test rows: ``rows``, and the share ``influenced`` of those of which it is known.
    """

    rows: int
    known: int
    influenced: int
    offered: int | None
    without_outcome: int | None
    refused_by_score: int | None
    parts: pd.DataFrame = field(repr=False)
    by_band: pd.DataFrame = field(repr=False)

    @property
    def notes(self) -> list[str]:
        """What must be said beside the figures."""
        said = []
        if not self.known:
            said.append("Whether the score influenced these labels is not known: outcomes carry no score_influenced.")
        elif self.influenced:
            said.append(
                "Some outcomes came about under decisions that an earlier score made: the model learns partly what "
                "that score did. Compare the figures with and without them."
            )
        if self.refused_by_score:
            said.append(
                "Members whom an earlier score refused have no outcome: nothing here says how they would have done "
                "(selective labels)."
            )
        elif self.without_outcome and not self.known:
            said.append("Some rows have no outcome; if the score refused them, labels are selective.")
        return said


def influence_of(run: TrainingRun) -> LabelInfluence:
    """Count what the score influenced among the rows of a training run.

    Parameters
    ----------
    run : TrainingRun

    Raises
    ------
    LabelError
        If fewer than ten test rows can be scored, or all became the same.
    """
    sides: list[LabelledRows] = [run.train, run.test]
    flags = np.concatenate([_flags(rows) for rows in sides])
    known = ~np.isnan(flags)
    sample, tested = sample_of(run.model, run.test), _flags(run.test)
    labels = run.train.labels
    return LabelInfluence(
        rows=len(flags),
        known=int(known.sum()),
        influenced=int(np.nansum(flags)),
        offered=None if labels is None else labels.offered,
        without_outcome=None if labels is None else labels.without_outcome,
        refused_by_score=None if labels is None else labels.refused_by_score,
        parts=_parts(sample, tested),
        by_band=_by_band(sample, tested),
    )


def influence_measures(influence: LabelInfluence) -> dict[str, Measure]:
    """Figures that gates ask for: ``influenced_share`` and ``unobserved_share``.

    Examples
    --------
    >>> nobody_asked = LabelInfluence(100, 0, 0, 120, 20, None, pd.DataFrame(), pd.DataFrame())
    >>> influence_measures(nobody_asked)["influenced_share"].state
    'INSUFFICIENT'
    >>> influence_measures(nobody_asked)["unobserved_share"].value
    0.16666666666666666
    """
    unknown = 1.0 - influence.known / influence.rows if influence.rows else 1.0
    if unknown > _UNKNOWN_AT_MOST:
        influenced = Measure(value=None, n=influence.known, note="not known of more than one row in twenty")
    else:
        influenced = _share(influence.influenced, influence.known, "of the labels, training and test")
    if influence.offered and influence.without_outcome is not None:
        unobserved = _share(influence.without_outcome, influence.offered, "of the rows that may train have no outcome")
    else:
        unobserved = Measure(value=None, n=0, note="nobody counted rows without an outcome")
    return {"influenced_share": influenced, "unobserved_share": unobserved}


def _flags(rows: LabelledRows) -> Floats:
    return np.full(len(rows.bad), np.nan) if rows.influenced is None else rows.influenced


def _share(of: int, n: int, note: str) -> Measure:
    low, high = wilson_interval(np.array([float(of)]), np.array([float(n)]))
    return Measure(value=of / n, low=float(low[0]), high=float(high[0]), n=n, note=note)


def _parts(sample: Sample, flags: Floats) -> pd.DataFrame:
    part = np.where(np.isnan(flags), 2, flags).astype(np.intp)
    counts = np.bincount(part, minlength=len(_PARTS))
    everybody = figures_by(sample, np.zeros(len(flags), dtype=np.intp), ["all test rows"])
    small = [name for name, n in zip(_PARTS, counts, strict=True) if 0 < n < SMALLEST_GROUP]
    shown = [place for place, n in enumerate(counts) if n >= SMALLEST_GROUP]
    if small or len(shown) < 2:  # a part and the whole would tell the small rest
        return everybody.rename_axis("rows of the test")
    position = np.searchsorted(np.array(shown), part)
    return pd.concat([everybody, figures_by(sample, position, [_PARTS[k] for k in shown])]).rename_axis(
        "rows of the test"
    )


def _by_band(sample: Sample, flags: Floats) -> pd.DataFrame:
    """Bands of fewer than ten rows of which it is known join their neighbours; no line where nothing is known."""
    known = ~np.isnan(flags)
    if known.sum() < SMALLEST_GROUP:
        return pd.DataFrame(columns=["rows", "influenced"]).rename_axis("band")
    names = [band.name for band in sample.model.scale_.bands]
    place = np.array([names.index(str(band)) for band in sample.model.scale_.band(sample.score)])
    group = joined(np.bincount(place[known], minlength=len(names)).tolist())
    inside = group[place]
    counts = pd.DataFrame({"known": known, "flag": np.nan_to_num(flags)}).groupby(inside).sum()
    table: dict[str, Any] = {"rows": counts["known"].astype(int), "influenced": counts["flag"] / counts["known"]}
    labels = joined_labels(names, group)
    return pd.DataFrame(table).set_axis([labels[k] for k in counts.index], axis=0).rename_axis("band")
