"""A running service with a challenger on its shelf, and members whom it may score."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benne.scoring.consent.terms_file import TermsDraft, write_terms
from benne.scoring.decisions.request import Actor, ScoreRequest
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.laying_out import lay_out
from benne.scoring.policy import Asked
from benne.scoring.service_wiring import opened_service
from benne.scoring.settings import read_settings
from tests.scoring.conftest import PostgresDatabases
from tests.scoring.service.conftest import Running, another_model, model_folder, verdicts
from tests.scoring.validated import validated

OPS = Actor("ops", "admin")
ASKED = Asked(recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="exact")
MEMBERS = 24
__all__ = ["another_model", "model_folder", "verdicts"]


class Rolling:
    """A running service, its members, and a challenger."""

    def __init__(self, running: Running, folder: Path, members: int) -> None:
        self.running, self.service = running, running.service
        self.folder, self.validated = folder, False
        self.names = [f"m{k}" for k in range(members)]
        self.challenger: ServedModel = self.service.shelf.put(folder)
        self.champion: ServedModel = self.service.models.current

    def ask(self, names: list[str] | None = None, **changes: Any) -> list[Any]:
        """Ask in one pass."""
        return self.service.maker.decide([self.request(name) for name in names or self.names])

    def request(self, name: str) -> ScoreRequest:
        return ScoreRequest(subject_id=self.running.member(name), asked=ASKED, actor=Actor("key:1", "recipient"),
                            registered_for=frozenset({"lending"}))  # fmt: skip

    def begin(self) -> Any:
        begun = self.service.rollouts.begin(self.challenger, OPS)
        assert self.service.rollouts.follow()
        return begun

    def stage(self, basis_points: int) -> Any:
        """Have it validated, and let it serve, whatever it was compared on."""
        if not self.validated:
            validated(self.service.store, self.service.group, self.folder)
            self.validated = True
        staged = self.service.rollouts.stage(basis_points, OPS, least_compared=0)
        assert self.service.rollouts.follow()
        return staged

    def counted(self, name: str, cell: int = 0) -> tuple[int, float]:
        """What was counted of the newest roll-out."""
        assert self.service.rollouts.shadow.settle()
        rows = [row for row in self.running.rows("live_counts") if row["name"] == name and row["cell"] == cell]
        return sum(row["n"] for row in rows), sum(row["amount"] for row in rows)

    def outcomes(self) -> list[str]:
        """What the audit chain says of roll-outs."""
        return [row["outcome"] for row in self.running.rows("audit_records") if row["type"] == "rollout_changed"]


def make_known(running: Running, members: int) -> None:
    """Members who consent, and their features."""
    for k in range(members):
        running.grant(f"m{k}")
        running.know(f"m{k}", value_of(k))


def value_of(k: int) -> float:
    """Of each of the five features of a member."""
    return 0.1 * (k % 21) - 1.0


def folder_of_terms(folder: Path) -> Path:
    folder.mkdir()
    write_terms(folder / "lending.toml", TermsDraft("lending", "shop", "Example Ltd", granularity="exact"))
    return folder


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory, model_folder: Path, verdicts: Path) -> Path:
    """A service's folder with its members, to be copied for each test."""
    folder = tmp_path_factory.mktemp("rolling")
    home = lay_out(folder / "s", model_folder, validated_in=verdicts, terms=folder_of_terms(folder / "terms")).home
    with opened_service(read_settings(home)) as service:
        make_known(Running(service, ""), MEMBERS)
    return home


@pytest.fixture
def rolling(tmp_path: Path, laid_out: Path, another_model: Path) -> Iterator[Rolling]:
    """On SQLite."""
    home = shutil.copytree(laid_out, tmp_path / "service")
    with opened_service(read_settings(home)) as service:
        yield Rolling(Running(service, ""), another_model, MEMBERS)


@pytest.fixture
def rolling_on_postgres(
    tmp_path: Path,
    model_folder: Path,
    verdicts: Path,
    another_model: Path,
    postgres: PostgresDatabases,
) -> Iterator[Rolling]:
    terms = folder_of_terms(tmp_path / "terms")
    home = lay_out(tmp_path / "s", model_folder, validated_in=verdicts, terms=terms, database=postgres.new()).home
    with opened_service(read_settings(home)) as service:
        running = Running(service, "")
        make_known(running, MEMBERS)
        yield Rolling(running, another_model, MEMBERS)


class Failing:
    """A challenger's model that raises, or does as the real one."""

    def __init__(self, model: Any, error: Callable[[], Exception]) -> None:
        self._model, self._error, self.broken = model, error, True

    def explain(self, X: Any, withheld: Any = ()) -> Any:
        if self.broken:
            raise self._error()
        return self._model.explain(X, withheld=withheld)

    def predict_score(self, X: Any, withheld: Any = ()) -> Any:
        return self.explain(X, withheld=withheld).score

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def put_in_place_of(rolling: Rolling, model: Any) -> None:
    """Let the shelf give a challenger with another model inside."""
    shelf, challenger = rolling.service.shelf, rolling.challenger
    shelf._loaded[challenger.model_id] = rolling.challenger = ServedModel(
        challenger.model_id, challenger.config_hash, challenger.names, challenger.columns, model
    )
