"""Windowed aggregates of payments: Benne's kernel beside pandas and the best SQL we know, in one run.

The same counts, sums, maxima and distinct counterparties in five windows, for every member at
one and at five moments. Read the ratios: seconds depend on the machine.

    python benchmarks/bench_features.py --events 2000000 --members 20000
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd

from benne.features import ConsentMask, Events, FeatureSpec, Registry, SubjectKey, build_features, load_events
from benne.features.kernel.expressions import Count, Distinct, Expression, Largest, Total, stream

WINDOWS = {"30d": 30, "90d": 90, "180d": 180, "365d": 365, "life": None}
START, YEARS = datetime(2023, 1, 1, tzinfo=UTC), 2
Table = pd.DataFrame


def world(events: int, members: int, seed: int = 0) -> tuple[Events, Table, Table]:
    """Random payments, as Events and as the plain table the others read; and who is in it."""
    rng = np.random.default_rng(seed)
    key = SubjectKey(b"benchmark key, not a secret, 32 bytes long")
    member = rng.integers(0, members, events)
    when = pd.Timestamp(START) + pd.to_timedelta(rng.integers(0, YEARS * 365 * 86_400, events), unit="s")
    raw = {"member_id": member, "event_time": when, "known_at": when, "record_id": np.arange(events)}
    payments = Table(raw | {
        "direction": "out", "amount": rng.integers(1, 10**7, events), "counterparty_id": rng.integers(0, 500, events),
    })  # fmt: skip
    joined = Table({"record_id": range(members), "member_id": range(members), "event_time": START, "known_at": START})
    tables = {"members": joined.assign(adult=True), "payments": payments}
    loaded = load_events(tables, key=key, ingested_at=datetime(2026, 1, 1, tzinfo=UTC))
    subjects = Table({"subject_id": key.subject_ids(list(range(members)))})
    return loaded, loaded.read("payments").to_pandas(), subjects


def registry() -> Registry:
    """The aggregates, as features."""
    rows, aggregates = stream("payments"), {}
    for name, days in WINDOWS.items():
        window = rows if days is None else rows.within(days)
        aggregates |= {
            f"n_{name}": Count(window), f"sum_{name}": Total(window, "amount"),
            f"max_{name}": Largest(window, "amount"), f"cp_{name}": Distinct(window, "counterparty_id"),
        }  # fmt: skip
    return Registry(spec(name, expression) for name, expression in aggregates.items())


def spec(name: str, expression: Expression) -> FeatureSpec:
    """A benchmark's own feature, complete enough for the registry's door."""
    return FeatureSpec(
        name=name, category="behaviour", expression=expression, unit="benchmark", minimum=0.0, maximum=1e18,
        null_means="no payments", direction=0, reason_group="benchmark", label="Benchmark aggregate",
        adverse_reason="Only for measuring", favourable_reason="Only for measuring",
        rationale="Only for measuring speed", source="this file", owner="benchmarks", actionable=None, gaming="low",
    )  # fmt: skip


def with_benne(events: Events, _: Table, observations: Table) -> Table:
    """Our engine."""
    frame = build_features(
        events, observations, consents=ConsentMask.all_granted(reason="benchmark"), registry=registry()
    )
    return frame.reset_index()


def with_pandas(_: Events, payments: Table, observations: Table) -> Table:
    """A merge, a mask a window, a grouped aggregate: what one writes in a notebook."""
    out = observations.assign(moment=micros(observations["as_of"])).reset_index(names="row")
    merged = out[["row", "subject_id", "moment"]].merge(
        payments[["subject_id", "event_time", "amount", "counterparty_id"]]
    )
    merged = merged[merged["event_time"] < merged["moment"]]
    for name, days in WINDOWS.items():
        part = merged if days is None else merged[merged["event_time"] >= merged["moment"] - days * 86_400_000_000]
        grouped = part.groupby("row").agg(
            n=("amount", "size"), s=("amount", "sum"), m=("amount", "max"), c=("counterparty_id", "nunique")
        )
        grouped = grouped.reindex(out["row"])
        for ours, theirs in {"n": "n", "sum": "s", "max": "m", "cp": "c"}.items():
            out[f"{ours}_{name}"] = grouped[theirs].to_numpy()
    return out


def with_ring_sql(_: Events, payments: Table, observations: Table) -> Table:
    """DuckDB: each event falls in one ring; rings are added up; a counterparty counts in its smallest."""
    bounds = [days for days in WINDOWS.values() if days]
    cases = " ".join(f"when e.event_time >= o.moment - {d} * 86400000000 then {k}" for k, d in enumerate(bounds))
    ring = f"case {cases} else {len(bounds)} end"
    sums = ", ".join(
        f"sum(n) filter (r <= {k}) as n_{w}, sum(s) filter (r <= {k}) as sum_{w}, max(m) filter (r <= {k}) as max_{w}"
        for k, w in enumerate(WINDOWS))  # fmt: skip
    distinct = ", ".join(f"count(*) filter (r <= {k}) as cp_{w}" for k, w in enumerate(WINDOWS))
    observed = observations.assign(moment=micros(observations["as_of"])).reset_index(names="row")
    with duckdb.connect() as connection:
        connection.register("o", observed[["row", "subject_id", "moment"]])
        connection.register("e", payments[["subject_id", "event_time", "amount", "counterparty_id"]])
        joined = "from o join e on e.subject_id = o.subject_id and e.event_time < o.moment"
        query = f"""
            with g as (select row, {ring} as r, count(*) n, sum(amount) s, max(amount) m {joined} group by all),
                 d as (select row, counterparty_id, min({ring}) as r {joined} group by all),
                 a as (select row, {sums} from g group by row), b as (select row, {distinct} from d group by row)
            select o.row, a.* exclude row, b.* exclude row from o left join a using (row) left join b using (row)
            order by o.row"""  # noqa: S608 - assembled from this file's constants
        return connection.sql(query).df()


def micros(times: pd.Series) -> pd.Series:
    """Microseconds since 1970-01-01 UTC."""
    return times.dt.tz_convert("UTC").dt.as_unit("us").dt.tz_localize(None).astype("int64")


def timed(run: Callable[[Events, Table, Table], Table], *args: object) -> tuple[float, Table]:
    """Seconds and the result."""
    begin = time.perf_counter()
    result = run(*args)  # type: ignore[arg-type]
    return time.perf_counter() - begin, result


def same(ours: Table, theirs: Table) -> bool:
    """Whether every aggregate agrees exactly; a missing count is none."""
    return all(
        np.array_equal(ours[f"{k}_{w}"].fillna(0).to_numpy(float), theirs[f"{k}_{w}"].fillna(0).to_numpy(float))
        for w in WINDOWS for k in ("n", "sum", "max", "cp")
    )  # fmt: skip


def main() -> int:
    """Run and say the ratios; exit with 1 where results differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--members", type=int, default=20_000)
    options = parser.parse_args()
    events, payments, subjects = world(options.events, options.members)
    moments = pd.date_range("2024-03-01", periods=5, freq="60D", tz="UTC")
    failed = False
    sys.stdout.write(f"{options.events:,} payments of {options.members:,} members, {4 * len(WINDOWS)} aggregates\n")
    for count in (1, 5):
        observations = subjects.merge(Table({"as_of": moments[:count]}), how="cross")
        ours, result = timed(with_benne, events, payments, observations)
        line = f"{count} as_of: benne {ours:.2f} s"
        for name, run in (("pandas", with_pandas), ("ring SQL", with_ring_sql)):
            seconds, other = timed(run, events, payments, observations)
            agrees = same(result, other)
            failed |= not agrees
            line += (
                f"; {name} {seconds:.2f} s = {seconds / ours:.2f}x ours ({'same' if agrees else 'DIFFERENT'} values)"
            )
        sys.stdout.write(line + "\n")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
