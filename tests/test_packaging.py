"""What is installed is what is in the tree, pinned and at the versions it says."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

NOT_PACKAGED = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "mlruns")


@pytest.fixture(scope="module")
def pyproject(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a wheel built from a clean copy of the tree, fetching nothing."""
    copy = tmp_path_factory.mktemp("wheel") / "tree"
    shutil.copytree(repository, copy, ignore=NOT_PACKAGED)
    build = "import setuptools.build_meta as backend; print(backend.build_wheel('dist'))"
    result = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (built,) = (copy / "dist").glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_every_folder_with_modules_is_a_declared_package(pyproject, module_files):
    in_tree = {name if path.name == "__init__.py" else name.rpartition(".")[0] for name, path in module_files.items()}
    assert sorted(pyproject["tool"]["setuptools"]["packages"]) == sorted(in_tree)


def test_every_package_has_an_init_file(pyproject, module_files):
    initialised = {name for name, path in module_files.items() if path.name == "__init__.py"}
    assert set(pyproject["tool"]["setuptools"]["packages"]) == initialised


def test_the_wheel_holds_every_module_under_its_installed_name(wheel, module_files):
    expected = {
        name.replace(".", "/") + ("/__init__.py" if path.name == "__init__.py" else ".py")
        for name, path in module_files.items()
    }
    assert {name for name in wheel if name.endswith(".py")} == expected


def test_the_wheel_holds_every_data_file_beside_the_modules(wheel, pyproject, repository):
    for package, folder in pyproject["tool"]["setuptools"]["package-dir"].items():
        for path in (repository / folder).rglob("*"):
            if path.is_file() and path.suffix not in {".py", ".pyc"}:
                installed = f"{package.replace('.', '/')}/{path.relative_to(repository / folder).as_posix()}"
                assert installed in wheel, f"{installed} is in no package-data of pyproject.toml"


def test_the_wheel_installs_nothing_beside_benne(wheel):
    assert {re.split(r"[/-]", name)[0] for name in wheel} == {"benne"}


def test_the_wheel_carries_the_licence_and_the_command(wheel):
    assert any(name.endswith("licenses/LICENSE") for name in wheel)
    assert any(name.endswith("entry_points.txt") for name in wheel)


def test_benne_imports_from_a_folder_that_has_its_own_models(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise RuntimeError('the wrong models')\n")
    result = subprocess.run(
        [sys.executable, "-c", "import benne.models, benne.features"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def _of_packages(found: dict[str, Any]) -> dict[str, Any]:
    """By package alone: the development set may want one of the demo's on more platforms."""
    return {name.split()[0]: pin for name, pin in found.items()}


@pytest.mark.parametrize("listed", ["demo.txt", "dev.txt", "installer.txt", "lowest.txt"])
def test_every_pin_is_exact_and_hashed(repository, listed):
    entries = pins(repository / "constraints" / listed)
    assert entries
    assert [name for name, (version, hashes) in entries.items() if not version or not hashes] == []


def test_the_demo_installs_a_part_of_the_development_set(repository):
    development, demo = (_of_packages(pins(repository / "constraints" / name)) for name in ("dev.txt", "demo.txt"))
    assert {name: development.get(name) for name in demo} == demo


def test_the_lowest_set_holds_every_declared_lower_bound(repository, pyproject):
    """A bound that the resolver had to leave is a bound that cannot be installed."""
    lowest = {name: version for name, (version, _) in pins(repository / "constraints" / "lowest.txt").items()}
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    declared = [
        *project["dependencies"],
        *(d for e in ("train", "report", "service", "client", "dev") for d in extras[e]),
    ]
    bounds = dict(re.fullmatch(r"([\w.-]+)>=([\w.]+)(?:;.*)?", d).groups() for d in declared if "benne[" not in d)
    assert {name: bound for name, bound in bounds.items() if not same_version(lowest[name], bound)} == {}


def test_installed_versions_are_at_least_the_declared_ones(pyproject):
    for requirement in pyproject["project"]["dependencies"]:
        name, bound = requirement.split(">=")
        assert release(importlib.metadata.version(name)) >= release(bound), requirement


def pins(path: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Version and hashes by name and marker."""
    text = re.sub(r"#.*", "", path.read_text("utf-8")).replace("\\\n", " ")
    entries = {}
    for line in filter(str.strip, text.splitlines()):
        requirement, *hashes = line.split("--hash=")
        name, _, version = requirement.partition("==")
        version, _, marker = version.partition(";")
        key = f"{name.strip()} {marker.strip()}".strip()
        entries[key] = (version.strip(), tuple(h.strip() for h in hashes))
    return entries


def release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.match(r"[\d.]*\d", version).group().split("."))


def same_version(installed: str, bound: str) -> bool:
    """Whether the versions are equal but for trailing zeros, or a stub's date."""
    width = len(release(bound))
    return release(installed)[:width] == release(bound) and not any(release(installed)[width : width + 1])
