"""Windowed aggregates of payments against plain DuckDB SQL.

Each event lies in one ring before ``as_of``: 0-30 days, 30-90, 90-180, 180-365, older. SQL
aggregates per ring and adds the rings up; the kernel never meets it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from benne.features import ConsentMask, Registry, build_features, load_events, registry
from benne.features.kernel.expressions import (
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    Expression,
    Largest,
    Total,
    stream,
)
from benne.features.possible_values import possible

WINDOWS: dict[str, int | None] = {"30d": 30, "90d": 90, "180d": 180, "365d": 365, "life": None}
_PAYMENTS = stream("payments")


def _expressions() -> dict[str, Expression]:
    found: dict[str, Expression] = {"since_last": DaysSinceLast(_PAYMENTS), "since_first": DaysSinceFirst(_PAYMENTS)}
    for name, days in WINDOWS.items():
        rows = _PAYMENTS if days is None else _PAYMENTS.within(days)
        found |= {
            f"count_{name}": Count(rows), f"sum_{name}": Total(rows, "amount"),
            f"largest_{name}": Largest(rows, "amount"), f"failed_{name}": Count(rows.where(status="failed")),
            f"counterparties_{name}": Distinct(rows, "counterparty_id"),
        }  # fmt: skip
    return found


def _registry() -> Registry:
    like = registry["counterparties_365d"]
    return Registry(
        replace(like, name=name, label=f"Aggregate {name.replace('_', ' ')}", expression=expression, minimum=0.0,
                maximum=min(1e18, possible(expression).high),
                null_means="nothing" if possible(expression).nullable else None)
        for name, expression in _expressions().items()
    )  # fmt: skip


_RING = """
    case when p.event_time >= o.as_of - interval 30 day then 0 when p.event_time >= o.as_of - interval 90 day then 1
         when p.event_time >= o.as_of - interval 180 day then 2 when p.event_time >= o.as_of - interval 365 day then 3
         else 4 end"""


def _sql() -> str:
    columns = [
        f"""coalesce(sum(n) filter (ring <= {i}), 0) as count_{name},
        coalesce(sum(total) filter (ring <= {i}), 0) as sum_{name},
        max(largest) filter (ring <= {i}) as largest_{name},
        coalesce(sum(failed) filter (ring <= {i}), 0) as failed_{name},
        any_value(kinds_{i}) as counterparties_{name}"""
        for i, name in enumerate(WINDOWS)
    ]
    kinds = ", ".join(f"count(*) filter (ring <= {i}) as kinds_{i}" for i in range(len(WINDOWS)))
    return f"""
    with seen as (
      select o.place, o.as_of, p.*, {_RING} as ring
      from observations o join payments p on p.member = o.member and p.event_time < o.as_of and p.known_at < o.as_of
      where not exists (select 1 from payments c where c.supersedes = p.record_id and c.known_at < o.as_of)),
    rings as (
      select place, as_of, ring, count(*) n, sum(amount) total, max(amount) largest,
        count(*) filter (status = 'failed') failed, max(event_time) last, min(event_time) first
      from seen group by all),
    nearest as (
      select place, counterparty, min(ring) ring from seen where counterparty is not null group by all),
    counterparties as (select place, {kinds} from nearest group by 1)
    select place, {", ".join(columns)},
      epoch_us(any_value(as_of)) - epoch_us(max(last)) as since_last,
      epoch_us(any_value(as_of)) - epoch_us(min(first)) as since_first
    from rings left join counterparties using (place) group by place"""


@pytest.fixture(scope="module")
def payments() -> pd.DataFrame:
    """Eight thousand payments of forty members, on a grid of quarter days; a fifth known late, some corrected."""
    rng = np.random.default_rng(8)
    m = 8000
    happened = pd.Timestamp("2023-01-01", tz="UTC") + pd.to_timedelta(6 * rng.integers(0, 4 * 700, m), unit="h")
    lag = pd.to_timedelta(np.where(rng.random(m) < 0.2, 6 * rng.integers(0, 160, m), 0), unit="h")
    corrects = np.where(np.arange(m) % 10 == 9, np.arange(m) - 1, -1)
    frame = pd.DataFrame({
        "record_id": [f"p{i}" for i in range(m)],
        "supersedes": [None if c < 0 else f"p{c}" for c in corrects],
        "member": rng.integers(0, 40, m).astype(str), "event_time": happened, "known_at": happened + lag,
        "amount": rng.integers(0, 2**40, m), "status": rng.choice(["settled", "failed"], m, p=[0.9, 0.1]),
        "counterparty": np.where(rng.random(m) < 0.1, None, rng.integers(0, 12, m).astype(str).astype(object)),
    })  # fmt: skip
    corrected = frame["supersedes"].notna().to_numpy()
    frame.loc[corrected, "member"] = frame["member"].to_numpy()[corrects[corrected]]
    earlier = frame["known_at"].to_numpy()[corrects[corrected]]
    frame.loc[corrected, "known_at"] = np.maximum(frame.loc[corrected, "known_at"].to_numpy(), earlier)
    return frame


def test_counts_sums_largest_and_distinct_equal_the_ring_sql(
    payments: pd.DataFrame, key: Any, clock: Any, everything: ConsentMask
) -> None:
    rng = np.random.default_rng(9)
    start = pd.Timestamp("2023-01-02", tz="UTC")
    asked = pd.DataFrame({"member": np.repeat(np.arange(40), 6).astype(str)})
    weeks = rng.permuted(np.tile(np.arange(100), (40, 1)), axis=1)[:, :6].ravel()
    asked["as_of"] = start + pd.to_timedelta(7 * weeks, unit="D")
    asked["place"] = np.arange(len(asked))
    joined = pd.to_datetime(["2022-12-31"] * 40, utc=True)
    members = pd.DataFrame({
        "record_id": range(40), "member_id": range(40), "event_time": joined, "known_at": joined, "adult": True,
    })  # fmt: skip
    raw = payments.rename(columns={"member": "member_id", "counterparty": "counterparty_id"}).assign(direction="out")
    events = load_events({"members": members, "payments": raw}, key=key, ingested_at=clock)
    observations = pd.DataFrame({"subject_id": key.subject_ids(asked["member"]), "as_of": asked["as_of"]})
    got = build_features(events, observations, consents=everything, registry=_registry())
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("payments", payments)
        connection.register("observations", asked)
        wanted = connection.sql(_sql()).df().set_index("place").reindex(asked["place"])
    for name in _expressions():
        told = wanted[name].astype(float).to_numpy()
        if name.startswith("since"):
            told = told / 86_400e6
            np.testing.assert_allclose(got[name], told, rtol=1e-12)
        elif name.startswith("largest"):
            np.testing.assert_array_equal(got[name], told)
        else:
            np.testing.assert_array_equal(got[name], np.nan_to_num(told), err_msg=name)
    assert (wanted["count_life"] > wanted["count_30d"]).sum() > 200
