"""What every test starts from: the repository, the modules in it, the real data, one thread."""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Read by libraries as they are imported, hence before any test module is. Two workers with
# two OpenMP threads each on two cores would spend their time waiting for one another.
os.environ["MPLBACKEND"] = "Agg"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Examples are drawn alike everywhere, so that a failure in one place is one in all of them.
settings.register_profile("benne", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("benne")

# Alembic runs this file inside a migration; imported alone it has no context to run in.
NOT_IMPORTABLE = {"benne.scoring.store.migrations.env"}


def installed_modules() -> Iterator[tuple[str, Path]]:
    """Every module of the tree under its installed name, with its file."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        folders: dict[str, str] = tomllib.load(file)["tool"]["setuptools"]["package-dir"]
    for package, folder in folders.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            yield ".".join([package, *(part for part in parts if part != "__init__")]), path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``module_name`` runs once for every module."""
    if "module_name" in metafunc.fixturenames:
        names = sorted(name for name, _ in installed_modules() if name not in NOT_IMPORTABLE)
        metafunc.parametrize("module_name", names)


@pytest.fixture(autouse=True)
def logs_reach_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow, once imported, keeps SQLAlchemy's and Alembic's messages from the oldest pytest we declare."""
    for name in ("alembic", "sqlalchemy.engine"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def module_files() -> dict[str, Path]:
    """File of every module by its installed name."""
    return dict(installed_modules())


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets that ``BENNE_DATA`` names (default ``../shared/data``)."""
    folder = Path(os.environ.get("BENNE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"No real data in {folder}: set BENNE_DATA to the folder that holds them.")
    return folder
