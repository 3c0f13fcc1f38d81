"""The same aggregates of payments by pandas, Polars and DuckDB's SQL, each as well as we can write it.

All three go the way we found fastest for them: each payment falls in one ring before ``as_of``
(0-30, 30-90, 90-180, 180-365 days, older); rings are aggregated, then added up; a counterparty
counts in the smallest ring it was met in. All three see what happened and was known before ``as_of``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benne.features import FeatureSpec, Registry
from benne.features.events.tables import MAXIMUM_AMOUNT
from benne.features.kernel.expressions import (
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    Expression,
    Largest,
    Ratio,
    Smallest,
    Total,
    stream,
)

__all__ = ["NAMES", "PEERS", "WHOLE", "Values", "registry"]

Values = Mapping[str, npt.NDArray[np.float64]]

_DAY: Final = 86_400_000_000
_WINDOWS: Final = {"30d": 30, "90d": 90, "180d": 180, "365d": 365, "life": None}
_BOUNDS: Final = [days * _DAY for days in _WINDOWS.values() if days]
_RINGS: Final = len(_WINDOWS)
_COLUMNS: Final = ("subject_id", "event_time", "known_at", "amount", "kind", "status", "counterparty_id")

_KINDS: Final = ("n", "total", "mean", "largest", "smallest", "counterparties", "failed", "bills", "billed")
WHOLE: Final = frozenset(f"{kind}_{w}" for kind in _KINDS if kind != "mean" for w in _WINDOWS)
"""The aggregates that are whole numbers, and must be equal exactly."""
NAMES: Final = (*(f"{kind}_{w}" for w in _WINDOWS for kind in _KINDS), "days_since_last", "days_since_first")
"""All of them."""


def registry() -> Registry:
    """The aggregates as features."""
    rows = stream("payments")
    made: dict[str, Expression] = {}
    for name, days in _WINDOWS.items():
        window = rows if days is None else rows.within(days)
        bills = window.where(kind="bill")
        made |= {
            f"n_{name}": Count(window), f"total_{name}": Total(window, "amount"),
            f"mean_{name}": Ratio(Total(window, "amount"), Count(window)),
            f"largest_{name}": Largest(window, "amount"), f"smallest_{name}": Smallest(window, "amount"),
            f"counterparties_{name}": Distinct(window, "counterparty_id"),
            f"failed_{name}": Count(window.where(status="failed")),
            f"bills_{name}": Count(bills), f"billed_{name}": Total(bills, "amount"),
        }  # fmt: skip
    made |= {"days_since_last": DaysSinceLast(rows), "days_since_first": DaysSinceFirst(rows)}
    return Registry(_spec(name, made[name]) for name in NAMES)


def _spec(name: str, expression: Expression) -> FeatureSpec:
    """A benchmark's own feature, complete enough for the registry's door."""
    nullable = name.startswith(("mean", "largest", "smallest", "days"))
    social = name.startswith("counterparties")  # with whom somebody deals is social, and off where that is
    return FeatureSpec(
        name=name, category="social" if social else "behaviour", expression=expression, unit="as measured", minimum=0.0,
        maximum=float(MAXIMUM_AMOUNT) if name.startswith(("mean", "largest", "smallest")) else 1e18,
        null_means="no payments" if nullable else None, direction=0,
        reason_group="benchmark, social" if social else "benchmark",
        jurisdictions_off=("eu",) if social else (),
        label=f"Benchmark aggregate {name.replace('_', ' ')}", adverse_reason="Only for measuring speed, high",
        favourable_reason="Only for measuring speed, low", rationale="Only for measuring speed of computing",
        source="Benne's benchmarks, 2026", owner="benchmarks", actionable=None, gaming="low",
    )  # fmt: skip


# ------------------------------------------------------------------- pandas


def with_pandas(payments: Path, observations: pa.Table) -> Values:
    """Texts as categories, a merge a moment, two grouped aggregates on one integer key, rings added up in numpy."""
    frame = _pandas_frame(payments)
    moments = observations.to_pandas()
    subjects = frame["subject"].cat.categories
    moments["subject"] = subjects.get_indexer(moments["subject_id"])
    frame["subject"] = frame["subject"].cat.codes
    rank = moments.groupby("subject_id", sort=False).cumcount().to_numpy()
    rings = {name: np.full((len(moments), _RINGS), empty) for name, empty in _EMPTY.items()}
    for _, parts in moments[["subject", "as_of"]].rename_axis("row").reset_index().groupby(rank):
        _pandas_rings(parts.merge(frame, on="subject"), rings)
    return _from_rings(rings, moments["as_of"].to_numpy())


_EMPTY: Final = {
    "n": 0, "total": 0, "largest": np.nan, "smallest": np.nan, "failed": 0, "bills": 0, "billed": 0,
    "first": np.nan, "last": np.nan, "counterparties": 0,
}  # fmt: skip


def _pandas_frame(payments: Path) -> pd.DataFrame:
    texts = ["subject_id", "kind", "status", "counterparty_id"]
    frame = pq.read_table(payments, columns=list(_COLUMNS), read_dictionary=texts).to_pandas()
    bill, failed = (frame["kind"] == "bill").to_numpy(), (frame["status"] == "failed").to_numpy()
    return pd.DataFrame({
        "subject": frame["subject_id"], "time": frame["event_time"], "known": frame["known_at"],
        "amount": frame["amount"], "failed": failed.astype(np.int64), "bills": bill.astype(np.int64),
        "billed": frame["amount"].where(bill, 0), "counterparty": frame["counterparty_id"].cat.codes.astype(np.int64),
    })  # fmt: skip


def _pandas_rings(merged: pd.DataFrame, rings: Mapping[str, npt.NDArray[Any]]) -> None:
    seen = merged[(merged["time"] < merged["as_of"]) & (merged["known"] < merged["as_of"])]
    ring = np.searchsorted(_BOUNDS, (seen["as_of"] - seen["time"]).to_numpy(), "left")
    grouped = seen.groupby(seen["row"].to_numpy() * _RINGS + ring)
    made = grouped.agg(
        n=("amount", "size"), total=("amount", "sum"), largest=("amount", "max"), smallest=("amount", "min"),
        failed=("failed", "sum"), bills=("bills", "sum"), billed=("billed", "sum"), first=("time", "min"),
        last=("time", "max"),
    )  # fmt: skip
    for name, column in made.items():
        rings[str(name)].reshape(-1)[made.index] = column
    most = int(merged["counterparty"].max()) + 1
    met = pd.Series(ring).groupby(seen["row"].to_numpy() * most + seen["counterparty"].to_numpy()).min()
    cells = met.index.to_numpy() // most * _RINGS + met.to_numpy()
    counted = np.bincount(cells, minlength=rings["n"].size)
    rings["counterparties"].reshape(-1)[:] = rings["counterparties"].reshape(-1) + counted


def _from_rings(rings: Mapping[str, npt.NDArray[Any]], as_of: npt.NDArray[np.int64]) -> Values:
    summed = {k: v.cumsum(axis=1) for k, v in rings.items() if _EMPTY[k] == 0}
    summed["largest"] = np.fmax.accumulate(rings["largest"], axis=1)
    summed["smallest"] = np.fmin.accumulate(rings["smallest"], axis=1)
    with np.errstate(invalid="ignore"):
        summed["mean"] = summed["total"] / summed["n"]
    values = {f"{kind}_{w}": summed[kind][:, k].astype(np.float64) for k, w in enumerate(_WINDOWS) for kind in _KINDS}
    last, first = np.fmax.reduce(rings["last"], axis=1), np.fmin.reduce(rings["first"], axis=1)
    return values | {"days_since_last": (as_of - last) / _DAY, "days_since_first": (as_of - first) / _DAY}


# ------------------------------------------------------------------- Polars


def with_polars(payments: Path, observations: pa.Table) -> Values:
    """One lazy query on the streaming engine: join, ring, two grouped aggregates."""
    observed = pl.from_arrow(observations)
    assert isinstance(observed, pl.DataFrame)
    wanted = observed.with_row_index("row").lazy()
    joined = _polars_joined(payments, wanted)
    amounts = joined.group_by("row", "ring").agg(
        n=pl.len(), total=pl.sum("amount"), largest=pl.max("amount"), smallest=pl.min("amount"),
        failed=pl.sum("failed"), bills=pl.sum("bill"), billed=pl.col("amount").filter("bill").sum(),
        last=pl.max("event_time"), first=pl.min("event_time"),
    ).group_by("row").agg(*_polars_summed(), pl.max("last"), pl.min("first"))  # fmt: skip
    met = joined.group_by("row", "counterparty_id").agg(pl.min("ring")).group_by("row")
    distinct = met.agg(**{f"counterparties_{w}": (pl.col("ring") <= k).sum() for k, w in enumerate(_WINDOWS)})
    whole = wanted.select("row", "as_of").join(amounts, on="row", how="left").join(distinct, on="row", how="left")
    counts = [name for name in WHOLE if not name.startswith(("largest", "smallest"))]
    done = whole.with_columns(
        pl.col(counts).fill_null(0),
        days_since_last=(pl.col("as_of") - pl.col("last")) / _DAY,
        days_since_first=(pl.col("as_of") - pl.col("first")) / _DAY,
    ).sort("row").select(*(pl.col(name).cast(pl.Float64) for name in NAMES)).collect(engine="streaming")  # fmt: skip
    return {name: done[name].to_numpy() for name in NAMES}


def _polars_joined(payments: Path, wanted: pl.LazyFrame) -> pl.LazyFrame:
    rows = pl.scan_parquet(payments).select(
        "subject_id", "event_time", "known_at", "amount", "counterparty_id",
        failed=(pl.col("status") == "failed").fill_null(False), bill=(pl.col("kind") == "bill").fill_null(False),
    )  # fmt: skip
    ring = pl.lit(_RINGS - 1, pl.Int8)
    for k, bound in reversed(list(enumerate(_BOUNDS))):
        ring = pl.when(pl.col("event_time") >= pl.col("as_of") - bound).then(pl.lit(k, pl.Int8)).otherwise(ring)
    joined = wanted.join(rows, on="subject_id")
    seen = joined.filter(pl.col("event_time") < pl.col("as_of"), pl.col("known_at") < pl.col("as_of"))
    return seen.select("row", "event_time", "amount", "counterparty_id", "failed", "bill", ring=ring)


def _polars_summed() -> list[pl.Expr]:
    made = []
    for k, w in enumerate(_WINDOWS):
        within = pl.col("ring") <= k
        made += [pl.col(c).filter(within).sum().alias(f"{c}_{w}") for c in ("n", "total", "failed", "bills", "billed")]
        made += [pl.col("largest").filter(within).max().alias(f"largest_{w}")]
        made += [pl.col("smallest").filter(within).min().alias(f"smallest_{w}")]
        n, total = pl.col("n").filter(within).sum(), pl.col("total").filter(within).sum()
        made += [pl.when(n > 0).then(total / n).alias(f"mean_{w}")]
    return made


# ----------------------------------------------------------------- ring SQL


def with_ring_sql(payments: Path, observations: pa.Table) -> Values:
    """DuckDB: the best SQL we know for these windows; it spills where memory ends."""
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set temp_directory = '{payments.parent.parent}/spill'")
        connection.register("o", observations.append_column("row", pa.array(np.arange(len(observations)))))
        made = connection.sql(ring_query(payments)).to_arrow_table()
    return {name: made.column(name).to_numpy() for name in NAMES}


def ring_query(payments: Path) -> str:
    """The SQL; ``o`` holds row, subject_id and as_of."""
    cases = " ".join(f"when e.event_time >= o.as_of - {bound} then {k}" for k, bound in enumerate(_BOUNDS))
    ring = f"case {cases} else {_RINGS - 1} end"
    path = str(payments).replace("'", "''")
    joined = (
        f"from o join read_parquet('{path}') e"
        " on e.subject_id = o.subject_id and e.event_time < o.as_of and e.known_at < o.as_of"
    )
    distinct = ", ".join(f"count(*) filter (r <= {k}) as counterparties_{w}" for k, w in enumerate(_WINDOWS))
    results = ", ".join(_sql_result(name) for name in NAMES)
    return f"""
        with g as (
            select row, {ring} as r, count(*) n, sum(amount)::bigint total, max(amount) largest, min(amount) smallest,
                count(*) filter (status = 'failed') failed, count(*) filter (kind = 'bill') bills,
                coalesce(sum(amount) filter (kind = 'bill'), 0)::bigint billed, max(event_time) last,
                min(event_time) first {joined} group by all),
        d as (select row, counterparty_id, min({ring}) as r {joined} group by all),
        a as (select row, {_sql_sums()}, max(last) last, min(first) first from g group by row),
        b as (select row, {distinct} from d group by row)
        select {results} from o left join a using (row) left join b using (row) order by o.row"""  # noqa: S608


def _sql_sums() -> str:
    made = []
    for k, w in enumerate(_WINDOWS):
        made += [f"sum({c}) filter (r <= {k}) as {c}_{w}" for c in ("n", "total", "failed", "bills", "billed")]
        made += [f"max(largest) filter (r <= {k}) as largest_{w}", f"min(smallest) filter (r <= {k}) as smallest_{w}"]
    return ", ".join(made)


def _sql_result(name: str) -> str:
    if name.startswith("days_since_"):
        return f"(as_of - {name.removeprefix('days_since_')}) / {_DAY}::double as {name}"
    kind, w = name.rsplit("_", 1)
    if kind == "mean":
        return f"total_{w}::double / nullif(n_{w}, 0) as {name}"
    if kind in ("largest", "smallest"):
        return f"coalesce({name}::double, 'nan'::double) as {name}"
    return f"coalesce({name}, 0)::double as {name}"


PEERS: Final[dict[str, Callable[[Path, pa.Table], Values]]] = {
    "pandas": with_pandas, "Polars": with_polars, "ring SQL": with_ring_sql,
}  # fmt: skip
