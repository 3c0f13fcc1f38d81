"""One call of the model for all cases of a pass."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benne.errors import FeatureValueError, InsufficientEvidence
from benne.explain.reasons import KeyFactor, key_factors_of
from benne.models import Explanation
from benne.scoring.batch import unscorable
from benne.scoring.decisions.case import Case, Scored
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.decisions.telling import grants_key_factors
from benne.scoring.scorer import check_sums

__all__ = ["explained", "score_cases"]


def score_cases(cases: Sequence[Case], served: ServedModel) -> None:
    """Score every case that stands and has features; refuse those the model refuses, or whose features it lacks.

    Raises
    ------
    ModelError
        If a score does not add up; then nobody of the pass is answered.
    """
    for case in cases:
        if case.vector is not None and not served.takes(case.vector.names):
            case.refuse("features-stale")
    ready = [(case, case.vector) for case in cases if case.vector is not None]
    if not ready:
        return
    withheld = [case.withheld for case, _ in ready]
    table = served.table([vector for _, vector in ready], withheld)
    try:
        explanation = explained(served, table, withheld)
    except (InsufficientEvidence, FeatureValueError):
        reasons = unscorable(served.model, table, withheld)
        for (case, _), reason in zip(ready, reasons, strict=True):
            if reason:
                case.refuse(str(reason))
        score_cases(cases, served)
        return
    values, factors = table.to_numpy(), _key_factors([case for case, _ in ready], served, table)
    for row, (case, _) in enumerate(ready):
        case.scored = Scored(explanation, row, values[row], served, factors.get(row))


def _key_factors(cases: Sequence[Case], served: ServedModel, table: pd.DataFrame) -> dict[int, tuple[KeyFactor, ...]]:
    """Of the rows whose answers will name them; for the others nothing is computed."""
    rows = [row for row, case in enumerate(cases) if grants_key_factors(case)]
    if not rows:
        return {}
    withheld = [cases[row].withheld for row in rows]
    return dict(zip(rows, key_factors_of(served.model, table.iloc[rows], withheld), strict=True))


def explained(served: ServedModel, table: pd.DataFrame, withheld: Sequence[frozenset[str]]) -> Explanation:
    """Explain a table of a pass, and see that every score adds up.

    Raises
    ------
    InsufficientEvidence, FeatureValueError
        If a row cannot be scored.
    ExplanationError
        If a score does not add up.
    """
    explanation = served.model.explain(table, withheld=withheld)
    check_sums(explanation, len(table))
    return explanation
