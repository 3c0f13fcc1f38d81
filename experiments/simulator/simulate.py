"""The simulator itself: community after community, to Parquet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from benne.errors import SimulationError
from benne.experiments.simulator.adverse import draw_adverse_items
from benne.experiments.simulator.cards import draw_cards
from benne.experiments.simulator.consents import draw_consents
from benne.experiments.simulator.feedback import with_feedback
from benne.experiments.simulator.instalments import WriteOffs, draw_instalments
from benne.experiments.simulator.money import draw_balances, draw_incomes, draw_payments
from benne.experiments.simulator.options import SimulatorOptions
from benne.experiments.simulator.outcomes import Observed, observe, window_end
from benne.experiments.simulator.population import AGE_BANDS, SEXES, Population, draw_population
from benne.experiments.simulator.records import Rows, arrow_schema, member_ids, merged, to_arrow
from benne.experiments.simulator.social import draw_interactions
from benne.experiments.simulator.timeline import DAY, Ints, Timeline
from benne.experiments.simulator.verifications import draw_verifications
from benne.experiments.simulator.world import NOTICE, Simulation
from benne.experiments.simulator.writer import WorldWriter, written_whole
from benne.features.events.tables import TABLES

__all__ = ["simulate"]

_UTC: Final = pa.timestamp("us", tz="UTC")
_STAGES: Final = ("population", "outcomes", "credit", "money", "facts", "social", "consents", "records", "feedback")
_LABEL_LAG_DAYS: Final = 5


def simulate(
    out_folder: Path | str,
    *,
    members: int = 20_000,
    seed: int = 0,
    options: SimulatorOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Simulation:
    """Simulate a platform and write it to ``out_folder``, wholly or not at all.

    The files depend on ``members``, ``seed`` and ``options`` alone. Full communities do not
    change when more members are asked for. Memory holds one community at a time.

    Parameters
    ----------
    out_folder : path
        Replaced if it holds an earlier simulation.
    members : int
    seed : int
    options : SimulatorOptions or None
        ``None``: the defaults.
    progress : callable or None
        Called with (members done, members in all) after each community.

    Returns
    -------
    Simulation

    Raises
    ------
    SimulationError
        If ``members`` or ``seed`` is out of range, or the folder holds something else.

    Examples
    --------
    >>> import tempfile
    >>> world = simulate(tempfile.mkdtemp(), members=50, seed=7)
    >>> world.rows["raw/members"]
    50
    """
    options = options or SimulatorOptions()
    if members < 1 or seed < 0:
        raise SimulationError(f"members must be positive and seed not negative, got {members} and {seed}. Change them.")
    folder = Path(out_folder)
    timeline = Timeline.of(options)
    with written_whole(folder) as partial:
        with WorldWriter(partial) as writer:
            for numbers in _communities(members, options.community_size):
                for name, table in _community(numbers, seed, timeline, options):
                    writer.append(name, table)
                if progress is not None:
                    progress(int(numbers[-1]) + 1, members)
        writer.manifest(_facts(members, seed, options, timeline, writer.rows))
    return Simulation.open(folder)


def _communities(members: int, size: int) -> Iterator[Ints]:
    for first in range(0, members, size):
        yield np.arange(first, min(first + size, members))


def _community(
    numbers: Ints, seed: int, timeline: Timeline, options: SimulatorOptions
) -> Iterator[tuple[str, pa.Table]]:
    """Every table of one community; each stage draws from its own stream."""
    rng = {
        stage: np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(numbers[0]), position)))
        for position, stage in enumerate(_STAGES)
    }
    population = draw_population(rng["population"], numbers, timeline, options)
    observed = with_feedback(rng["feedback"], observe(rng["outcomes"], population, options), options)
    yield "observations", _observations(population, observed)
    yield "outcomes", _outcomes(population, observed, options)
    yield "truth/pd", _truth(population, observed)
    yield "protected/attributes", _protected(population)
    yield "consents", draw_consents(rng["consents"], population, options)
    population = population.with_aftermath(observed.turned_bad(population.n, int(timeline.as_of[-1])))
    for name, rows in _events(rng, population).items():
        yield f"raw/{name}", to_arrow(rows, rng["records"], population, options)


def _events(rng: dict[str, np.random.Generator], population: Population) -> dict[str, Rows]:
    """Rows of every event table."""
    drawn, instalments_lost, used = draw_instalments(rng["credit"], population)
    cards, cards_lost = draw_cards(rng["credit"], population, used)
    lost = WriteOffs(
        *(np.concatenate([getattr(w, f) for w in (instalments_lost, cards_lost)]) for f in ("member", "time"))
    )
    drawn += cards
    drawn += [
        Rows("members", np.arange(population.n), population.joined, {"adult": population.traits.adult}),
        draw_verifications(rng["facts"], population),
        draw_adverse_items(rng["credit"], population, lost),
        draw_payments(rng["money"], population),
        draw_balances(rng["money"], population),
        draw_incomes(rng["money"], population),
        draw_interactions(rng["social"], population),
    ]
    return {name: merged([rows for rows in drawn if rows.table == name]) for name in TABLES}


def _observations(population: Population, observed: Observed) -> pa.Table:
    return pa.table(_keys(population, observed))


def _truth(population: Population, observed: Observed) -> pa.Table:
    return pa.table(
        _keys(population, observed)
        | {"pd": observed.pd, "ability": observed.ability, "willingness": observed.willingness}
    )


def _keys(population: Population, observed: Observed) -> dict[str, Any]:
    ids = member_ids(population.numbers).take(pa.array(observed.member))
    return {"member_id": ids, "as_of": pa.array(observed.as_of).cast(_UTC)}


def _outcomes(population: Population, observed: Observed, options: SimulatorOptions) -> pa.Table:
    """One label per observation, known some days after its window ends."""
    keys, m = _keys(population, observed), len(observed.member)
    end = window_end(observed.as_of, options)
    moment = pa.array(np.searchsorted(population.timeline.as_of, observed.as_of)).cast(pa.string())
    columns = keys | {
        "record_id": pa.compute.binary_join_element_wise("outcome", keys["member_id"], moment, "-"),
        "supersedes": pa.nulls(m, pa.string()),
        "event_time": pa.array(end).cast(_UTC),
        "known_at": pa.array(end + _LABEL_LAG_DAYS * DAY).cast(_UTC),
        "source": pa.nulls(m, pa.string()),
        "bad": pa.array(observed.bad, mask=observed.lost),
        "horizon_days": pa.array(np.full(m, options.horizon_days)),
        "censored": pa.array(np.zeros(m, dtype=bool)),
        "score_influenced": pa.array(observed.influenced),
    }
    schema = arrow_schema("outcomes")
    return pa.table([columns[f.name] for f in schema], schema=schema)


def _protected(population: Population) -> pa.Table:
    traits = population.traits
    return pa.table(
        {
            "member_id": member_ids(population.numbers),
            "sex": pa.array(SEXES).take(pa.array(traits.sex)),
            "age_band": pa.array(AGE_BANDS).take(pa.array(traits.age_band)),
        }
    )


def _facts(
    members: int, seed: int, options: SimulatorOptions, timeline: Timeline, rows: dict[str, int]
) -> dict[str, Any]:
    stated = dataclasses.asdict(options) | {"as_of": [moment.isoformat() for moment in options.as_of]}
    del stated["extracted_at"]  # stands below, said or not
    return {
        "notice": NOTICE,
        "members": members,
        "seed": seed,
        "options": stated,
        "extracted_at": pd.Timestamp(timeline.end, unit="us", tz="UTC").isoformat(),
        "rows": rows,
    }
