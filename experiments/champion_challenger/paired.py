"""Two models on the same rows, under the same consents: what each makes of whom both can score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import ExplanationError, LabelError, ParameterError
from benne.experiments.members import members_of
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.features.consent_mask import split_mask
from benne.models import CreditScoreModel, Explanation, withheld_of
from benne.scoring.batch import unscorable

__all__ = ["PairedScores", "paired_scores"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_TOLERANCE: Final = 1e-8
"""Points by which the parts of a change may miss it: each score's own sum holds to 1e-9."""


@dataclass(frozen=True)
class PairedScores:
    """Rows that both models score.

    Parameters
    ----------
    champion, challenger : Explanation
        Of the same n rows.
    bad : ndarray of float64, shape (n,)
        1 became bad, 0 did not, NaN is not known.
    members : ndarray of int, shape (n,)
        Rows of one member share a number.
    kept : ndarray of int, shape (n,)
        Positions of these rows among those that were given.
    left_out : dict of str to int
        Rows that ``both`` refuse, or ``champion`` or ``challenger`` alone.
    """

    champion: Explanation = field(repr=False)
    challenger: Explanation = field(repr=False)
    bad: Floats = field(repr=False)
    members: Indices = field(repr=False)
    kept: Indices = field(repr=False)
    left_out: dict[str, int]

    @property
    def change(self) -> Floats:
        """Points, challenger minus champion, shape (n,)."""
        return self.challenger.score - self.champion.score

    @property
    def shown(self) -> tuple[Floats, Floats]:
        """Scores in the whole points that are shown and decided on, the champion's first."""
        return np.rint(self.champion.score), np.rint(self.challenger.score)

    def parts(self) -> pd.DataFrame:
        """Change of each part of the score: ``base``, each category, ``clipping``; a row sums to its change.

        Raises
        ------
        ExplanationError
            If one does not.
        """
        by_category = _difference(self.challenger.category_points, self.champion.category_points)
        parts = pd.DataFrame({"base": self.challenger.base - self.champion.base, **by_category,
                              "clipping": self.challenger.clipped - self.champion.clipped})  # fmt: skip
        if np.abs(parts.to_numpy().sum(axis=1) - self.change).max(initial=0.0) > _TOLERANCE:
            raise ExplanationError("Parts of a change must add up to it, and did not. Check the models' folders.")
        return parts

    def feature_parts(self) -> pd.DataFrame:
        """Change of each feature's points, shape (n, features of either model)."""
        return pd.DataFrame(_difference(self.challenger.points, self.champion.points))


def paired_scores(
    champion: CreditScoreModel, challenger: CreditScoreModel, features: pd.DataFrame, bad: npt.ArrayLike | None = None
) -> PairedScores:
    """Score rows with both models, leaving out those that either refuses.

    Parameters
    ----------
    champion, challenger : CreditScoreModel
    features : DataFrame, indexed by (subject_id, as_of)
        With every feature of either model, and its consent columns.
    bad : array-like, shape (n,), optional
        1, 0, or NaN where not known; by default nothing is known.

    Raises
    ------
    ParameterError
        If a feature of a model is not there.
    LabelError
        If outcomes are others, or fewer than ten rows are left.
    """
    outcomes, withheld = _outcomes(bad, len(features)), withheld_of(features)
    tables = [_columns_of(model, features) for model in (champion, challenger)]
    refused = [
        unscorable(model, table, withheld) != ""
        for model, table in zip((champion, challenger), tables, strict=True)
    ]  # fmt: skip
    kept = np.flatnonzero(~refused[0] & ~refused[1])
    if len(kept) < SMALLEST_GROUP:
        raise LabelError(f"At least {SMALLEST_GROUP} rows must be scored by both models, got fewer. Add rows.")
    patterns = [withheld[row] for row in kept]
    return PairedScores(
        champion=champion.explain(tables[0].iloc[kept], withheld=patterns),
        challenger=challenger.explain(tables[1].iloc[kept], withheld=patterns),
        bad=outcomes[kept],
        members=members_of(features.iloc[kept]),
        kept=kept,
        left_out={
            "both": int((refused[0] & refused[1]).sum()), "champion": int((refused[0] & ~refused[1]).sum()),
            "challenger": int((refused[1] & ~refused[0]).sum()),
        },
    )  # fmt: skip


def _columns_of(model: CreditScoreModel, features: pd.DataFrame) -> pd.DataFrame:
    """What a model takes of a frame that may hold more, for the other one."""
    names = [str(name) for name in model.feature_names_in_]
    missing = [name for name in names if name not in features.columns]
    if missing:
        raise ParameterError(
            f"Features must hold every feature of both models, got none of {len(missing)}, such as {missing[0]}. "
            "Build them with the features of both."
        )
    return features[[*names, *_mask_columns(features)]]


def _mask_columns(features: pd.DataFrame) -> list[str]:
    """Names of the consent columns of a frame."""
    plain, _ = split_mask(features)
    return [str(name) for name in features.columns if name not in set(plain.columns)]


def _outcomes(bad: npt.ArrayLike | None, rows: int) -> Floats:
    known = np.full(rows, np.nan) if bad is None else np.asarray(bad, dtype=np.float64)
    if known.shape != (rows,) or not np.isin(known[~np.isnan(known)], (0.0, 1.0)).all():
        raise LabelError(f"Outcomes must be 0, 1 or null for each of {rows} rows, got others. Align or recode them.")
    return known


def _difference(after: pd.DataFrame, before: pd.DataFrame) -> dict[str, Floats]:
    """Column by column; what one of them lacks is nothing to it."""
    nothing = np.zeros(len(after))
    names = dict.fromkeys([*map(str, before.columns), *map(str, after.columns)])
    return {name: np.asarray(_column(after, name, nothing) - _column(before, name, nothing)) for name in names}


def _column(table: pd.DataFrame, name: str, nothing: Floats) -> Floats:
    return table[name].to_numpy(dtype=np.float64) if name in table.columns else nothing
