"""The benchmarks still run: they measure nothing here, and a broken one would be found only when a figure is wanted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def _run(repository: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / "benchmarks" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=repository)


@pytest.mark.parametrize("name", ["batch", "console", "explanations", "features", "model"])
def test_every_benchmark_says_how_it_is_used(repository, name):
    said = _run(repository, f"bench_{name}.py", "--help")
    assert (said.returncode, "--skip" in said.stdout) == (0, True), said.stderr


def test_the_benchmark_of_the_score_model_runs_small(repository):
    small = (
        "--rows",
        "2000",
        "--repeats",
        "1",
        "--skip",
        "accuracy,points,depths,oracles,estimator,first,fit,patterns",
    )
    said = _run(repository, "bench_model.py", *small)
    assert said.returncode == 0, said.stderr[-2000:]
    assert "2,000 rows of 70 columns in one process" in said.stdout
    assert "predict_score" in said.stdout


@pytest.mark.slow
def test_the_points_of_the_benchmark_are_those_of_its_oracles(repository):
    said = _run(repository, "bench_model.py", "--repeats", "1", "--skip", "accuracy,depths,first,fit,patterns,rows")
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]
    assert "pred_contrib" in said.stdout


@pytest.mark.slow
def test_the_benchmark_of_the_features_runs_small(repository):
    said = _run(
        repository, "bench_features.py", "--events", "20000", "--skip", "compile,spark,growth,online,unclustered"
    )
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]


@pytest.mark.slow
def test_the_benchmark_of_batches_runs_small(repository):
    said = _run(repository, "bench_batch.py", "--members", "2000", "--trees", "20", "--skip", "growth")
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]
    assert "From end to end, 2,000 members" in said.stdout
    assert "pred_contrib" in said.stdout


@pytest.mark.slow
def test_the_benchmark_of_explanations_runs_small(repository):
    said = _run(repository, "bench_explanations.py", "--members", "3000", "--trees", "20", "--skip", "documents")
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]
    assert "points, reasons, key factors" in said.stdout


@pytest.mark.slow
def test_the_benchmark_of_the_console_runs_small(repository):
    said = _run(
        repository, "bench_console.py", "--members", "1500", "--cases", "120", "--rounds", "4", "--trees", "20",
        "--platform", "200",
    )  # fmt: skip
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]
    assert "score and explanation, p95" in said.stdout
    assert all(page in said.stdout for page in ("live monitoring", "roll-out", "a document about the model"))
