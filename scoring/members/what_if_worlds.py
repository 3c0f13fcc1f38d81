"""Why a score changed between two decisions: sixteen worlds made from what was kept of both, and from the events.

A world takes its values like this, category by category.

* Data and the moment of looking of the same decision: the values kept with it, bit for bit.
* Of different decisions: the category is computed from the member's events in a world between
  (:mod:`benne.explain.two_moments`). That needs the events, the member's consent as it stands now, and that computing
  the two kept ends anew gives what was kept; where one is wanting, the category's values go with the data.
* A category that entered one decision only is taken as it was kept there: it is consent's doing alone.

Where no category can be computed between, data and expiry are one part. A pattern of consent that a world cannot be
scored with makes consent and the cause beside it one part (:func:`benne.explain.score_change.score_change`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benne.errors import FeatureColumnsError, FeatureValueError, InsufficientEvidence, ObservationError
from benne.explain.score_change import Cause, ScoreChange, World, score_change
from benne.explain.two_moments import only_newer, only_older
from benne.explain.what_if import History
from benne.explain.what_if.recomputing import features_of
from benne.features.categories import CATEGORIES
from benne.features.engines.online import FeatureVector
from benne.features.registered import registry
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.kept import KeptDecision
from benne.scoring.decisions.scoring import explained
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.members.what_if_asking import SettledConsents

__all__ = ["End", "Ends", "Values", "Worlds", "category_of", "score_of", "values_between"]

Values = Mapping[str, float]


@dataclass(frozen=True, repr=False)
class End:
    """One of the two decisions, made again."""

    kept: KeptDecision
    served: ServedModel
    category_of: Mapping[str, str]
    values: Values
    score: float

    @property
    def categories(self) -> frozenset[str]:
        return frozenset(CATEGORIES) - self.kept.withheld


Ends = tuple[End, End]


def values_between(
    ends: Ends, found: tuple[History, SettledConsents] | None, own: frozenset[str]
) -> Mapping[tuple[int, int], Values]:
    """Values computed anew, by (data, moment of looking), of categories that can be told apart."""
    if found is None:
        return {}
    try:
        computed = _computed(*found, *(end.kept.as_of_us for end in ends))
    except ObservationError:
        return {}
    shared = ends[0].categories & ends[1].categories & own
    apart = {category for category in shared if _as_kept(category, computed, ends)}
    if not apart:
        return {}
    return {
        world: {name: value for name, value in values.items() if registry[name].category in apart}
        for world, values in computed.items()
    }


@dataclass(frozen=True, repr=False)
class Worlds:
    """The sixteen worlds of a change."""

    ends: Ends
    between: Mapping[tuple[int, int], Values]

    def split(self) -> ScoreChange:
        together: list[tuple[Cause, ...]] = [] if self.between else [("data", "expiry")]
        first, second = (end.score for end in self.ends)
        return score_change(self._value, first, second, together=together)

    def _value(self, world: World) -> float | None:
        data, consent, model, expiry = (int(cause in world) for cause in ("data", "consent", "model", "expiry"))
        end, served = self.ends[consent], self.ends[model].served
        sources = {category: self._source(category, data, consent, expiry) for category in end.categories}
        values = dict.fromkeys(served.names, np.nan)
        for name, category in self.ends[model].category_of.items():
            if category in end.categories:
                if name not in sources[category]:
                    return None  # the other model looks at something that was not kept
                values[name] = sources[category][name]
        return score_of(served, values, end.kept.withheld, "0" * 32, self.ends[expiry].kept.as_of_us)

    def _source(self, category: str, data: int, consent: int, expiry: int) -> Values:
        """Where a category's values are taken from in a world."""
        other = self.ends[1 - consent]
        if category not in other.categories:
            return self.ends[consent].values
        computed = {name: value for name, value in self.between.get((data, expiry), {}).items()
                    if registry[name].category == category}  # fmt: skip
        if data != expiry and computed:
            return computed
        return {**computed, **self.ends[data].values}


def _computed(history: History, consents: SettledConsents, first: int, second: int) -> dict[tuple[int, int], Values]:
    """The member's features by (data, moment of looking): the two ends, and the two worlds between."""
    older, newer = only_older(history, first, second), only_newer(history, first, second)
    made = {
        (0, 0): features_of(history, consents, as_of=first, known_by=first),
        (1, 1): features_of(history, consents, as_of=second, known_by=second),
        (0, 1): features_of(older, consents, as_of=second, known_by=first),
        (1, 0): features_of(newer, consents, as_of=first, known_by=second),
    }
    return {world: dict(zip(one.names, one.values.tolist(), strict=True)) for world, one in made.items()}


def _as_kept(category: str, computed: Mapping[tuple[int, int], Values], ends: Ends) -> bool:
    """Whether computing both ends anew gives a category's values as they were kept, and the worlds between have all."""
    for end, world in zip(ends, ((0, 0), (1, 1)), strict=True):
        for name in (one for one, its in end.category_of.items() if its == category):
            if name not in registry or any(name not in values for values in computed.values()):
                return False
            if not _same(computed[world][name], end.values[name]):
                return False
    return True


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)


def category_of(served: ServedModel) -> dict[str, str]:
    return {served.names[place]: category for category, places in served.columns.items() for place in places.tolist()}


def score_of(
    served: ServedModel, values: Values, withheld: frozenset[str], subject_id: str, as_of_us: int
) -> float | None:
    """The score of some values; None where they have none."""
    row = np.array([values[name] for name in served.names])
    consented = {category: category not in withheld for category in CATEGORIES}
    vector = FeatureVector(subject_id, from_microseconds(as_of_us), served.names, row, consented)
    try:
        return float(explained(served, served.table([vector], [withheld]), [withheld]).score[0])
    except (InsufficientEvidence, FeatureValueError, FeatureColumnsError):
        return None
