"""Machine code is kept per state of the sources, and compiled anew wherever it cannot be trusted."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benne.compiling import cache_folder, compiler

SUMS = """
    from benne.compiling import compiler
    from arithmetic_tables import STEP

    compiled = compiler(__file__)

    @compiled
    def step(number):
        return number + STEP

    @compiled
    def two_steps(number):
        return step(step(number))
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two modules, which rests on a number from outside of it, and a cache of its own."""
    folder = tmp_path / "arithmetic"
    folder.mkdir()
    (folder / "sums.py").write_text(textwrap.dedent(SUMS))
    (folder / "products.py").write_text("# products\n")
    monkeypatch.setenv("BENNE_CACHE", str(tmp_path / "cache"))
    declare(1, monkeypatch)
    return folder


def declare(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number outside of the package."""
    tables: Any = ModuleType("arithmetic_tables")
    tables.STEP = step
    monkeypatch.setitem(sys.modules, "arithmetic_tables", tables)


def two_steps_from(package: Path, number: int) -> tuple[int, str]:
    """What the package computes as a new process would, and whether its code was 'kept' or 'compiled'."""
    spec = importlib.util.spec_from_file_location("arithmetic.sums", package / "sums.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.two_steps(number)
    return found, "kept" if module.two_steps.stats.cache_hits else "compiled"


def files_of(package: Path) -> list[Path]:
    return sorted(cache_folder(package).iterdir())


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


def test_a_number_from_outside_of_the_package_is_not_taken_from_old_code(package, monkeypatch) -> None:
    assert two_steps_from(package, 10) == (12, "compiled")
    assert two_steps_from(package, 10) == (12, "kept")
    declare(100, monkeypatch)  # in no source of the package, and built into its machine code
    assert two_steps_from(package, 10) == (210, "compiled")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:10],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content[:4000] + bytes([content[4000] ^ 1]) + content[4001:],
        lambda content: os.urandom(len(content)),
        lambda content: content + b"more",
    ],
    ids=["empty", "a few bytes", "half", "all but one byte", "one bit", "noise", "longer"],
)
def test_a_damaged_file_is_dropped_and_compiled_anew(package, damage, caplog) -> None:
    two_steps_from(package, 1)
    for file in files_of(package):
        file.write_bytes(damage(file.read_bytes()))
    assert two_steps_from(package, 1) == (3, "compiled")
    assert "is damaged or open to others; it is compiled anew" in caplog.text
    assert two_steps_from(package, 1) == (3, "kept")


def test_the_code_of_one_function_is_not_run_for_another(package) -> None:
    two_steps_from(package, 1)
    one, two = files_of(package)
    code_of_one = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(code_of_one)
    assert two_steps_from(package, 1) == (3, "compiled")


def test_whole_code_that_does_not_fit_any_more_is_compiled_anew(package, monkeypatch) -> None:
    two_steps_from(package, 1)

    def changed(*_: object) -> None:
        raise AttributeError("a class that this numba does not have")

    with monkeypatch.context() as patched:
        patched.setattr("numba.core.compiler.CompileResult._rebuild", changed)
        assert two_steps_from(package, 1) == (3, "compiled")
    assert two_steps_from(package, 1) == (3, "kept")


def test_where_nothing_can_be_written_functions_are_compiled_all_the_same(package, monkeypatch, caplog) -> None:
    monkeypatch.setenv("BENNE_CACHE", str(package / "products.py"))  # not even root makes a folder in a file
    assert two_steps_from(package, 1) == (3, "compiled")
    assert two_steps_from(package, 1) == (3, "compiled")
    assert caplog.text == ""


def test_a_function_that_holds_values_of_its_own_is_compiled_in_every_process(package) -> None:
    def adding(more: int) -> Any:
        @compiler(str(package / "sums.py"))
        def add(number: int) -> int:
            return number + more

        return add

    assert [adding(1)(41), adding(2)(41)] == [42, 43]
    assert not cache_folder(package).exists()
