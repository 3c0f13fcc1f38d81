"""Why a score changed: exactly split into data, consent, model version and expiry.

Each cause is either as at the first score or as at the second, which makes sixteen worlds. A cause's part is its
Shapley value over them: what changing it brings, averaged over every order in which the four could have changed. The
parts add up to the difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Literal, get_args

from benne.errors import ChangeNotSplit
from benne.explain.rounding import whole_parts
from benne.explain.texts import Texts

__all__ = ["CAUSES", "Cause", "ChangePart", "ScoreChange", "World", "score_change"]

Cause = Literal["data", "consent", "model", "expiry"]
CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)
"""``data``: what happened or became known. ``consent``: which categories entered. ``model``: its version. ``expiry``:
the moment of looking: things have grown older, windows have moved on, and what was due to has run out."""

World = frozenset[Cause]
"""Causes that are as at the second score; the others are as at the first."""

_TOLERANCE: Final = 1e-9
_TOGETHER: Final[tuple[tuple[Cause, Cause], ...]] = (
    ("data", "consent"), ("data", "expiry"), ("consent", "model"), ("consent", "expiry"), ("data", "model"),
    ("model", "expiry"),
)  # fmt: skip
"""Which causes are rather taken together where a world between cannot be scored, the likeliest first."""

_Block = tuple[Cause, ...]
_Blocks = tuple[_Block, ...]


@dataclass(frozen=True, repr=False)
class ChangePart:
    """What one cause, or several that cannot be told apart, did to a score.

    Parameters
    ----------
    causes : tuple of str
    points : float
        Exact.
    shown : int
        In whole points; those of all parts add up to the difference of the shown scores.
    """

    causes: tuple[Cause, ...]
    points: float
    shown: int


@dataclass(frozen=True, repr=False)
class ScoreChange:
    """The difference of two scores, split.

    Parameters
    ----------
    first, second : float
        The scores, 350 to 950.
    parts : tuple of ChangePart
        In the order of :data:`CAUSES`.
    rescored : int
        How many worlds were scored.
    """

    first: float
    second: float
    parts: tuple[ChangePart, ...]
    rescored: int

    @property
    def difference(self) -> float:
        """The second score less the first, exact."""
        return self.second - self.first

    @property
    def shown(self) -> int:
        """The same in whole points, as the shown scores differ."""
        return round(self.second) - round(self.first)

    @property
    def gap(self) -> float:
        """Difference between the change and the sum of its parts; below 1e-9."""
        return abs(sum(part.points for part in self.parts) - self.difference)

    @property
    def data(self) -> float | None:
        """Points of what happened or became known; None where they cannot be told apart from another cause's."""
        return self._of("data")

    @property
    def consent(self) -> float | None:
        """Points of which categories entered; None as for :attr:`data`."""
        return self._of("consent")

    @property
    def model(self) -> float | None:
        """Points of the model's version; None as for :attr:`data`."""
        return self._of("model")

    @property
    def expiry(self) -> float | None:
        """Points of the moment of looking; None as for :attr:`data`."""
        return self._of("expiry")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        parts = [{"causes": list(one.causes), "points": one.points, "shown": one.shown} for one in self.parts]
        return {"first": self.first, "second": self.second, "difference": self.difference, "shown": self.shown,
                "parts": parts, "rescored": self.rescored}  # fmt: skip

    def as_text(self, texts: Texts) -> str:
        """Lines of whole points that add up."""
        told = [texts.say("what_if.change.title", points=texts.points(self.shown))]
        told += [f"{texts.points(part.shown):>6}  {cause_in_words(part.causes, texts)}" for part in self.parts]
        return "\n".join(told)

    def _of(self, cause: Cause) -> float | None:
        return next((part.points for part in self.parts if part.causes == (cause,)), None)


def cause_in_words(causes: Sequence[Cause], texts: Texts) -> str:
    """A cause as members are told it; several that cannot be told apart in one."""
    words = [texts.say(f"what_if.change.{cause}") for cause in causes]
    told = words[0]
    for word in words[1:]:
        told = texts.say("what_if.change.together", first=told, second=word)
    return told


