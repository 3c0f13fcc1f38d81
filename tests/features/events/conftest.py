"""A small load in which everything is right, and ways to write it as a platform would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

Frames = dict[str, pd.DataFrame]
MEMBERS = ["anna-4711", "ben-4712", "cleo-4713"]


@pytest.fixture
def good(row: Any, frames: Any) -> Frames:
    """A small load in which everything is right."""
    made: Frames = frames({
        "members": [row(m, 0, adult=True) for m in MEMBERS],
        "dues": [row(m, 10, 0, due_id=f"due-{m}", obligation_id="o", amount_due=100, currency="EUR") for m in MEMBERS],
        "repayments": [row(m, 9, due_id=f"due-{m}", amount=100, currency="EUR") for m in MEMBERS],
        "payments": [row(m, 5, direction="out", kind="bill", amount=7, currency="EUR") for m in MEMBERS],
        "account_status": [row(m, 40, obligation_id="o", months_past_due=0, status="open") for m in MEMBERS],
        "verifications": [row(m, 1, field="phone", event="verified", strength=2) for m in MEMBERS],
        "interactions": [
            row("anna-4711", 3, other_id="ben-4712", direction="given", kind="rating", value=5),
        ],
    })  # fmt: skip
    return made


@pytest.fixture
def as_files(tmp_path: Path) -> Callable[..., Path]:
    """Write frames as raw tables; one of them, where named, as a folder of files with one row each."""

    def write(frames: Frames, split: str = "") -> Path:
        raw = tmp_path / "raw"
        raw.mkdir()
        for name, frame in frames.items():
            table = pa.Table.from_pandas(frame, preserve_index=False)
            if name != split:
                pq.write_table(table, raw / f"{name}.parquet")
                continue
            (raw / name).mkdir()
            for row in range(table.num_rows):
                pq.write_table(table.slice(row, 1), raw / name / f"part-{row:03}.parquet")
        return raw

    return write


@pytest.fixture
def many(good: Frames) -> Frames:
    """The good load with two dozen payments."""
    payments = pd.concat([good["payments"]] * 8, ignore_index=True)
    return {**good, "payments": payments.assign(record_id=[f"p{n}" for n in range(24)])}


@pytest.fixture
def rewrite() -> Callable[[Path, Callable[[pa.Table], pa.Table]], None]:
    """Change what a Parquet file holds."""
    return lambda path, change: pq.write_table(change(pq.read_table(path)), path)
