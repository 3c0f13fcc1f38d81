"""Models that might even out more: with fewer proxies, looser weights, or other regularisation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
from sklearn.base import clone

from benne.errors import CategoryError
from benne.models import BoosterOptions, CreditScoreModel
from benne.models.fewer_columns import options_without

__all__ = ["Candidate", "candidates_of", "unfitted"]

_DROPPED: Final = (1, 2, 4, 8)
_TOLERANCES: Final = (0.02, 0.05, 0.1)
_DIGITS: Final = 3


@dataclass(frozen=True)
class Candidate:
    """A model to try.

    Parameters
    ----------
    name : str
        What is different from the model as given, in words.
    dropped : tuple of str
        Inputs that it does without.
    tolerance : float or mapping of str to float
        Of the weights.
    booster : BoosterOptions
    """

    name: str
    dropped: tuple[str, ...]
    tolerance: Any
    booster: BoosterOptions = field(repr=False)


def candidates_of(model: CreditScoreModel, proxies: Sequence[str], seed: int, draws: int) -> Iterator[Candidate]:
    """The model as given, then others, a change at a time and then several at once.

    Parameters
    ----------
    model : CreditScoreModel
    proxies : sequence of str
        Inputs, the one that tells most of something protected first.
    seed : int
        Of what is drawn.
    draws : int
        Candidates beside the model as given.
    """
    given = Candidate("as given", (), model.tolerance, model.booster or BoosterOptions())
    yield given
    single = [*_without_proxies(given, proxies), *_with_looser_weights(given)]
    yield from single[:draws]
    rng = np.random.default_rng(seed)
    for number in range(1, draws - len(single) + 1):
        yield _drawn(given, proxies, rng, number)


def unfitted(model: CreditScoreModel, candidate: Candidate, columns: Sequence[str]) -> CreditScoreModel:
    """The candidate, ready to be fitted.

    Parameters
    ----------
    model : CreditScoreModel
    candidate : Candidate
    columns : sequence of str
        Inputs in the order of the fit, those that it does without among them.

    Raises
    ------
    CategoryError
        If a category would have no input left.
    """
    fresh: Any = clone(model).set_params(
        booster=options_without(candidate.booster, columns, candidate.dropped), tolerance=candidate.tolerance,
        own_booster_gap=None, unconstrained_price=False,
    )  # fmt: skip
    if isinstance(model.categories, str) or model.categories is None:
        return cast(CreditScoreModel, fresh)
    left = {
        name: [column for column in columns if column not in candidate.dropped]
        for name, columns in model.categories.items()
    }
    for name, columns in left.items():
        if not columns:
            raise CategoryError(f"Category {name!r} must keep an input, got none left. Drop fewer.")
    return cast(CreditScoreModel, fresh.set_params(categories=left))


def _without_proxies(given: Candidate, proxies: Sequence[str]) -> Iterator[Candidate]:
    for count in _DROPPED:
        if count <= len(proxies):
            name = f"without {proxies[0]}" if count == 1 else f"without the {count} strongest proxies"
            yield dataclasses.replace(given, name=name, dropped=tuple(proxies[:count]))


def _with_looser_weights(given: Candidate) -> Iterator[Candidate]:
    held = given.tolerance if isinstance(given.tolerance, int | float) else 0.0
    for tolerance in _TOLERANCES:
        if tolerance > held:
            yield dataclasses.replace(given, name=f"weights within {tolerance:g}", tolerance=tolerance)


def _drawn(given: Candidate, proxies: Sequence[str], rng: np.random.Generator, number: int) -> Candidate:
    count = int(rng.choice((0, *(n for n in _DROPPED if n <= len(proxies)))))
    tolerance = float(rng.choice((0.0, *_TOLERANCES)))
    booster = dataclasses.replace(
        given.booster, max_depth=int(rng.integers(2, 5)), l2=_rounded(10 ** rng.uniform(0.0, 2.5)),
        rows_in_leaf=int(10 ** rng.uniform(1.3, 2.6)), column_share=_rounded(rng.uniform(0.2, 1.0)),
        row_share=_rounded(rng.uniform(0.5, 1.0)),
    )  # fmt: skip
    held = given.tolerance if isinstance(given.tolerance, int | float) else 0.0
    looser = tolerance if tolerance > held else given.tolerance
    return Candidate(f"drawn {number}", tuple(proxies[:count]), looser, booster)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
