"""Adverse items: written-off contracts and older collections, with notice before listing."""

from __future__ import annotations

from typing import Final

import numpy as np

from benne.experiments.simulator.instalments import WriteOffs
from benne.experiments.simulator.outcomes import sigmoid
from benne.experiments.simulator.population import Population
from benne.experiments.simulator.records import Rows, code
from benne.experiments.simulator.timeline import DAY, Flags, Ints

__all__ = ["draw_adverse_items"]

_NOTICE_DAYS: Final = (21, 45)


def draw_adverse_items(rng: np.random.Generator, population: Population, write_offs: WriteOffs) -> Rows:
    """Each item's life: notified, reported, perhaps disputed and removed or upheld, perhaps ended."""
    member, reported, kind = _items(rng, population, write_offs)
    m = len(member)
    notified = reported - (rng.uniform(*_NOTICE_DAYS, m) * DAY).astype(np.int64)
    disputed = reported + (rng.uniform(3, 60, m) * DAY).astype(np.int64)
    answered = disputed + (rng.uniform(5, 20, m) * DAY).astype(np.int64)
    ended = reported + (rng.uniform(90, 900, m) * DAY).astype(np.int64)
    contests, wins, settles = rng.random(m) < 0.12, rng.random(m) < 0.4, rng.random(m) < 0.35
    return _life(
        member,
        kind,
        {
            "notified": (notified, np.ones(m, dtype=bool)),
            "reported": (reported, np.ones(m, dtype=bool)),
            "disputed": (disputed, contests),
            "removed": (answered, contests & wins),
            "upheld": (answered, contests & ~wins),
            "ended": (ended, settles & ~(contests & wins)),
        },
    )


def _items(rng: np.random.Generator, population: Population, write_offs: WriteOffs) -> tuple[Ints, Ints, Ints]:
    """Member, moment of listing and kind; collections may be years older than the simulated months."""
    past = population.strain.mean(axis=1)
    older = np.flatnonzero(rng.random(population.n) < sigmoid(-3.3 + 0.8 * past))
    span = (-4 * 365 * DAY, population.timeline.as_of[-1] - population.timeline.begin)
    moments = population.timeline.begin + rng.integers(*span, len(older))
    listed = np.flatnonzero(rng.random(len(write_offs.member)) < 0.8)
    listing = write_offs.time[listed] + (rng.uniform(1, 20, len(listed)) * DAY).astype(np.int64)
    fresh = rng.choice([code("adverse_items", "kind", k) for k in ("default", "write_off")], len(listed))
    old = np.full(len(older), code("adverse_items", "kind", "collection"))
    return (
        np.concatenate([older, write_offs.member[listed]]),
        np.concatenate([moments, listing]),
        np.concatenate([old, fresh]),
    )


def _life(member: Ints, kind: Ints, events: dict[str, tuple[Ints, Flags]]) -> Rows:
    items = [np.flatnonzero(happens) for _, happens in events.values()]
    item = np.concatenate(items)
    names = [code("adverse_items", "event", name) for name in events]
    moments = [moment[chosen] for (moment, _), chosen in zip(events.values(), items, strict=True)]
    return Rows(
        "adverse_items",
        member[item],
        np.concatenate(moments),
        {"item_id": item, "kind": kind[item], "event": np.repeat(names, [len(chosen) for chosen in items])},
    )
