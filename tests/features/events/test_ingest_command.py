"""``benne ingest``: the first refusal, or with --check-only all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from benne.cli import app
from benne.features.events import write_key_file

Frames = dict[str, pd.DataFrame]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """Ingest ``raw`` with a key of its own."""
    write_key_file(tmp_path / "subject.key", bytes(range(32)))

    def called(*options: str) -> Any:
        folders = [str(tmp_path / "raw"), str(tmp_path / "out"), "--key-file", str(tmp_path / "subject.key")]
        return CliRunner().invoke(app, ["ingest", *folders, *options])

    return called


@pytest.fixture
def wrong(many: Frames, as_files: Callable[..., Path]) -> Path:
    """Two negative amounts, and a due nobody knows."""
    many["payments"].loc[[3, 8], "amount"] = -1
    many["repayments"].loc[2, "due_id"] = "due-nowhere"
    return as_files(many, split="payments")


def test_a_refusal_says_how_to_see_all_of_them(run: Any, wrong: Path, tmp_path: Path) -> None:
    result = run()
    assert result.exit_code == 3
    assert "(rows 0 of payments/part-003.parquet)" in result.stderr
    assert "--check-only lists everything" in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_check_prints_and_writes_everything_and_ends_as_a_refusal(run: Any, wrong: Path, tmp_path: Path) -> None:
    result = run("--check-only", "--report", str(tmp_path / "report.json"))
    assert result.exit_code == 3
    assert "payments/part-003.parquet rows 0" in result.stdout
    assert "repayments.due_id" in result.stdout
    assert "2 rule(s) broken" in result.stdout
    assert "nowhere" not in result.stdout
    written = json.loads((tmp_path / "report.json").read_text())
    assert [(r["file"], r["rows"]) for r in written["refusals"]] == [
        ("payments/part-003.parquet", 1), ("payments/part-008.parquet", 1), ("repayments.parquet", 1),
    ]  # fmt: skip
    assert json.loads(run("--check-only", "--json").stdout) == written
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw", "report.json", "subject.key"]


def test_a_check_without_findings_ends_well_and_writes_no_events(
    run: Any, many: Frames, as_files: Any, tmp_path: Path
) -> None:
    as_files(many)
    result = run("--check-only")
    assert (result.exit_code, (tmp_path / "out").exists()) == (0, False)
    assert "0 rule(s) broken: nothing would be refused" in result.stdout


def test_a_tolerated_skew_is_taken_and_told(run: Any, good: Frames, as_files: Any) -> None:
    good["payments"]["known_at"] = good["payments"]["event_time"] - pd.Timedelta(seconds=90)
    as_files(good)
    assert run("--clock-skew-seconds", "89").exit_code == 3
    told = json.loads(run("--clock-skew-seconds", "90", "--json").stdout)
    assert told["known_at_lifted"] == {"payments": 3}


def test_options_that_cannot_be_are_usage_errors(run: Any, good: Frames, as_files: Any) -> None:
    as_files(good)
    assert run("--clock-skew-seconds", "3601").exit_code == 2
    assert run("--report", "report.json").exit_code == 2
    (result,) = [run("--report", "report.json")]
    assert "--report needs --check-only" in result.stderr
