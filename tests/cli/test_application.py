from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

from benne import errors
from benne.cli.exit_codes import EXIT_CODES, MEANINGS, exit_code_of
from benne.cli.options import CategoryName, PurposeName
from benne.features import CATEGORIES
from benne.scoring.consent.vocabulary import PURPOSES

ERRORS = [cls for cls in vars(errors).values() if inspect.isclass(cls) and cls is not errors.BenneError]
HEAVY = ("mlflow", "lightgbm", "duckdb", "pandas", "numpy", "sqlalchemy", "matplotlib", "pyarrow")

LOADED_BY_HELP = f"""
import sys
from benne.cli import main
sys.argv = ["benne", "--help"]
try:
    main()
except SystemExit:
    print("loaded:", *(name for name in {HEAVY!r} if name in sys.modules))
"""


def benne(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benne", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_an_exit_code_that_is_documented(error):
    assert exit_code_of(error) in set(MEANINGS) - {0, 1, 2}


def test_every_listed_error_is_one_of_ours():
    assert set(EXIT_CODES) <= set(ERRORS)


def test_the_children_of_the_base_error_are_all_listed():
    assert set(errors.BenneError.__subclasses__()) <= set(EXIT_CODES)


def test_exit_codes_by_hand():
    assert exit_code_of(errors.EventSchemaError) == 3
    assert exit_code_of(errors.LabelError) == 3
    assert exit_code_of(errors.ConsentRecordError) == 3
    assert exit_code_of(errors.ConsentRequired) == 4
    assert exit_code_of(errors.CategoryWithheld) == 4
    assert exit_code_of(errors.StoreError) == 5
    assert exit_code_of(errors.ExplanationError) == 6
    assert exit_code_of(errors.InsufficientEvidence) == 7
    assert exit_code_of(ZeroDivisionError) == 1


def test_the_names_offered_are_those_the_domain_knows():
    assert tuple(PurposeName) == PURPOSES
    assert tuple(CategoryName) == CATEGORIES


def test_help_imports_nothing_heavy():
    result = subprocess.run([sys.executable, "-c", LOADED_BY_HELP], capture_output=True, text=True, check=True)
    assert "Usage: benne" in result.stdout
    assert result.stdout.splitlines()[-1] == "loaded:"


def test_the_command_runs_as_a_module_and_says_its_version():
    result = benne("--version")
    assert (result.returncode, result.stdout.split()[0]) == (0, "benne")


def test_help_names_every_exit_code():
    result = benne("--help")
    assert all(f"  {code}  {meaning}" in result.stdout for code, meaning in MEANINGS.items())


def test_an_error_is_one_line_on_stderr_without_traceback(tmp_path):
    result = benne("keys", "new", str(tmp_path / "nowhere" / "subject.key"))
    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr.strip().count("\n") == 0
    assert result.stderr.startswith("benne: ")


def test_a_library_error_is_one_line_too(tmp_path):
    result = benne("ingest", str(tmp_path), str(tmp_path / "out"), "--key-file", str(tmp_path / "none.key"))
    assert (result.returncode, result.stderr.count("\n")) == (3, 1)
    assert "benne keys new" in result.stderr


def test_debug_shows_where(tmp_path):
    arguments = ("ingest", str(tmp_path), str(tmp_path / "out"), "--key-file", str(tmp_path / "none.key"))
    result = benne("--debug", *arguments)
    assert result.returncode != 0
    assert "Traceback" in result.stderr


def test_a_wrong_option_is_a_usage_error():
    result = benne("simulate", "--colour", "red")
    assert result.returncode == 2
    assert "--colour" in result.stderr


WRITTEN_WRONGLY = {
    "score f --model m --ledger l --recipient r --out o --purpose loan": (
        "--purpose must be one of lending, checkout_credit, rental, deposit_waiver, fast_lane, own_report, "
        "model_training, got 'loan'. See: benne score --help"
    ),
    "consent withdraw --ledger l --purpose lending --recipient r --category luck": (
        "--category must be one of credit_history, behaviour, ability, personal_information, social, got 'luck'. "
        "See: benne consent withdraw --help"
    ),
    "simulate world --members many": "--members must be a whole number, got 'many'. See: benne simulate --help",
    "train f o --out m --tolerance much": "--tolerance must be a number, got 'much'. See: benne train --help",
    "features list --gaming hard": (
        "--gaming must be one of low, medium, high, got 'hard'. See: benne features list --help"
    ),
    "simulate": "folder must be given, got nothing. See: benne simulate --help",
    "store create events": "--store must be given, or BENNE_STORE set, got nothing. See: benne store create --help",
    "simulate world --seed": "Option '--seed' requires an argument. See: benne simulate --help",
    "demo --memers 3": "No such option: --memers. Did you mean --members? See: benne demo --help",
    "simulat world": "No such command 'simulat'. Did you mean 'simulate'? See: benne --help",
    "keys nw": "No such command 'nw'. Did you mean 'new'? See: benne keys --help",
    "--colour": "No such option: --colour. See: benne --help",
    "keys new a anna": (
        "benne keys new takes path, got more words. Put a value with spaces in quotes. See: benne keys new --help"
    ),
    "store advance --store s --ingested-at noon": (
        "--ingested-at must be a moment such as 2025-07-01T00:00:00Z, got 'noon'. See: benne store advance --help"
    ),
}


@pytest.mark.parametrize("written", WRITTEN_WRONGLY)
def test_a_usage_error_is_one_line_that_says_what_must_be_what(run, written):
    result = run(*written.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"benne: {WRITTEN_WRONGLY[written]}\n"


@pytest.mark.parametrize(("members", "limit"), [("0", "1"), ("-3", "1")])
def test_a_number_out_of_range_is_told_its_limit_and_what_it_was(run, members, limit):
    result = run("simulate", "world", "--members", members)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("benne: --members must be ")
    assert limit in result.stderr  # in the words of this Typer's version
    assert f"got {members}" in result.stderr.replace("'", "")


def test_a_group_without_a_command_shows_its_help(run):
    result = run("keys")
    assert result.exit_code == 2
    assert "Draw a new key" in result.output


def test_a_foreign_error_is_not_quoted(run, monkeypatch, tmp_path):
    def stumble(*_, **__):
        raise KeyError("anna@example.org")

    monkeypatch.setattr("benne.experiments.simulator.simulate", stumble)
    result = run("simulate", tmp_path / "world")
    assert result.exit_code == 1
    assert "KeyError" in result.stderr
    assert "anna" not in result.output


def test_a_missing_extra_is_named(run, monkeypatch, tmp_path):
    def lack(*_, **__):
        raise ModuleNotFoundError("No module named 'mlflow'", name="mlflow")

    monkeypatch.setattr("benne.experiments.simulator.simulate", lack)
    result = run("simulate", tmp_path / "world")
    assert result.exit_code == 3
    assert "mlflow" in result.stderr
    assert "pip install" in result.stderr


def test_json_is_the_only_thing_on_stdout(tmp_path):
    result = benne("simulate", str(tmp_path / "world"), "--members", "30", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["members"] == 30
