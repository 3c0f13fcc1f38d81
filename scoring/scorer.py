"""Scores that rest on a consent decision, and on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import CategoryWithheld, ConsentRequired, ExplanationError, ObservationError
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import split_mask
from benne.models import SCORE_MAX, SCORE_MIN, Explanation
from benne.scoring.consent.decision import ConsentDecision
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.vocabulary import DenyReason

__all__ = ["ScoreModel", "ScoreResult", "Scorer", "check_sums"]

TOLERANCE: Final = 1e-9
"""Points by which base, points and clipping may differ from the score: rounding, not meaning."""

Withheld = Sequence[frozenset[str]]


class ScoreModel(Protocol):
    """What the scorer needs of a model; :class:`benne.models.CreditScoreModel` has it."""

    def explain(self, X: pd.DataFrame, withheld: Withheld = ...) -> Explanation: ...
    def predict_score(self, X: pd.DataFrame, withheld: Withheld = ...) -> npt.NDArray[np.float64]: ...


@dataclass(frozen=True)
class ScoreResult:
    """Scores let go under one consent decision.

    Attributes
    ----------
    decision_id : str
    scores : DataFrame, indexed by (subject_id, as_of)
        ``score`` (350–950), ``band``, ``pd`` (probability of bad), ``pd_low`` and ``pd_high`` (its
        90 % interval), ``percentile`` (per cent of the reference sample that score no higher; NaN
        where that is too small), ``thin_file`` (nothing on record in some category that entered),
        ``base``, ``clipped``, one ``points_<category>`` per category of the model, ``withheld``
        (comma-separated categories that did not enter) and ``granularity`` (the finest answer the
        recipient may get: the service gives no more, whatever stands in the other columns).
    points : DataFrame, indexed alike
        Points of every feature.
    refused : DataFrame
        ``subject_id`` and ``reason`` of members of the frame who were not scored.
    """

    decision_id: str
    scores: pd.DataFrame
    points: pd.DataFrame
    refused: pd.DataFrame

    def __repr__(self) -> str:
        """Counts only; scores stay out of logs."""
        counts = f"scored={len(self.scores)}, refused={len(self.refused)}"
        return f"ScoreResult(decision_id={self.decision_id!r}, {counts})"


class Scorer:
    """Scores members whose consent a ledger has just affirmed.

    Parameters
    ----------
    model : ScoreModel
        Such as :class:`benne.models.CreditScoreModel`.
    ledger : ConsentLedger
        Asked before anything is computed, and again in a transaction of its own right before
        scores leave: a score is never given after a withdrawal has been acknowledged.
    """

    def __init__(self, model: ScoreModel, ledger: ConsentLedger) -> None:
        self._model = model
        self._ledger = ledger

    def score(self, features: pd.DataFrame, decision: ConsentDecision) -> ScoreResult:
        """Score the members of a feature frame whom the decision permits.

        Parameters
        ----------
        features : DataFrame, indexed by (subject_id, as_of)
            As :func:`benne.features.build_features` gives it, its five consent columns included.
        decision : ConsentDecision
            From this scorer's ledger, about every member of the frame.

        Raises
        ------
        ConsentRequired
            If the decision is not this ledger's, or nobody is left who may be scored; denials
            have been recorded. While somebody is left, the others are listed as refused.
        CategoryWithheld
            If the frame has no consent columns, holds a category its member withholds, or lacks
            one the decision requires.
        ObservationError
            If the frame is not indexed by (subject_id, as_of).
        InsufficientEvidence
            From the model, if a member's file is too empty to be scored; leave such rows out.
        ExplanationError
            If a score does not add up; no score of the frame is given.
        """
        subjects = _subjects(features)
        refused = self._refused_before(subjects, decision)
        rows = features[~subjects.isin(refused)]
        self._require_any(rows, refused)
        withheld = _withheld(rows, decision)
        explanation = self._model.explain(rows, withheld=withheld)
        check_sums(explanation, len(rows))
        scores = _table(rows, explanation, withheld, decision)
        late = self._ledger.release(decision, list(dict.fromkeys(_subjects(rows))))
        stay = ~_subjects(rows).isin(late)
        self._require_any(rows[stay], refused | late)
        points = explanation.points.set_axis(rows.index, axis=0)
        return ScoreResult(decision.decision_id, scores[stay], points[stay], _refusals(refused | late))

    def _refused_before(self, subjects: pd.Index[Any], decision: ConsentDecision) -> dict[str, DenyReason]:
        members = list(dict.fromkeys(subjects))
        denied = {d.subject_id: d.reason for d in getattr(decision, "denials", ())}
        refused = self._ledger.release(decision, [m for m in members if m not in denied])
        return {m: denied[m] for m in members if m in denied} | refused

    def _require_any(self, rows: pd.DataFrame, refused: dict[str, DenyReason]) -> None:
        if len(rows) == 0:
            reasons = ", ".join(sorted(set(refused.values()))) or "an empty frame"
            raise ConsentRequired(
                f"A score must rest on active consent, got {reasons}. "
                "Ask the ledger to decide anew; no score was given."
            )


def _table(rows: pd.DataFrame, explanation: Explanation, withheld: Withheld, decision: ConsentDecision) -> pd.DataFrame:
    table = explanation.table().set_axis(rows.index, axis=0)
    table["withheld"] = [",".join(c for c in CATEGORIES if c in one) for one in withheld]
    table["granularity"] = [decision.permissions[s].granularity for s in _subjects(rows)]
    return table


def _subjects(features: pd.DataFrame) -> pd.Index[Any]:
    if list(features.index.names) != ["subject_id", "as_of"]:
        raise ObservationError("A feature frame must be indexed by (subject_id, as_of). Use build_features().")
    return features.index.get_level_values("subject_id")


def _withheld(rows: pd.DataFrame, decision: ConsentDecision) -> list[frozenset[str]]:
    """What does not enter each row: what the decision withholds, or was never computed."""
    _, mask = split_mask(rows)
    if mask is None:
        raise CategoryWithheld("A frame must carry its five consent columns, got none. Use build_features().")
    computed = mask.to_numpy(dtype=bool)
    permitted = np.array([[c not in one for c in CATEGORIES] for one in decision.withheld(_subjects(rows))])
    required = np.array([c in decision.required for c in CATEGORIES])
    _refuse_rows(
        computed & ~permitted,
        "A frame must hold no category its member withholds",
        "Build the features again from the ledger's mask.",
    )
    _refuse_rows(
        permitted & ~computed & required,
        "A frame must hold every category the decision requires",
        "Decide with the as_of of the features.",
    )
    names = np.array(CATEGORIES, dtype=object)
    return [frozenset(names[~row]) for row in computed]


def _refuse_rows(wrong: npt.NDArray[np.bool_], must: str, instead: str) -> None:
    rows = int(wrong.any(axis=1).sum())
    if rows:
        names = ", ".join(CATEGORIES[c] for c in np.flatnonzero(wrong.any(axis=0)))
        raise CategoryWithheld(f"{must}, and {names} breaks this in {rows} rows. {instead}")


def check_sums(explanation: Explanation, rows: int) -> None:
    """Refuse to go on where base, points and clipping do not add up to scores on the scale.

    Raises
    ------
    ExplanationError
    """
    score = explanation.score
    totals = (
        explanation.base + part.to_numpy().sum(axis=1) + explanation.clipped
        for part in (explanation.points, explanation.category_points)
    )
    # Written so that NaN fails as well.
    adds_up = score.shape == (rows,) and all((np.abs(total - score) <= TOLERANCE).all() for total in totals)
    if not adds_up or not ((score >= SCORE_MIN) & (score <= SCORE_MAX)).all():
        raise ExplanationError(
            f"Base, points and clipping must add up to a score of {SCORE_MIN:.0f} to {SCORE_MAX:.0f} within "
            f"{TOLERANCE:g}, and did not. No score was given; check the model's directory."
        )


def _refusals(refused: dict[str, DenyReason]) -> pd.DataFrame:
    return pd.DataFrame({"subject_id": list(refused), "reason": list(refused.values())}, dtype="str")
