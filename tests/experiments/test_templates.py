"""Projects that a data scientist copies: they run as they are, as scripts and as notebooks."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest

from benne.errors import ParameterError
from benne.experiments.templates import TEMPLATES, as_notebook, new_project, script_of

QUICK = "MEMBERS = 1_000"


def copied(name: str, folder: Path, suffix: str) -> Path:
    """A copy with fewer members, as a data scientist would change the cell."""
    path = next(one for one in new_project(name, folder) if one.suffix == suffix)
    text, changed = re.subn(r"MEMBERS = 4_000", QUICK, path.read_text("utf-8"))
    text, smaller = re.subn(r"max_trees=150", "max_trees=40", text)
    assert (changed, smaller) == (1, 1)
    path.write_text(text, "utf-8")
    return path


def run_script(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    path = copied(name, folder, ".py")
    monkeypatch.chdir(folder)
    runpy.run_path(str(path))
    return capsys.readouterr().out


def test_the_table_of_own_features_goes_all_the_way_to_a_verdict(tmp_path, monkeypatch, capsys):
    said = run_script("own_table", tmp_path, monkeypatch, capsys)
    assert said.splitlines()[-1] == "passed"
    assert "documentation.card_complete passed 0.0" in said
    assert re.search(r"credit_history, 44%: (earns its weight|no measurable gain|INSUFFICIENT)", said)


@pytest.mark.slow
def test_files_of_a_lender_go_all_the_way_to_a_verdict(tmp_path, monkeypatch, capsys):
    said = run_script("lender_csv", tmp_path, monkeypatch, capsys)
    assert said.splitlines()[-1] == "passed"
    assert (tmp_path / "project" / "subject.key").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_the_notebook_runs_and_says_the_same(name, tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    path = copied(name, tmp_path, ".ipynb")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    assert said.splitlines()[-1] == "passed"


@pytest.mark.parametrize("name", TEMPLATES)
def test_script_and_notebook_hold_the_same_cells_and_no_outputs(name, tmp_path):
    script, notebook = new_project(name, tmp_path)
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    text = script.read_text("utf-8")
    assert all(body in text for body in code)
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells if "outputs" in cell)
    assert notebook.read_text("utf-8") == as_notebook(script_of(name))
    compile(text, str(script), "exec")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_says_what_to_change_and_that_its_example_proves_nothing(name):
    script = script_of(name)
    assert script.count("CHANGE") >= 5
    assert "proves" in script.replace("\n# ", " ")


def test_a_notebook_is_valid(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    for name in TEMPLATES:
        path = new_project(name, tmp_path / name)[1]
        nbformat.validate(nbformat.read(path, as_version=4))


def test_nobodys_work_is_written_over(tmp_path):
    new_project("own_table", tmp_path)
    with pytest.raises(ParameterError, match=r"must not have own_table\.py yet"):
        new_project("own_table", tmp_path)


def test_a_template_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="must be one of lender_csv, own_table, got 'bank'"):
        new_project("bank", tmp_path)
