"""``benne duties`` and ``benne disclosures``: what is owed by when, and what laws compelled."""

from __future__ import annotations

import pytest

from benne.scoring.decisions.request import Actor
from benne.scoring.disputes.dispute import Disputed
from benne.scoring.members.recording import Doing
from benne.scoring.service_wiring import opened_service
from benne.scoring.settings import read_settings
from tests.scoring.service.conftest import fitted_into
from tests.scoring.validated import verdicts_for

PERIOD = ("--from", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return fitted_into(tmp_path_factory.mktemp("model") / "model", 0)


@pytest.fixture
def home(run, model, tmp_path):
    verdicts = verdicts_for(tmp_path / "governance.db", model)
    assert run("service", "init", tmp_path / "shop", "--model", model, "--validated-in", verdicts).exit_code == 0
    return tmp_path / "shop"


def test_what_is_owed_is_listed_and_nobody_is_named(run, run_json, home):
    assert run("duties", "list", home).stdout.strip() == "Nothing is due."
    with opened_service(read_settings(home)) as service:
        anna = service.subject_of("anna")
        disputed = Disputed(topic="personal_data", text="I moved in May.")
        case = service.disputes.open(anna, disputed, Doing(Actor("key:anna", "member")))
    (listed,) = run_json("duties", "list", home)
    assert (listed["case_id"], listed["kind"], listed["state"]) == (case.case_id, "dispute", "opened")
    assert run_json("duties", "list", home, "--overdue") == run_json("duties", "list", home, "--kind", "review") == []
    shown = run("duties", "list", home).stdout
    assert case.case_id in shown
    for secret in (anna, "anna", "May"):
        assert secret not in shown


def test_disclosures_are_recorded_and_counted(run, run_json, home):
    with opened_service(read_settings(home)) as service:
        anna = service.subject_of("anna")
        service.disputes.open(anna, Disputed(topic="personal_data", text="x"), Doing(Actor("key:anna", "member")))
    facts = ("--actor", "counsel-1", "--basis", "court_order", "--authority", "District Court", "--scope", "Scores")
    on = ("--on", "2026-11-30T10:00:00Z")
    wrong = run("disclosures", "record", home, "--member", "anna", *facts, "--reference", "no free text", *on)
    assert wrong.exit_code == 3
    nobody = run("disclosures", "record", home, "--member", "berta", *facts, "--reference", "2026-AZ-117", *on)
    assert (nobody.exit_code, "must be on record" in nobody.stderr) == (3, True)
    run_json("disclosures", "record", home, "--member", "anna", *facts, "--reference", "2026-AZ-117", *on,
             "--barred-until", "2099-01-01T00:00:00Z")  # fmt: skip
    found = run_json("disclosures", "report", home, *PERIOD)
    assert (found["disclosures"], found["barred"], found["by_basis"]["court_order"]) == (1, 0, 1)
    assert run_json("duties", "overturned", home, *PERIOD) == []
    assert "too few" not in run("duties", "overturned", home, *PERIOD).stdout.lower()


def test_a_period_is_written_with_its_timezone(run, home):
    said = run("disclosures", "report", home, "--from", "2026-01-01", "--until", "2026-02-01")
    assert said.exit_code == 2
    assert "must name its timezone" in said.stderr
