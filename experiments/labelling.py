"""Which feature rows may train, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import ConsentRequired, LabelError
from benne.features.categories import CATEGORIES
from benne.features.frames import FeatureFile
from benne.models import withheld_of
from benne.models.consent_patterns import NEVER_WITHHELD
from benne.models.labels import read_sample_weight
from benne.scoring import ConsentLedger

__all__ = ["INFLUENCED", "LabelSource", "LabelledRows", "label_rows", "require_training_consent", "still_consented"]

Floats = npt.NDArray[np.float64]
_PURPOSE: Final = "model_training"
_NO_CONSENT: Final = "no consent to training"
_NOT_KNOWN: Final = "outcome not known"
_ENDED: Final = "consent to training has ended"


INFLUENCED: Final = "score_influenced"
"""Column of outcomes that says whether an earlier score had a hand in them: true, false, or null where not known."""


@dataclass(frozen=True)
class LabelSource:
    """What became of the rows that had the consents to train, when outcomes were joined.

    Parameters
    ----------
    offered : int
    without_outcome : int
        Of these, rows whose outcome is not known.
    refused_by_score : int or None
        Of these, rows without one because of the score; None where outcomes do not say.
    """

    offered: int
    without_outcome: int
    refused_by_score: int | None


@dataclass(frozen=True)
class LabelledRows:
    """Feature rows that may train, with what became of them.

    Parameters
    ----------
    features : DataFrame, shape (n, features + 5)
        Indexed by (``subject_id``, ``as_of``).
    bad : ndarray of float64, shape (n,)
    left_out : dict of str to int
        Rows that may not train, by reason.
    weight : ndarray of float64, shape (n,), or None
        How many observations of the population a row stands for.
    influenced : ndarray of float64, shape (n,), or None
        1 where an earlier score had a hand in the outcome, 0 where it had none, NaN where that is not known.
    labels : LabelSource or None
        Of all rows before they were divided.
    """

    features: pd.DataFrame = field(repr=False)
    bad: Floats = field(repr=False)
    left_out: dict[str, int]
    weight: Floats | None = field(default=None, repr=False)
    influenced: Floats | None = field(default=None, repr=False)
    labels: LabelSource | None = field(default=None, repr=False)

    def part(self, chosen: npt.NDArray[Any], left_out: Mapping[str, int]) -> LabelledRows:
        """Some of the rows, by position or by flag."""
        weight, influenced = (None if of is None else of[chosen] for of in (self.weight, self.influenced))
        features, bad = self.features.iloc[chosen], self.bad[chosen]
        return LabelledRows(features, bad, dict(left_out), weight, influenced, self.labels)


def require_training_consent(file: FeatureFile) -> FeatureFile:
    """Refuse features that were not computed for training; returns those that were.

    Raises
    ------
    ConsentRequired
        Consent to be scored is not consent to train on.
    """
    if file.provenance is None:
        raise ConsentRequired(
            "Features must say what their members consented to, got a file that does not. "
            "Build them with `benne features build --purpose model_training`."
        )
    file.provenance.require(_PURPOSE)
    file.provenance.require_foresight_free()
    return file


def still_consented(
    file: FeatureFile, ledger: ConsentLedger | None, *, purpose: str = _PURPOSE
) -> npt.NDArray[np.bool_]:
    """Which rows hold nothing whose consent has ended since they were built, shape (n,).

    Parameters
    ----------
    file : FeatureFile
    ledger : ConsentLedger or None
        None is enough only where no ledger was asked when the features were built.
    purpose : str, default="model_training"
        What the features were built for.

    Raises
    ------
    ConsentRequired
        If the features were built under a ledger and there is none to ask again.
    """
    asked = None if file.provenance is None else file.provenance.recipient
    if asked is None:
        return np.ones(len(file.features), dtype=bool)
    if ledger is None:
        raise ConsentRequired(
            "The consent ledger must be asked again, because members may have withdrawn since the features were "
            "built, got no ledger. Name it: --ledger"
        )
    index = file.features.index
    moments = pd.DatetimeIndex(index.get_level_values("as_of")).tz_convert("UTC").as_unit("us").asi8
    subjects = index.get_level_values("subject_id").to_numpy(dtype=object)
    stands = ledger.mask(purpose=purpose, recipient=asked, include_ended=False).table(subjects, moments)
    held = file.features[list(stands.columns)].to_numpy(dtype=bool)
    kept: npt.NDArray[np.bool_] = ~(held & ~stands.to_numpy()).any(axis=1)
    return kept


def label_rows(
    features: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    stands: npt.NDArray[np.bool_] | None = None,
    weight: str | None = None,
) -> LabelledRows:
    """Join outcomes to feature rows and keep those that may train.

    Parameters
    ----------
    features : DataFrame
        From :func:`benne.features.build_features` under a mask for ``model_training``.
    outcomes : DataFrame
        ``subject_id``, ``as_of``, ``bad`` (null where censored); perhaps ``score_influenced``, whether an earlier score
        had a hand in it (null where not known).
    stands : ndarray of bool, shape (n,), optional
        From :func:`still_consented`; by default every row.
    weight : str, optional
        Column of ``outcomes`` with a weight for each: finite, not negative.

    Returns
    -------
    LabelledRows
        Without rows that withhold a category no score stands without, and without rows whose
        outcome is not known; how many is counted by reason, each row under one.

    Raises
    ------
    LabelError
        If features have another index, outcomes lack a column, an observation has two, a weight is
        missing or cannot be, or no row is left.
    ConsentRequired
        If no row has the consents that training needs.
    """
    keys = ["subject_id", "as_of"]
    if list(features.index.names) != keys:
        raise LabelError("Features must be indexed by (subject_id, as_of), got another index. Use build_features().")
    absent = [name for name in (*keys, "bad") if name not in outcomes.columns]
    if absent:
        raise LabelError(
            f"Outcomes must have the columns subject_id, as_of and bad, got no {absent[0]!r}. "
            "Raw member ids become subject ids by read_observations(path, key) or key_member_ids(frame, key)."
        )
    if outcomes.duplicated(keys).any():
        raise LabelError("Outcomes must name each observation once, got a repeated one. Keep one outcome for each.")
    found = outcomes.set_index(keys).reindex(features.index)
    bad = found["bad"]
    reasons = _why_not(features, bad, np.ones(len(features), dtype=bool) if stands is None else stands)
    counts = pd.Series(reasons[reasons != ""]).value_counts()
    expected = (_NO_CONSENT, _NOT_KNOWN) if stands is None else (_NO_CONSENT, _NOT_KNOWN, _ENDED)
    left_out = dict.fromkeys(expected, 0) | {str(reason): int(count) for reason, count in counts.items()}
    keep = reasons == ""
    if not keep.any():
        _refuse_all(left_out)
    weights = None if weight is None else _weights(found[keep], weight)
    flags = _influenced(found)
    return LabelledRows(
        features[keep], bad[keep].to_numpy(dtype=np.float64), left_out, weights,
        None if flags is None else flags[keep], _source(reasons, flags),
    )  # fmt: skip


def _influenced(outcomes: pd.DataFrame) -> Floats | None:
    if INFLUENCED not in outcomes.columns:
        return None
    flags = pd.to_numeric(outcomes[INFLUENCED].astype(object), errors="coerce").to_numpy(dtype=np.float64)
    said = outcomes[INFLUENCED].notna().to_numpy()
    if not np.isin(flags[said], (0.0, 1.0)).all():
        raise LabelError(f"{INFLUENCED} must be true, false or null, got something else. Correct the outcomes.")
    return np.asarray(flags)


def _source(reasons: npt.NDArray[np.object_], flags: Floats | None) -> LabelSource:
    """Rows whose consents allow training, and what of them has no outcome."""
    unknown = reasons == _NOT_KNOWN
    refused = None if flags is None else int((unknown & (flags == 1.0)).sum())
    return LabelSource(int((reasons == "").sum() + unknown.sum()), int(unknown.sum()), refused)


def _weights(outcomes: pd.DataFrame, column: str) -> Floats | None:
    if column not in outcomes.columns:
        raise LabelError(f"Outcomes must have the column of weights, got no {column!r}. Add it, or name another.")
    return read_sample_weight(outcomes[column].to_numpy(), len(outcomes))


def _why_not(features: pd.DataFrame, bad: pd.Series[Any], stands: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """Why each row may not train, '' where it may, shape (n,)."""
    reasons = np.where(bad.isna().to_numpy(), _NOT_KNOWN, "").astype(object)
    for row, withheld in enumerate(withheld_of(features)):
        if len(withheld) == len(CATEGORIES):
            reasons[row] = _NO_CONSENT
        elif lacking := [category for category in CATEGORIES if category in withheld & NEVER_WITHHELD]:
            reasons[row] = f"no consent to {' and '.join(lacking)}, without which there is no score"
    reasons[~stands] = _ENDED
    return reasons


def _refuse_all(left_out: Mapping[str, int]) -> NoReturn:
    told = "; ".join(f"{reason}: {count:,}" for reason, count in left_out.items() if count) or "no rows at all"
    if any(left_out.values()) and not left_out[_NOT_KNOWN]:
        raise ConsentRequired(
            f"Training must rest on members who consent to it, got none ({told}). Ask the members, or build the "
            "features again: benne features build --purpose model_training"
        )
    raise LabelError(
        f"At least one row must consent to training and have an outcome, got none ({told}). "
        "Check that outcomes and features share subject ids and as_of, and the consent mask's purpose."
    )