def score_change(
    value: Callable[[World], float | None],
    first: float,
    second: float,
    *,
    together: Iterable[tuple[Cause, ...]] = (),
) -> ScoreChange:
    """Split a difference of scores.

    Parameters
    ----------
    value : callable
        The score in a world; None where it has none (too little would be known of the member in it).
    first, second : float
        The scores on record.
    together : iterable of tuple of str
        Causes that cannot be told apart, such as data and expiry where only loaded features are kept.

    Returns
    -------
    ScoreChange
        Causes between which some world has no score are one part.

    Raises
    ------
    ChangeNotSplit
        If the two ends do not come to the scores on record, to 1e-9.

    Examples
    --------
    >>> change = score_change(lambda world: 600.0 + 20.0 * ("data" in world) - 5.0 * ("expiry" in world), 600.0, 615.0)
    >>> change.data, change.consent, change.model, change.expiry
    (20.0, 0.0, 0.0, -5.0)
    >>> score_change(lambda world: 600.0, 600.0, 640.0)
    Traceback (most recent call last):
    ...
    benne.errors.ChangeNotSplit: The two scores must be as they are on record when they are made again, ...
    """
    known: dict[World, float | None] = {}

    def once(world: World) -> float | None:
        if world not in known:
            known[world] = value(world)
        return known[world]

    for world, score in ((frozenset[Cause](), first), (frozenset(CAUSES), second)):
        found = once(world)
        if found is None or abs(found - score) > _TOLERANCE:
            raise ChangeNotSplit(
                "The two scores must be as they are on record when they are made again, got others. "
                "Verify the audit chain and the models on the shelf."
            )
    for blocks in _partitions(together):
        scores = _worlds(blocks, once)
        if scores is not None:
            return _split(blocks, scores, first, second, len(known))
    raise ChangeNotSplit("A change must have two scores, got fewer. Take two decisions that were answered.")


def _split(blocks: _Blocks, scores: Mapping[World, float], first: float, second: float, rescored: int) -> ScoreChange:
    points = [_shapley(block, blocks, scores) for block in blocks]
    whole = whole_parts(points, round(second) - round(first))
    parts = tuple(ChangePart(*one) for one in zip(blocks, points, whole, strict=True))
    return ScoreChange(first, second, parts, rescored)


def _shapley(block: _Block, blocks: _Blocks, scores: Mapping[World, float]) -> float:
    """Mean of what a block brings over all orders, by the formula over subsets (Shapley 1953)."""
    others, total = [one for one in blocks if one != block], len(blocks)
    terms = []
    for size in range(total):
        weight = math.factorial(size) * math.factorial(total - size - 1) / math.factorial(total)
        for some in combinations(others, size):
            before = _union(some)
            terms.append(weight * (scores[before.union(block)] - scores[before]))
    return math.fsum(terms)


def _worlds(blocks: _Blocks, value: Callable[[World], float | None]) -> dict[World, float] | None:
    """The score of every world that blocks make; None where one has none."""
    found = {}
    for size in range(len(blocks) + 1):
        for some in combinations(blocks, size):
            score = value(_union(some))
            if score is None:
                return None
            found[_union(some)] = score
    return found


def _union(blocks: Iterable[_Block]) -> World:
    return frozenset(cause for block in blocks for cause in block)


def _partitions(together: Iterable[_Block]) -> list[_Blocks]:
    """Every way to take causes together that keeps these together: the finest first, then the likeliest."""
    kept = [frozenset(block) for block in together]
    found = [
        blocks for blocks in _set_partitions(list(CAUSES))
        if all(any(one <= set(block) for block in blocks) for one in kept)
    ]  # fmt: skip
    return sorted(found, key=lambda blocks: (-len(blocks), _unlikeliness(blocks)))


def _unlikeliness(blocks: _Blocks) -> int:
    merged = [rank for rank, pair in enumerate(_TOGETHER) if any(set(pair) <= set(block) for block in blocks)]
    return sum(merged)


def _set_partitions(causes: list[Cause]) -> Iterator[_Blocks]:
    if not causes:
        yield ()
        return
    first, rest = causes[0], causes[1:]
    for blocks in _set_partitions(rest):
        yield ((first,), *blocks)
        for place, block in enumerate(blocks):
            yield ((first, *block), *blocks[:place], *blocks[place + 1 :])
