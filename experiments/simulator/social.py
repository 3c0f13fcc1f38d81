"""Friendships with homophily, and what happens between friends and strangers."""

from __future__ import annotations

from typing import Final

import numpy as np

from benne.experiments.simulator.outcomes import sigmoid
from benne.experiments.simulator.population import Population
from benne.experiments.simulator.records import Rows, code
from benne.experiments.simulator.timeline import Flags, Floats, Ints

__all__ = ["draw_friendships", "draw_interactions"]

_FRIENDS: Final = 1.9
_KINDS: Final = ("transfer", "rating", "endorsement", "settlement", "report", "block")
_BASE_WEIGHTS: Final = (0.55, 0.30, 0.07, 0.03, 0.04, 0.01)
# how the other's willingness bends the log weight of each kind
_SLOPES: Final = (0.0, 0.05, 0.15, 0.15, -0.4, -0.4)


def draw_friendships(rng: np.random.Generator, population: Population) -> tuple[Ints, Ints]:
    """Pairs of members; like finds like, loosely.

    Members stand in a ring by a noisy mix of their latents, and befriend others near them
    there: a short, skewed distance makes homophily, a long tail bridges.

    Returns
    -------
    one, other : ndarray of int64, shape (pairs,)
    """
    latents = population.ability.mean(axis=1) + population.willingness.mean(axis=1)
    ring = np.argsort(latents + rng.normal(0, 2.5, population.n), kind="stable")
    place = np.argsort(ring, kind="stable")
    sociable = rng.gamma(2.0, 0.5, population.n) * np.where(population.traits.quiet, 0.1, 1.0)
    one = np.repeat(np.arange(population.n), rng.poisson(_FRIENDS * sociable))
    reach = max(population.n / 15, 3.0)
    distance = 1 + (rng.exponential(reach, len(one))).astype(np.int64)
    side = rng.choice([-1, 1], len(one))
    other = ring[(place[one] + side * distance) % population.n]
    pairs = np.unique(np.stack([one, other], axis=1)[one != other], axis=0)
    return pairs[:, 0], pairs[:, 1]


def draw_interactions(rng: np.random.Generator, population: Population) -> Rows:
    """What pairs do over the time both are members, as two rows: given by one, received by the other."""
    one, other = draw_friendships(rng, population)
    begin = np.maximum(population.joined[one], population.joined[other])
    begin = begin + (rng.random(len(one)) ** 2 * (population.timeline.end - begin)).astype(np.int64)
    years = (population.timeline.end - begin) / 3.15e13
    pair = np.repeat(np.arange(len(one)), np.minimum(rng.poisson(1.0 + 2.2 * years), 40))
    moment = begin[pair] + (rng.random(len(pair)) * (population.timeline.end - begin[pair])).astype(np.int64)
    forward = rng.random(len(pair)) < 0.55
    giver = np.where(forward, one[pair], other[pair])
    taker = np.where(forward, other[pair], one[pair])
    kind = _kind(rng, population.willingness.mean(axis=1)[taker])
    value, valued = _value(rng, population.willingness.mean(axis=1)[taker], kind)
    return Rows(
        "interactions",
        np.concatenate([giver, taker]),
        np.concatenate([moment, moment]),
        {
            "other_id": np.concatenate([taker, giver]),
            "direction": np.repeat([code("interactions", "direction", d) for d in ("given", "received")], len(pair)),
            "kind": np.tile(np.array([code("interactions", "kind", k) for k in _KINDS])[kind], 2),
            "value": np.ma.array(np.tile(value, 2), mask=np.tile(~valued, 2)),
        },
    )


def _kind(rng: np.random.Generator, willingness: Floats) -> Ints:
    weights = [w * np.exp(s * willingness) for w, s in zip(_BASE_WEIGHTS, _SLOPES, strict=True)]
    cumulative = np.cumsum(weights, axis=0)
    return np.asarray((rng.random(len(willingness)) * cumulative[-1] >= cumulative).sum(axis=0), dtype=np.int64)


def _value(rng: np.random.Generator, willingness: Floats, kind: Ints) -> tuple[Ints, Flags]:
    """A rating of 1 to 5 that follows the rated member a little; whether a report is upheld."""
    rating = np.clip(np.rint(3.9 + 0.25 * willingness + rng.normal(0, 1.05, len(kind))), 1, 5).astype(np.int64)
    upheld = (rng.random(len(kind)) < sigmoid(-0.3 - 0.5 * willingness)).astype(np.int64)
    rated, reported = kind == _KINDS.index("rating"), kind == _KINDS.index("report")
    return np.where(rated, rating, np.where(reported, upheld, 0)), rated | reported
