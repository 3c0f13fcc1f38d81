"""Who opts in to what, withdraws, and opts in again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from benne.experiments.simulator.options import RECIPIENT, SCORING_PURPOSE, TRAINING_PURPOSE, SimulatorOptions
from benne.experiments.simulator.outcomes import ABILITY_EFFECT, WILLINGNESS_EFFECT, sigmoid
from benne.experiments.simulator.population import Population
from benne.experiments.simulator.records import member_ids
from benne.experiments.simulator.timeline import DAY, Flags, Floats, Ints
from benne.features.categories import CATEGORIES

__all__ = ["CONSENT_SCHEMA", "draw_consents", "grant_periods"]

CONSENT_SCHEMA: Final = pa.schema(
    [
        pa.field("member_id", pa.string(), nullable=False),
        pa.field("purpose", pa.string(), nullable=False),
        pa.field("recipient", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)

_OPT_IN: Final = 2.2
_TRAINING: Final = 1.9
_WITHHOLD: Final = (-3.8, -3.0, -3.2, -2.9, -1.4)
"""Log odds of withholding each of CATEGORIES at average risk."""

_SLOPE: Final = 0.45
_WITHDRAW: Final = 0.04
_RETURN: Final = 0.4
_EVENTS: Final = ("given", "withdrawn")


@dataclass(frozen=True)
class _History:
    member: Ints
    purpose: Ints
    category: Ints
    withdrawn: Flags
    time: Ints


def draw_consents(rng: np.random.Generator, population: Population, options: SimulatorOptions) -> pa.Table:
    """The community's consent history, every toggle off until given.

    Training is consented to separately and covers no category that the member withholds from
    scoring. With ``options.consent_depends_on_risk``, riskier members opt in less and withhold more.
    """
    risk = _risk(population) * (_SLOPE if options.consent_depends_on_risk else 0.0)
    opted_in = rng.random(population.n) < sigmoid(_OPT_IN - risk)
    withheld = rng.random((population.n, len(CATEGORIES))) < sigmoid(np.array(_WITHHOLD) + risk[:, None])
    trains = rng.random(population.n) < sigmoid(_TRAINING - risk)
    scoring = opted_in[:, None] & ~withheld
    training = scoring & trains[:, None] & (rng.random(scoring.shape) < 0.985)
    purpose, member, category = np.nonzero(np.stack([scoring, training]))
    return _table(_over_time(rng, population, member, purpose, category), population)


def _risk(population: Population) -> Floats:
    """Log odds of bad at the last moment of observation, in standard deviations of the population."""
    month = population.timeline.observed_month[-1]
    odds = ABILITY_EFFECT * population.ability[:, month] + WILLINGNESS_EFFECT * population.willingness[:, month]
    return np.asarray(odds / 1.6, dtype=np.float64)


def _over_time(
    rng: np.random.Generator, population: Population, member: Ints, purpose: Ints, category: Ints
) -> _History:
    """Given some days after joining, or after the score's launch at the start of the simulated months.

    A few consents are withdrawn later, some of those given again.
    """
    m = len(member)
    # One act switches on all the toggles a member wants, so that they share a moment.
    delay = rng.exponential(6.0, (2, population.n))[purpose, member]
    launched = np.maximum(population.joined, population.timeline.begin)
    given = launched[member] + (delay * DAY).astype(np.int64) + 1
    everything = rng.random((2, population.n))[purpose, member] < _WITHDRAW / 2
    withdraws = everything | (rng.random(m) < _WITHDRAW)
    moment = np.where(everything, rng.random((2, population.n))[purpose, member], rng.random(m))
    withdrawn = given + 1 + (moment * np.maximum(population.timeline.end - given, 0)).astype(np.int64)
    returns = withdraws & (rng.random(m) < _RETURN)
    again = withdrawn + 1 + (rng.exponential(45, m) * DAY).astype(np.int64)
    row = np.concatenate([np.arange(m), np.flatnonzero(withdraws), np.flatnonzero(returns)])
    event = np.repeat([False, True, False], [m, int(withdraws.sum()), int(returns.sum())])
    time = np.concatenate([given, withdrawn[withdraws], again[returns]])
    return _History(member[row], purpose[row], category[row], event, time)


def _table(history: _History, population: Population) -> pa.Table:
    order = np.lexsort((history.category, history.purpose, history.time, history.member))
    order = order[history.time[order] < population.timeline.end]
    purposes = pa.array([SCORING_PURPOSE, TRAINING_PURPOSE])
    columns = [
        member_ids(population.numbers).take(pa.array(history.member[order])),
        purposes.take(pa.array(history.purpose[order])),
        pa.array([RECIPIENT]).take(pa.array(np.zeros(len(order), dtype=np.int64))),
        pa.array(CATEGORIES).take(pa.array(history.category[order])),
        pa.array(_EVENTS).take(pa.array(history.withdrawn[order].astype(np.int64))),
        pa.array(history.time[order]).cast(pa.timestamp("us", tz="UTC")),
    ]
    return pa.table(columns, schema=CONSENT_SCHEMA)


def grant_periods(history: pd.DataFrame, *, purpose: str = SCORING_PURPOSE, recipient: str = RECIPIENT) -> pd.DataFrame:
    """Turn a consent history into periods.

    Parameters
    ----------
    history : DataFrame
        Columns of :data:`CONSENT_SCHEMA`; any order.
    purpose, recipient : str
        The one combination wanted.

    Returns
    -------
    DataFrame
        ``member_id``, ``category``, ``granted_from``, ``granted_until`` (NaT: still active).
    """
    chosen = history[(history["purpose"] == purpose) & (history["recipient"] == recipient)]
    chosen = chosen.sort_values(["member_id", "category", "time"], kind="stable")
    following = chosen.groupby(["member_id", "category"], sort=False)["time"].shift(-1)
    periods = chosen.assign(granted_until=following).rename(columns={"time": "granted_from"})
    given = periods[periods["event"] == "given"]
    return given[["member_id", "category", "granted_from", "granted_until"]].reset_index(drop=True)
