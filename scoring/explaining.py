"""One member's score in words, let go under the same consent as the score itself."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from benne.errors import ConsentRequired, ObservationError, ReferenceUnknown
from benne.explain import MemberExplanation, about_model, explain_member
from benne.explain.reasons import Method, Reasons, reasons_of
from benne.explain.report import MemberReport
from benne.explain.texts import Language
from benne.features import registry
from benne.models import CreditScoreModel, Explanation
from benne.scoring.batch import Asked, BatchResult, score_frame
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.members.report_reading import consents_of

__all__ = ["explain_released", "explain_subject", "report_of"]


def explain_subject(
    features: pd.DataFrame,
    model: CreditScoreModel,
    ledger: ConsentLedger,
    asked: Asked,
    *,
    subject_id: str,
    as_of: datetime | None = None,
    language: Language = "en",
) -> MemberExplanation:
    """Score one member of a frame and put the score into words.

    Parameters
    ----------
    features : DataFrame, indexed by (subject_id, as_of)
    model : CreditScoreModel
    ledger : ConsentLedger
    asked : Asked
    subject_id : str
    as_of : datetime, optional
        By default the member's newest row.
    language : {'en', 'zh'}, default='en'

    Raises
    ------
    ObservationError
        If the frame has no such row.
    ConsentRequired
        If the member does not consent, or lets the recipient have less than the exact score.
    InsufficientEvidence
        If the member's file holds too little.
    """
    rows = features[features.index.get_level_values("subject_id") == subject_id]
    moments = rows.index.get_level_values("as_of")
    rows = rows[moments == (moments.max() if as_of is None else pd.Timestamp(as_of))]
    if rows.empty:
        raise ObservationError(
            "The member must be in the features at that moment, got no such row. "
            "Build their features first, with the key of these events."
        )
    result = score_frame(rows, model, ledger, asked)
    if result.scores["granularity"].iloc[0] != "exact":
        raise ConsentRequired(
            f"An explanation must rest on consent to the exact score, got {result.scores['granularity'].iloc[0]}. "
            "Ask the member; nothing was shown."
        )
    return explain_released(result, 0, rows, model, language)


def explain_released(
    result: BatchResult, row: int, features: pd.DataFrame, model: CreditScoreModel, language: Language = "en"
) -> MemberExplanation:
    """Put one row of a released result into words: exactly what was let go, nothing computed anew.

    Parameters
    ----------
    result : BatchResult
    row : int
        Which row of ``result.scores``.
    features : DataFrame
        The frame that was scored.
    model : CreditScoreModel
    language : {'en', 'zh'}, default='en'
    """
    score, points = result.scores.iloc[[row]], result.points.iloc[[row]]
    own = score.filter(regex="^points_")
    explanation = Explanation(
        base=score["base"].to_numpy(),
        points=points,
        category_points=own.set_axis([name.removeprefix("points_") for name in own.columns], axis=1),
        clipped=score["clipped"].to_numpy(),
        score=score["score"].to_numpy(),
        band=score["band"].to_numpy(dtype=np.str_),
        pd=score["pd"].to_numpy(),
        pd_low=score["pd_low"].to_numpy(),
        pd_high=score["pd_high"].to_numpy(),
        percentile=score["percentile"].to_numpy(),
        thin=score["thin_file"].to_numpy(),
        withheld=(frozenset(filter(None, str(score["withheld"].iloc[0]).split(","))),),
        rare=None if score["rare"].isna().any() else score["rare"].to_numpy(dtype=bool),
    )
    groups = registry.categories_of(model.feature_names_in_)
    values, withheld = features.loc[score.index], explanation.withheld[0]
    as_of = pd.Timestamp(score.index.get_level_values("as_of")[0]).to_pydatetime()
    about = about_model(model, withheld, language=language, as_of=as_of, reasons=_reasons(model, values, explanation))
    return explain_member(explanation, 0, values, groups, registry, about)


def _reasons(model: CreditScoreModel, values: pd.DataFrame, explanation: Explanation) -> Reasons | None:
    """Beside the average of everybody; None where too little is known of the reference sample."""
    table = values[list(explanation.points.columns)]
    try:
        found = reasons_of(model, table, explanation.withheld, method=Method("everybody"), explanation=explanation)
    except ReferenceUnknown:
        return None
    return found[0]


def report_of(
    explanation: MemberExplanation, ledger: ConsentLedger, subject_id: str, *, made_at: datetime, issuer: str
) -> MemberReport:
    """A member's report outside a service: their explanation and consents; of recipients it says nothing.

    Parameters
    ----------
    explanation : MemberExplanation
    ledger : ConsentLedger
    subject_id : str
    made_at : datetime
        With a time zone.
    issuer : str
        Who answers for it.
    """
    consents = consents_of(
        ledger.history(subject_id), lambda purpose, recipient: ledger.active(subject_id, purpose, recipient)
    )
    return MemberReport(made_at=made_at, issuer=issuer, explanation=explanation, consents=consents)
