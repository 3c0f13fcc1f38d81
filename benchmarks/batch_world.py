"""Members, consents and features for the benchmark of batches; as many as one likes, in bounded time and memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from model_world import named, rows_of

from benne.features.categories import CATEGORIES
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring import Capture, ConsentLedger, ConsentRequest, ConsentTerms, Notice, open_store
from benne.scoring.wiring import random_id, system_clock

__all__ = ["AS_OF_US", "make_features", "make_ledger", "make_model", "subjects_of"]

COLUMNS: Final = 60
AS_OF_US: Final = 1_790_000_000_000_000
_BLOCK: Final = 100_000
_CLONED: Final = 500_000  # members in one transaction

# Of a hundred members: how many, the categories they consent to, the finest answer, and whether they withdrew.
_KINDS: Final = (
    (78, CATEGORIES, "exact", False),
    (10, CATEGORIES[:4], "exact", False),
    (3, ("credit_history", "ability"), "exact", False),
    (5, CATEGORIES, "band", False),
    (2, CATEGORIES, "exact", True),
)
"""The two who are left never consented."""


def subjects_of(first: int, rows: int) -> list[str]:
    """Ids in rising order that look as keyed ones do."""
    rng = np.random.default_rng(first)
    tails = rng.integers(0, 2**63, size=rows, dtype=np.uint64)
    return [f"{n:016x}{tail:016x}" for n, tail in zip(range(first, first + rows), tails.tolist(), strict=True)]


def _kinds(first: int, rows: int) -> npt.NDArray[np.intp]:
    """Kind of each member; -1 for those who never consented."""
    table = np.concatenate([np.full(kind[0], k) for k, kind in enumerate(_KINDS)] + [np.array([-1, -1])])
    return table[np.random.default_rng(7 + first).permutation(np.arange(first, first + rows) % 100)]


def make_model(folder: Path, trees: int, rows: int) -> None:
    """A model of sixty columns in five categories."""
    X, bad = rows_of(rows, COLUMNS)
    frame, categories = named(X)
    options = BoosterOptions(max_trees=trees, patience=trees, learning_rate=0.05, threads=1)
    model = CreditScoreModel(
        categories=categories, booster=options, own_booster_gap=None, unconstrained_price=False
    ).fit(frame, bad)
    model.save(folder)


def make_features(path: Path, members: int) -> None:
    """One row for each member, a row group for each block; what is withheld is null."""
    values, _ = rows_of(_BLOCK, COLUMNS, 1)
    frame, categories = named(values)
    owner = {column: category for category, columns in categories.items() for column in columns}
    schema = None
    writer: Any = None
    for first in range(0, members, _BLOCK):
        rows = min(_BLOCK, members - first)
        consented = _mask(_kinds(first, rows))
        columns: dict[str, Any] = {
            "subject_id": pa.array(subjects_of(first, rows), pa.large_string()),
            "as_of": pa.array(np.full(rows, AS_OF_US)).view(pa.timestamp("us", tz="UTC")),
        }
        for name in frame.columns:
            part = frame[name].to_numpy()[:rows]
            columns[name] = pa.array(part, mask=np.isnan(part) | ~consented[:, CATEGORIES.index(owner[name])])
        columns |= {MASK_COLUMNS[c]: pa.array(consented[:, k]) for k, c in enumerate(CATEGORIES)}
        table = pa.table(columns)
        if writer is None:
            schema = table.schema
            writer = pq.ParquetWriter(path, schema, use_dictionary=False)
        writer.write_table(table, row_group_size=_BLOCK)
    writer.close()


def _mask(kinds: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Who has no consent has no features either, but their row is asked about."""
    flags = np.array([[c in kind[1] for c in CATEGORIES] for kind in _KINDS] + [[False] * len(CATEGORIES)])
    return flags[kinds]


def make_ledger(path: Path, members: int) -> None:
    """A ledger of so many members: one of each kind by the ledger itself, the others copied from those in SQL.

    Copies do not continue the chains of hashes, which no batch looks at.
    """
    models = _one_of_each(path)
    connection = sqlite3.connect(path)
    connection.executescript(
        "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA cache_size = -200000;"
        "CREATE TEMP TABLE member (n INTEGER PRIMARY KEY, subject_id TEXT, model TEXT)"
    )
    for first in range(0, members, _CLONED):
        rows = min(_CLONED, members - first)
        _copy(connection, first, list(_copies(first, rows, models)))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _one_of_each(path: Path) -> list[str]:
    """Record ids of one member of each kind."""
    store = open_store(path)
    ledger = ConsentLedger(store, clock=system_clock, ids=random_id)
    notice = ledger.register_notice(
        Notice(notice_id="n", version="1", language="en", text="May we? Each switch is off.")
    )
    capture = Capture(channel="app", method="toggle_switched_on", steps=1, session_hash="ab" * 32)
    models = []
    for k, (_, categories, granularity, withdrawn) in enumerate(_KINDS):
        terms = ConsentTerms(
            notice=notice, purpose="lending", recipient="platform", controller="The platform",
            validity=timedelta(days=365), retention_days=730, storage_location="eu", granularity=granularity,
            withdrawal_method="the same switch",
        )  # fmt: skip
        subject = f"{'f' * 16}{k:016x}"
        request = ConsentRequest(subject_id=subject, terms=terms, capture=capture, categories=categories)
        models.append(ledger.grant(request).record_id)
        if withdrawn:
            ledger.withdraw(subject, "lending", "platform")
    store.close()
    return models


def _copies(first: int, rows: int, models: list[str]) -> Iterator[tuple[int, str, str]]:
    kinds = np.concatenate([_kinds(at, min(_BLOCK, first + rows - at)) for at in range(first, first + rows, _BLOCK)])
    ids = [one for at in range(first, first + rows, _BLOCK) for one in subjects_of(at, min(_BLOCK, first + rows - at))]
    for n, (subject, kind) in enumerate(zip(ids, kinds.tolist(), strict=True)):
        if kind >= 0:
            yield n, subject, models[kind]


def _copy(connection: sqlite3.Connection, first: int, members: list[tuple[int, str, str]]) -> None:
    """Rows of the models under other names; times are set back to before the features."""
    back = AS_OF_US - 86_400_000_000
    connection.execute("DELETE FROM member")
    connection.executemany("INSERT INTO member VALUES (?, ?, ?)", members)
    record_id = f"printf('%032x', {first} + m.n)"
    for table, renamed in (
        ("consent_records", {"record_id": record_id, "subject_id": "m.subject_id", "given_at_us": back}),
        ("consent_record_categories", {"record_id": record_id}),
        ("consent_events", {"record_id": record_id, "time_us": back}),
    ):
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        last = 0
        if "seq" in names:
            (last,) = connection.execute(f"SELECT max(seq) FROM {table}").fetchone()  # noqa: S608
            renamed = renamed | {"seq": f"{last} + row_number() OVER ()"}
        values = ", ".join(str(renamed.get(name, f"t.{name}")) for name in names)
        order = "" if "seq" not in names else ", t.seq"
        connection.execute(
            f"INSERT INTO {table} SELECT {values} FROM member m CROSS JOIN {table} t "  # noqa: S608 - our own names
            f"WHERE t.record_id = m.model ORDER BY m.n{order}"
        )
    connection.commit()
