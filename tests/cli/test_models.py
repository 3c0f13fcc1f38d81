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


def test_versions_are_listed_promoted_and_rolled_back(run, run_json, registry):
    listed = run_json("models", "list", *registry)
    assert [(one["version"], one["aliases"]) for one in listed] == [(2, ["challenger"]), (1, [])]
    assert run_json("models", "promote", 1, *registry)["aliases"] == ["champion"]
    promoted = run("models", "promote", *registry)
    assert promoted.stdout == "Version 2 of benne is the champion: models:/benne@champion\n"
    table = run("models", "list", *registry).stdout
    assert next(line.split()[:2] for line in table.splitlines()[2:]) == ["2", "champion"]
    assert run_json("models", "rollback", *registry)["version"] == 1
    refused = run("models", "rollback", *registry)
    assert (refused.exit_code, "champion before this one, got none" in refused.stderr) == (3, True)


def test_looking_for_models_makes_no_store(run, tmp_path):
    for command in ("list", "promote", "rollback"):
        result = run("models", command, "--tracking", tmp_path / "elsewhere")
        assert result.exit_code == 5
        assert "must exist, got none" in result.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_a_model_that_is_not_registered_is_named(run, registry):
    result = run("models", "list", *registry, "--registered-name", "nobody")
    assert (result.exit_code, "got 'nobody'" in result.stderr) == (3, True)
