"""The same events with more spent on the operator's own platform, and nothing else changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benne.errors import GamingError
from benne.features import Events
from benne.features.events.clustering import CLUSTERED_BY
from benne.features.events.tables import MAXIMUM_AMOUNT

__all__ = ["SPENT", "WAYS", "Way", "only_of", "spending_rows", "with_first_purchase", "with_more_spending"]

Way = Literal["amounts", "repeats", "elsewhere", "first"]

WAYS: Final[tuple[Way, ...]] = ("amounts", "repeats", "elsewhere")
"""Each purchase larger; each made several times; the repeats with sellers who are new to the member."""

_HALF_YEAR: Final = 180 * 86_400_000_000
_DAY: Final = 86_400_000_000
_SMALL: Final = 1_000

SPENT: Final = ("purchase",)
"""Kinds of outgoing payments that are spending on the platform; bills, transfers and cash go elsewhere."""

_TABLE: Final = "payments"


def only_of(events: Events, members: Sequence[str]) -> Events:
    """The same events with the payments of these members alone, in memory."""
    if _TABLE not in events.sources:
        return events
    source, wanted = events.sources[_TABLE], pa.array(sorted(set(members)))
    if isinstance(source, Path):
        rows = pq.read_table(source, filters=pc.field("subject_id").isin(wanted))
    else:
        rows = source.filter(pc.is_in(source["subject_id"], wanted))
    return dataclasses.replace(events, sources={**events.sources, _TABLE: rows.combine_chunks()})


def spending_rows(payments: pa.Table, kinds: Sequence[str] = SPENT) -> pa.ChunkedArray:
    """Which payments are spending: outgoing, gone through, and a purchase or of no stated kind; bool, shape (n,)."""
    out = pc.equal(payments["direction"], "out")
    kind = pc.or_(pc.is_null(payments["kind"]), pc.is_in(payments["kind"], pa.array(list(kinds))))
    through = pc.or_(pc.is_null(payments["status"]), pc.equal(payments["status"], "settled"))
    return pc.fill_null(pc.and_(pc.and_(out, kind), pc.fill_null(through, True)), False)


def with_more_spending(events: Events, way: Way, factor: float, kinds: Sequence[str] = SPENT) -> Events:
    """Scale what members spend.

    Parameters
    ----------
    events : Events
        With payments in memory, as :func:`only_of` leaves them.
    way : {"amounts", "repeats", "elsewhere"}
    factor : float
        Above 1; repeats are whole, so that their number is rounded up.
    kinds : sequence of str

    Raises
    ------
    GamingError
        If the way is unknown, or the factor scales nothing up.

    Notes
    -----
    Balances, incomes and everything else stay as reported: what a purchase takes off the account is not told of, which
    is the kinder assumption to whoever would gain by spending.
    """
    if way not in WAYS or not factor > 1:
        raise GamingError(
            f"Spending must be scaled in a way among {', '.join(WAYS)} by more than 1, got {way}, {factor}."
        )
    payments = events.read(_TABLE)
    spent = spending_rows(payments, kinds)
    if way == "amounts":
        return _replaced(events, _larger(payments, spent, factor))
    own = payments.filter(spent)
    copies = [_repeated(own, k, elsewhere=way == "elsewhere") for k in range(1, -int(-factor // 1))]
    return _replaced(events, pa.concat_tables([payments, *copies]))


def with_first_purchase(events: Events, observed: pd.DataFrame, kinds: Sequence[str] = SPENT) -> Events:
    """Give one purchase, the day before, to every observation that has none in the half-year before it.

    Parameters
    ----------
    events : Events
        With payments in memory.
    observed : DataFrame
        ``subject_id`` and ``as_of``.
    kinds : sequence of str
        The first of them is what is bought; for what members' spending is in the middle.
    """
    payments = events.read(_TABLE)
    own = payments.filter(spending_rows(payments, kinds))
    as_of = pd.DatetimeIndex(observed["as_of"]).tz_convert("UTC").as_unit("us").asi8
    moments: dict[str, list[int]] = {}
    for member, moment in zip(own["subject_id"].to_pylist(), own["event_time"].to_pylist(), strict=True):
        moments.setdefault(member, []).append(moment)
    amount = int(np.median(own["amount"].to_numpy())) if len(own) else _SMALL
    rows = [
        {"record_id": f"first {subject} {at}", "subject_id": subject, "event_time": at - _DAY, "known_at": at - _DAY,
         "direction": "out", "kind": kinds[0], "amount": amount, "status": "settled", "counterparty_id": "first"}
        for subject, at in zip(observed["subject_id"], as_of.tolist(), strict=True)
        if not any(at - _HALF_YEAR <= moment < at for moment in moments.get(subject, ()))
    ]  # fmt: skip
    return _replaced(events, pa.concat_tables([payments, pa.Table.from_pylist(rows, schema=payments.schema)]))


def _replaced(events: Events, payments: pa.Table) -> Events:
    rows = payments.sort_by([(name, "ascending") for name in CLUSTERED_BY]).combine_chunks()
    return dataclasses.replace(events, sources={**events.sources, _TABLE: rows})


def _larger(payments: pa.Table, spent: pa.ChunkedArray, factor: float) -> pa.Table:
    scaled = pc.min_element_wise(
        pc.round(pc.multiply(pc.cast(payments["amount"], pa.float64()), factor)), float(MAXIMUM_AMOUNT)
    )
    amount = pc.if_else(spent, pc.cast(scaled, pa.int64()), payments["amount"])
    return payments.set_column(payments.schema.get_field_index("amount"), "amount", amount)


def _repeated(own: pa.Table, k: int, *, elsewhere: bool) -> pa.Table:
    """Purchases once more, as rows of their own that correct nothing."""
    place = own.schema.get_field_index
    again = own.set_column(place("record_id"), "record_id", _marked(own["record_id"], k))
    again = again.set_column(place("supersedes"), "supersedes", pa.nulls(len(own), pa.string()))
    if elsewhere:
        again = again.set_column(place("counterparty_id"), "counterparty_id", _marked(own["counterparty_id"], k))
    return again


def _marked(ids: pa.ChunkedArray, k: int) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(ids, pa.scalar(f"again {k}"), pa.scalar(" "))
