"""How well the score does for each pattern of consent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benne.experiments.report.groups import SMALLEST_GROUP, joined
from benne.experiments.report.sample import Sample, figures_by, withheld_label
from benne.models import CreditScoreModel

__all__ = ["patterns_allowed", "patterns_used"]


def patterns_used(test: Sample) -> pd.DataFrame:
    """Figures of test rows by what they withhold, as their members chose; the most frequent first.

    Returns
    -------
    DataFrame
        The columns of :func:`benne.experiments.report.sample.figures_by`. Patterns of fewer
        than ten rows stand together, with the rarest other one where that is not yet ten.
    """
    counts = pd.Series(test.withheld).value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    frequent = int((counts >= SMALLEST_GROUP).sum())
    cell = np.minimum(np.arange(len(counts)), frequent)  # the rare ones in one cell, at the end
    group = joined(np.bincount(cell, weights=counts).astype(int).tolist())[cell]
    held = [counts.index[group == number].tolist() for number in np.unique(group)]
    names = [names[0] if len(names) == 1 else f"{len(names)} other patterns" for names in held]
    part = group[counts.index.get_indexer(pd.Index(test.withheld))]
    return figures_by(test, part, names).rename_axis("pattern")


def patterns_allowed(model: CreditScoreModel) -> pd.DataFrame:
    """Calibration of each pattern that may be scored, out of fold, on all who consent to at least that much.

    Returns
    -------
    DataFrame
        ``rows``, ``ece``, ``brier``, ``log_loss``, ``slope`` and ``intercept`` of each pattern.
    """
    names = list(model.contract_report_.shares.index)
    reports = {withheld_label([n for n in names if n not in used]): r for used, r in model.pattern_reports_.items()}
    columns = ("rows", "ece", "brier", "log_loss", "slope", "intercept")
    rows = [{column: getattr(report, column) for column in columns} for report in reports.values()]
    return pd.DataFrame(rows, index=pd.Index(list(reports), name="pattern"))
