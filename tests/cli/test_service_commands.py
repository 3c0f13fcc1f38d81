"""``benne service``: what it lays out, says next, and where its folder stands for its database."""

from __future__ import annotations

import pytest

from benne.cli.application import _complaint
from benne.scoring import open_store
from benne.scoring.audit.chain import verify
from benne.scoring.settings import read_settings
from tests.scoring.service.conftest import fitted_into


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return fitted_into(tmp_path_factory.mktemp("model") / "model", 0)


@pytest.fixture
def home(run, model, tmp_path):
    assert run("service", "init", tmp_path / "shop scores", "--model", model).exit_code == 0
    return tmp_path / "shop scores"


def test_what_is_missing_is_said_when_the_folder_is_laid_out(run, model, tmp_path):
    said = run("service", "init", tmp_path / "one", "--model", model).stderr
    assert "Members are offered nothing yet" in said
    assert "benne service load" in said
    assert "benne recipients add" in said
    live = run("service", "init", tmp_path / "two", "--model", model, "--events", "events.db").stderr
    assert "benne service load" not in live


def test_an_event_store_goes_into_the_settings(run, model, tmp_path):
    run("service", "init", tmp_path / "in", "--model", model, "--events", "events.db")
    run("service", "init", tmp_path / "out", "--model", model, "--events", tmp_path / "e\"'s.db")
    assert read_settings(tmp_path / "in").events_address == str(tmp_path / "in" / "events.db")
    assert read_settings(tmp_path / "out").events_address == str(tmp_path / "e\"'s.db")


def test_a_services_folder_stands_for_its_database(run, run_json, home):
    added = ("recipients", "add", "shop", "--ledger", home, "--contact", "dpo@shop.example", "--purpose", "lending")
    assert run_json(*added) == {"name": "shop", "purposes": ["lending"]}
    assert [one["name"] for one in run_json("recipients", "list", "--ledger", home / "benne.db")] == ["shop"]
    store = open_store(home / "benne.db")
    with store.read() as connection:
        assert run_json("audit", "verify", "--ledger", home)["records"] == verify(connection).records == 3
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
