"""Machine code is kept per state of the sources, and does without where nothing can be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benne.compiling import cache_folder, compiler


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of two modules."""
    folder = tmp_path / "arithmetic"
    folder.mkdir()
    for name in ("sums", "products"):
        (folder / f"{name}.py").write_text(f"# {name}\n")
    return folder


def test_any_change_of_any_source_leads_to_another_folder(package: Path) -> None:
    before = cache_folder(package)
    assert cache_folder(package) == before
    (package / "products.py").write_text("# products, changed\n")
    assert cache_folder(package) != before


def test_the_folder_is_where_the_environment_says(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENNE_CACHE", "/somewhere")
    assert cache_folder(package).parent == Path("/somewhere/benne")


def test_a_compiled_function_is_found_again_by_a_new_process(tmp_path: Path) -> None:
    code = (
        "from benne.features.kernel.calendar import years_later as f;"
        "f(0, 5); s = f.stats; print(sum(s.cache_hits.values()), sum(s.cache_misses.values()))"
    )
    environment = {**os.environ, "BENNE_CACHE": str(tmp_path)}
    said = [
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [one.split() for one in said] == [["0", "1"], ["1", "0"]]


def test_where_nothing_can_be_written_functions_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("numba.core.dispatcher.Dispatcher.enable_caching", nowhere)

    @compiler(__file__)
    def twice(number: int) -> int:
        return 2 * number

    assert twice(21) == 42
