"""``benne service``: what it lays out, says next, and where its folder stands for its database."""

from __future__ import annotations

import pytest

from benne.cli.application import _complaint
from benne.scoring import open_store
from benne.scoring.audit.chain import verify
from benne.scoring.service_wiring import opened_service
from benne.scoring.settings import read_settings
from tests.scoring.service.conftest import fitted_into
from tests.scoring.validated import verdicts_for


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return fitted_into(tmp_path_factory.mktemp("model") / "model", 0)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory, model):
    return verdicts_for(tmp_path_factory.mktemp("verdicts") / "governance.db", model)


@pytest.fixture
def home(run, model, verdicts, tmp_path):
    laid_out = run("service", "init", tmp_path / "shop scores", "--model", model, "--validated-in", verdicts)
    assert laid_out.exit_code == 0
    return tmp_path / "shop scores"


def test_what_is_missing_is_said_when_the_folder_is_laid_out(run, model, verdicts, tmp_path):
    serving = ("--model", model, "--validated-in", verdicts)
    said = run("service", "init", tmp_path / "one", *serving).stderr
    assert "Members are offered nothing yet" in said
    assert "benne service load" in said
    assert "benne recipients add" in said
    live = run("service", "init", tmp_path / "two", *serving, "--events", "events.db").stderr
    assert "benne service load" not in live


def test_an_event_store_goes_into_the_settings(run, model, verdicts, tmp_path):
    serving = ("--model", model, "--validated-in", verdicts)
    run("service", "init", tmp_path / "in", *serving, "--events", "events.db")
    run("service", "init", tmp_path / "out", *serving, "--events", tmp_path / "e\"'s.db")
    assert read_settings(tmp_path / "in").events_address == str(tmp_path / "in" / "events.db")
    assert read_settings(tmp_path / "out").events_address == str(tmp_path / "e\"'s.db")


def test_a_services_folder_stands_for_its_database(run, run_json, home):
    added = ("recipients", "add", "shop", "--ledger", home, "--contact", "dpo@shop.example", "--purpose", "lending")
    assert run_json(*added) == {"name": "shop", "purposes": ["lending"]}
    assert [one["name"] for one in run_json("recipients", "list", "--ledger", home / "benne.db")] == ["shop"]
    store = open_store(home / "benne.db")
    with store.read() as connection:
        assert run_json("audit", "verify", "--ledger", home)["records"] == verify(connection).records == 5
    store.close()


def test_a_folder_that_is_no_services_is_no_ledger(run, tmp_path):
    said = run("recipients", "list", "--ledger", tmp_path)
    assert said.exit_code == 5
    assert "must exist" in said.stderr


def test_settings_are_shown_in_columns_of_text(run, home):
    lines = run("service", "settings", home).stdout.splitlines()
    begins = {line.index(text) for line in lines for text in ("Port to listen on", "Folder of models") if text in line}
    assert len(begins) == 1


def test_serving_a_folder_that_is_not_there_says_how_to_lay_one_out(run, tmp_path):
    said = run("serve", tmp_path / "nowhere")
    assert said.exit_code == 3
    assert "Lay it out: benne service init" in said.stderr


@pytest.mark.parametrize(
    ("package", "extras"), [("joserfc", "service,client"), ("httpx2", "service,client"), ("optuna", "train,report")]
)
def test_a_missing_package_is_named_with_the_extras_that_bring_it(package, extras):
    text, code = _complaint(ModuleNotFoundError("no", name=f"{package}.part"))
    assert code == 3
    assert text == f"this command needs the package {package}. Install it: pip install 'benne[{extras}]'"


def test_a_model_that_nobody_validated_is_not_laid_out(run, model, tmp_path):
    said = run("service", "init", tmp_path / "new", "--model", model)
    assert said.exit_code == 11
    assert "must be validated before it serves" in said.stderr
    assert not (tmp_path / "new").exists()


def test_a_service_without_a_model_says_what_to_do_and_serves_once_one_is_promoted(
    run, run_json, model, verdicts, tmp_path
):
    home = tmp_path / "new"
    assert "It has no model yet" in run("service", "init", home).stderr
    said = run("serve", home)
    assert said.exit_code == 3
    assert "must have a model to serve, got none. Validate one, then promote it" in said.stderr
    refused = run("service", "promote", home, model)
    assert refused.exit_code == 11
    assert "got no verdict on these files" in refused.stderr
    promoted = run_json("service", "promote", home, model, "--validated-in", verdicts, "--by", "ops")
    with opened_service(read_settings(home)) as service:
        assert service.models.current.model_id == promoted["model_id"]
        with service.store.read() as connection:
            records = connection.exec_driver_sql("SELECT type FROM audit_records ORDER BY seq").scalars().all()
    assert records[-4:] == ["model_promoted", "gates_declared", "model_validated", "model_promoted"]
