"""A whole feature frame scored at once, whatever moments and members it holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import ConsentRequired, ObservationError
from benne.features.categories import CATEGORIES
from benne.models import withheld_of
from benne.scoring.batch.asked import Asked
from benne.scoring.batch.currency import CHANGED, changed_since_built
from benne.scoring.batch.emptiness import refuse_all
from benne.scoring.batch.permitted import as_permitted
from benne.scoring.batch.unscorable import unscorable
from benne.scoring.consent.decision import ConsentDecision
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.scorer import ScoreModel, Scorer, ScoreResult

__all__ = ["BatchResult", "score_frame"]


@dataclass(frozen=True, repr=False)
class BatchResult:
    """Scores of a frame, and who has none.

    Parameters
    ----------
    scores : DataFrame, indexed by (subject_id, as_of)
        As in :class:`benne.scoring.ScoreResult`, in the order of the frame.
    points : DataFrame, indexed alike
    refused : DataFrame
        ``subject_id``, ``as_of`` and ``reason`` of each row without a score.
    """

    scores: pd.DataFrame
    points: pd.DataFrame
    refused: pd.DataFrame

    def __repr__(self) -> str:
        """Counts only; members' ids and scores stay out of logs."""
        return f"BatchResult(scored={len(self.scores)}, refused={len(self.refused)})"

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows have no score, by reason."""
        counts = self.refused["reason"].value_counts()
        return {str(reason): int(count) for reason, count in counts.items()}

    def as_permitted(self) -> pd.DataFrame:
        """The scores cut down to the finest answer each member lets the recipient have.

        ``exact`` keeps all, ``band`` the band, ``threshold`` nothing: a comparison is made where
        the threshold is.
        """
        return as_permitted(self.scores)


def score_frame(features: pd.DataFrame, model: ScoreModel, ledger: ConsentLedger, asked: Asked) -> BatchResult:
    """Decide and score moment by moment; a row that cannot be scored does not hold up the others.

    Parameters
    ----------
    features : DataFrame, indexed by (subject_id, as_of)
        From :func:`benne.features.build_features`.
    model : ScoreModel
    ledger : ConsentLedger
    asked : Asked

    Returns
    -------
    BatchResult

    Raises
    ------
    ObservationError
        If the index does not say once, with subject and moment, what each row is about.
    ConsentRequired
        If nobody may be scored; every denial has been recorded.
    InsufficientEvidence
        If somebody may be, and nobody's file holds enough.
    """
    _check_index(features)
    parts, refused = [], []
    for as_of, rows in features.groupby(level="as_of", sort=True):
        result, without = _score_moment(rows, pd.Timestamp(str(as_of)), model, ledger, asked)
        parts += [] if result is None else [result]
        refused.append(without)
    table = (
        pd.concat(refused, ignore_index=True) if refused else pd.DataFrame(columns=["subject_id", "as_of", "reason"])
    )
    if not parts:
        refuse_all(set(table["reason"]))
    scores = pd.concat([part.scores for part in parts])
    order = features.index[features.index.isin(scores.index)]
    points = pd.concat([part.points for part in parts]).reindex(order)
    return BatchResult(scores.reindex(order), points, table)


def _check_index(features: pd.DataFrame) -> None:
    """A row that grouping by moment would lose, or that has a twin, is refused before anything is decided."""
    index = features.index
    if list(index.names) != ["subject_id", "as_of"]:
        raise ObservationError(
            "Features must be indexed by subject_id and as_of, got another index. Take them from build_features."
        )
    moments = index.get_level_values("as_of")
    if not isinstance(moments.dtype, pd.DatetimeTZDtype):
        raise ObservationError(f"as_of must be timezone-aware timestamps, got {moments.dtype}. Localize to UTC.")
    empty, twice = int(np.sum(moments.isna())), int(np.sum(index.duplicated()))
    if empty:
        raise ObservationError(f"as_of must never be null, got {empty} row(s) without a moment. Drop those rows.")
    if twice:
        raise ObservationError(f"Features must hold each observation once, got {twice} repeated row(s). Drop them.")


def _score_moment(
    rows: pd.DataFrame, as_of: pd.Timestamp, model: ScoreModel, ledger: ConsentLedger, asked: Asked
) -> tuple[ScoreResult | None, pd.DataFrame]:
    subjects = rows.index.get_level_values("subject_id")
    decision = ledger.decide(
        subjects, purpose=asked.purpose, recipient=asked.recipient, actor=asked.actor, as_of=as_of.to_pydatetime()
    )
    without = _without_score(rows, model, decision)
    keep = without[subjects].to_numpy() == ""
    result = None
    if keep.any():
        try:
            result = Scorer(model, ledger).score(rows[keep], decision)
        except ConsentRequired:  # everybody left withdrew in between; each is on record
            without[subjects[keep]] = "consent-withdrawn"
    if result is not None:
        late = result.refused.set_index("subject_id")["reason"]
        without[late.index] = late
    names = without[without != ""]
    return result, pd.DataFrame({"subject_id": names.index, "as_of": as_of, "reason": names.to_numpy()})


def _without_score(rows: pd.DataFrame, model: ScoreModel, decision: ConsentDecision) -> pd.Series[str]:
    """Reason of each member of one moment, '' where there is none."""
    subjects = rows.index.get_level_values("subject_id")
    denied: dict[str, str] = {denial.subject_id: denial.reason for denial in decision.denials}
    reasons = np.array([denied.get(subject, "") for subject in subjects], dtype=object)
    left = np.flatnonzero(reasons == "")
    reasons[left] = _changed_since_built(rows.iloc[left], decision)
    left = np.flatnonzero(reasons == "")
    reasons[left] = unscorable(model, rows.iloc[left], withheld_of(rows.iloc[left]))
    return pd.Series(reasons, index=subjects)


def _changed_since_built(rows: pd.DataFrame, decision: ConsentDecision) -> npt.NDArray[np.object_]:
    computed = np.array([[c not in one for c in CATEGORIES] for one in withheld_of(rows)], dtype=bool)
    withheld = decision.withheld(rows.index.get_level_values("subject_id"))
    permitted = np.array([[c not in one for c in CATEGORIES] for one in withheld], dtype=bool)
    required = np.array([c in decision.required for c in CATEGORIES])
    shape = (len(rows), len(CATEGORIES))
    stale = changed_since_built(computed.reshape(shape), permitted.reshape(shape), required)
    return np.where(stale, CHANGED, "").astype(object)
