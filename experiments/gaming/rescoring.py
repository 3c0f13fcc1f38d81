"""The same members scored again with other values, by the model's own function."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import InsufficientEvidence
from benne.features.consent_mask import split_mask
from benne.models import CreditScoreModel, withheld_of

__all__ = ["Attacked", "attackable"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Attacked:
    """Members of a model, as numbers that can be changed and scored again.

    Parameters
    ----------
    model : CreditScoreModel
    X : ndarray of float64, shape (n, features)
        NaN where a category is withheld.
    withheld : ndarray of frozenset of str, shape (n,)
    bad : ndarray of float64, shape (n,), or None
        Outcomes.
    known_pd : ndarray of float64, shape (n,), or None
        Known probability of bad, as only a simulator's is.
    left_out : int
        Rows that the model does not score.
    """

    model: CreditScoreModel
    X: Floats
    withheld: npt.NDArray[np.object_]
    bad: Floats | None = None
    known_pd: Floats | None = None
    left_out: int = 0
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", [str(name) for name in self.model.feature_names_in_])

    def __len__(self) -> int:
        """How many members."""
        return len(self.X)

    @property
    def truth(self) -> tuple[Floats, str] | None:
        """What became of them, or must by what the simulator knows, and which of the two."""
        if self.known_pd is not None:
            return self.known_pd, "known PD"
        return None if self.bad is None else (self.bad, "outcomes")

    def log_odds(self, X: Floats | None = None, rows: Indices | None = None) -> Floats:
        """Log odds of bad of changed rows; ``rows`` says whose they are, by default everybody's in order.

        Infinite where a change leaves too little to score: whoever is refused has won nothing.
        """
        frame = pd.DataFrame(self.X if X is None else X, columns=self.names)
        withheld = list(self.withheld if rows is None else self.withheld[rows])
        try:
            return self.model.decision_function(frame, withheld=withheld)
        except InsufficientEvidence:
            thin, _ = self.model.refusals(frame, withheld)
        found = np.full(len(frame), np.inf)
        kept = [one for one, refused in zip(withheld, thin, strict=True) if not refused]
        if kept:
            found[~thin] = self.model.decision_function(frame[~thin], withheld=kept)
        return found

    def scores(self, X: Floats | None = None, rows: Indices | None = None) -> Floats:
        """Scores of changed rows, 350 to 950."""
        return self.model.scale_.score(self.log_odds(X, rows))

    def may_move(self, categories: frozenset[str]) -> npt.NDArray[np.bool_]:
        """Who lets all of these categories be used, shape (n,): nobody moves what is not looked at."""
        return np.array([not (categories & withheld) for withheld in self.withheld], dtype=bool)


def attackable(
    model: CreditScoreModel, features: pd.DataFrame, bad: Floats | None, known_pd: Floats | None, most: int, seed: int
) -> Attacked:
    """Members to be attacked: those that the model scores, at most so many, drawn by seed.

    Parameters
    ----------
    model : CreditScoreModel
    features : DataFrame, shape (n, features) or with the five consent columns beside them
    bad, known_pd : ndarray of float64, shape (n,), or None
    most : int
    seed : int
    """
    values, mask = split_mask(features)
    withheld = withheld_of(features) if mask is not None else [frozenset()] * len(features)
    frame = values[[str(name) for name in model.feature_names_in_]]
    thin, strange = model.refusals(frame, withheld)
    scored = np.flatnonzero(~(thin | strange))
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(scored, most, replace=False)) if len(scored) > most else scored
    X = frame.iloc[drawn].to_numpy(dtype=np.float64, copy=True)
    sets = np.empty(len(drawn), dtype=object)
    sets[:] = [withheld[row] for row in drawn]
    for category in dict.fromkeys(model.category_of.values()):
        columns = np.array([model.category_of[name] == category for name in frame.columns], dtype=bool)
        X[np.ix_(np.array([category in one for one in sets], dtype=bool), columns)] = np.nan
    of = (None if bad is None else np.asarray(bad, dtype=np.float64)[drawn],
          None if known_pd is None else np.asarray(known_pd, dtype=np.float64)[drawn])  # fmt: skip
    return Attacked(model, X, sets, *of, left_out=len(features) - len(scored))
