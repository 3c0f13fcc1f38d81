from __future__ import annotations

import pytest

from benne.experiments.model_registry import register_challenger
from benne.experiments.tracking import default_store


@pytest.fixture(scope="module")
def registry(trained) -> tuple[object, ...]:
    """A registry with two versions of one model."""
    platform, said = trained
    register_challenger(default_store(platform / "mlflow"), said["mlflow_run"])
    return "--tracking", platform / "mlflow"


def test_versions_are_listed_the_newest_first(run, run_json, registry):
    listed = run_json("models", "list", *registry)
    assert [(one["version"], one["aliases"]) for one in listed] == [(2, ["challenger"]), (1, [])]
    table = run("models", "list", *registry).stdout
    assert next(line.split()[:2] for line in table.splitlines()[2:]) == ["2", "challenger"]


def test_looking_for_models_makes_no_store(run, tmp_path):
    asked = ("--store", tmp_path / "governance.db", "--by", "ops")
    for command in (("models", "list"), ("promote", *asked)):
        result = run(*command, "--tracking", tmp_path / "elsewhere")
        assert result.exit_code == 5
        assert "must exist, got none" in result.stderr
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "governance.db").exists()


def test_a_model_that_is_not_registered_is_named(run, registry):
    result = run("models", "list", *registry, "--registered-name", "nobody")
    assert (result.exit_code, "got 'nobody'" in result.stderr) == (3, True)
