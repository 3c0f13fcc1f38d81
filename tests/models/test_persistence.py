import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from benne.errors import ModelDirectoryError, ParameterError
from benne.models import BoosterOptions, CreditScoreModel


@pytest.fixture
def saved(model, tmp_path: Path) -> Path:
    model.save(tmp_path / "model")
    return tmp_path / "model"


def edit_manifest(directory: Path, **changes: object) -> None:
    path = directory / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_loaded_model_scores_bit_for_bit_the_same(model, saved, newcomers) -> None:
    loaded = CreditScoreModel.load(saved)
    for withheld in ((), {"social"}):
        before, after = model.explain(newcomers.X, withheld), loaded.explain(newcomers.X, withheld)
        np.testing.assert_array_equal(before.score, after.score)
        pd.testing.assert_frame_equal(before.points, after.points, check_exact=True)
    np.testing.assert_array_equal(model.predict_proba(newcomers.X), loaded.predict_proba(newcomers.X))


def test_parameters_and_reports_come_back(model, saved) -> None:
    loaded = CreditScoreModel.load(saved)
    assert loaded.get_params() == model.get_params()
    pd.testing.assert_frame_equal(loaded.contract_report_.shares, model.contract_report_.shares, check_exact=True)
    pd.testing.assert_frame_equal(loaded.contract_report_.price, model.contract_report_.price, check_exact=True)
    assert loaded.calibration_report_.ece == model.calibration_report_.ece
    assert loaded.classes_.tolist() == [0, 1]


def test_the_same_data_and_seed_give_the_same_bytes(model, saved, members, categories, quick, tmp_path) -> None:
    CreditScoreModel(categories, booster=quick).fit(members.X, members.y).save(tmp_path / "again")
    CreditScoreModel.load(saved).save(tmp_path / "third")
    for path in saved.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
        assert path.read_bytes() == (tmp_path / "third" / path.name).read_bytes()


def test_no_feature_of_a_member_is_saved(saved, members) -> None:
    reference = pq.read_table(saved / "reference.parquet")
    assert reference.column_names == ["credit_history", "behaviour", "ability", "social", "booster"]
    assert {p.name for p in saved.iterdir()} == {
        "manifest.json", "booster.txt", "own_boosters.json", "model.json", "reports.json", "reference.parquet",
        "reference_points.parquet", "histograms.json",
    }  # fmt: skip


def test_the_shares_can_be_checked_again_without_any_member(saved) -> None:
    loaded = CreditScoreModel.load(saved)
    g = pq.read_table(saved / "reference.parquet").drop_columns("booster").to_pandas()
    influence = (g - g.mean()).abs().mean() * loaded.contract_report_.shares["multiplier"]
    np.testing.assert_allclose(influence / influence.sum(), np.array([35, 25, 20, 5]) / 85, atol=1e-6)


@pytest.mark.parametrize("classes", [["bad", "excellent"], [False, True], [1.0, 2.0]])
def test_labels_of_any_kind_come_back(members, quick, tmp_path, classes) -> None:
    y = np.array(classes)[members.y]
    model = CreditScoreModel("single", booster=quick).fit(members.X, y)
    model.save(tmp_path / "m")
    loaded = CreditScoreModel.load(tmp_path / "m")
    assert loaded.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(loaded.predict(members.X), model.predict(members.X))


@pytest.mark.parametrize("name", ["booster.txt", "model.json", "reports.json", "reference.parquet"])
def test_a_corrupted_or_missing_file_is_named(saved, name) -> None:
    content = bytearray((saved / name).read_bytes())
    content[len(content) // 2] ^= 1
    (saved / name).write_bytes(content)
    with pytest.raises(ModelDirectoryError, match=f"{name} is corrupted: its hash is not the manifest's"):
        CreditScoreModel.load(saved)
    (saved / name).unlink()
    with pytest.raises(ModelDirectoryError, match=f"The saved model must hold {name}, got none"):
        CreditScoreModel.load(saved)


def test_a_model_of_a_newer_benne_is_refused(saved) -> None:
    edit_manifest(saved, format_version=6)
    with pytest.raises(ModelDirectoryError, match=r"must have format 5, got 6, which a newer Benne wrote"):
        CreditScoreModel.load(saved)
    edit_manifest(saved, format_version=1)
    with pytest.raises(ModelDirectoryError, match=r"must have a format from 3 to 5, got 1 of an older Benne"):
        CreditScoreModel.load(saved)


def test_a_broken_manifest_is_refused(saved) -> None:
    edit_manifest(saved, files={})
    with pytest.raises(ModelDirectoryError, match=r"manifest.json must list booster.txt"):
        CreditScoreModel.load(saved)
    (saved / "manifest.json").write_text("{")
    with pytest.raises(ModelDirectoryError, match=r"manifest.json is corrupted"):
        CreditScoreModel.load(saved)


def test_what_is_no_model_is_not_loaded(tmp_path) -> None:
    with pytest.raises(ModelDirectoryError, match=r"must be a directory with manifest.json, got none"):
        CreditScoreModel.load(tmp_path)


def test_multipliers_that_break_the_contract_are_found_out(saved) -> None:
    data = json.loads((saved / "model.json").read_text())
    data["patterns"][0]["multipliers"][0] *= 1.01
    (saved / "model.json").write_text(json.dumps(data))
    files = json.loads((saved / "manifest.json").read_text())["files"]
    edit_manifest(saved, files={**files, "model.json": hashlib.sha256((saved / "model.json").read_bytes()).hexdigest()})
    with pytest.raises(ModelDirectoryError, match="Shares on the reference sample must be within"):
        CreditScoreModel.load(saved)


def test_saving_replaces_a_model_and_nothing_else(model, saved, tmp_path) -> None:
    model.save(saved)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("words")
    with pytest.raises(ModelDirectoryError, match="must be new, empty, or a saved model, got something else"):
        model.save(tmp_path / "thesis")


def test_options_survive_the_round_trip(members, tmp_path) -> None:
    options = BoosterOptions(max_trees=20, monotone={"income": -1}, extra={"max_bin": 63})
    CreditScoreModel("single", booster=options).fit(members.X, members.y).save(tmp_path / "m")
    assert CreditScoreModel.load(tmp_path / "m").booster == options


def tamper(directory: Path, name: str, change) -> None:
    """Change a file and let its checksum fit."""
    text = (directory / name).read_text()
    if name.endswith(".json"):
        data = json.loads(text)
        change(data)
        text = json.dumps(data)
    else:
        text = change(text)
    (directory / name).write_text(text)
    files = json.loads((directory / "manifest.json").read_text())["files"]
    edit_manifest(directory, files={**files, name: hashlib.sha256((directory / name).read_bytes()).hexdigest()})


def every_pattern(**changes):
    return lambda data: [pattern.update(changes) for pattern in data["patterns"]]


def withheld_multiplier(data) -> None:
    next(p for p in data["patterns"] if "social" not in p["used"])["multipliers"][-1] = 1e-9


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.json", every_pattern(multipliers=[-1.0] * 4), "a finite multiplier, not negative"),
        ("model.json", every_pattern(multipliers=[float("nan")] * 4), "a finite multiplier, not negative"),
        ("model.json", every_pattern(multipliers=[1.0] * 3), "a finite multiplier, not negative"),
        ("model.json", every_pattern(multipliers=[0.0] * 4), "multipliers that carry the weights, got zeros"),
        ("model.json", every_pattern(intercept=float("nan")), "a finite intercept"),
        ("model.json", every_pattern(intercept="x"), "a finite intercept"),
        ("model.json", withheld_multiplier, "zero for what is withheld"),
        ("model.json", lambda d: d["patterns"].append(d["patterns"][0]), "every allowed pattern of consent once"),
        ("model.json", lambda d: d["patterns"][-1].update(used=["social"]), "every allowed pattern of consent once"),
        ("model.json", lambda d: d.update(patterns=[]), "every allowed pattern of consent once"),
        ("model.json", lambda d: d["classes"].update(values=[0, 1, 2]), "two classes in sorted order"),
        ("model.json", lambda d: d["classes"].update(values=[1, 0]), "two classes in sorted order"),
        ("model.json", lambda d: d["scale"].update(pdo=float("nan")), "complete and well formed, got ParameterError"),
        ("model.json", lambda d: d["scale"].update(pdo=-40), "complete and well formed, got ParameterError"),
        ("model.json", lambda d: d["scale"].update(base_score=float("nan")), "got ParameterError"),
        ("model.json", lambda d: d["scale"].update(bands=[]), "got ParameterError"),
        ("model.json", lambda d: d["layout"].update(weights=[0.5] * 4), "positive weights that sum to 1"),
        ("model.json", lambda d: d["layout"].update(column_category=[3] * 7), "a column for every category"),
        ("model.json", lambda d: d.update(rules=d["rules"][:-1]), "one category for every column"),
        ("model.json", lambda d: d["rules"][0].update(minimum=float("nan")), "ranges of numbers"),
        ("model.json", lambda d: d["parameters"].update(booster={"threads": "x"}), "got ParameterError"),
        ("model.json", lambda d: d["parameters"].update(evil=1), "got TypeError"),
        ("model.json", lambda d: d["layout"].update(tolerances=[2.0] * 4), r"a tolerance within \[0, 1\]"),
        ("model.json", lambda d: d["layout"].update(tolerances=[0.1]), r"a tolerance within \[0, 1\] for each"),
        ("model.json", lambda d: d["patterns"][0].update(booster=1), "a booster for each pattern"),
        ("model.json", lambda d: d["patterns"][0].update(percentiles=[600.0, 500.0]), "percentiles in order"),
        ("model.json", lambda d: d["patterns"][0]["uncertainty"].update(error=[-1.0] * 5), "an error for every range"),
        ("reports.json", lambda d: d.update(calibration=[]), "a report per pattern"),
        ("booster.txt", lambda text: "garbage", "a text model from its header to the end of its trees"),
        ("booster.txt", lambda text: text[: len(text) // 2], "a text model from its header to the end"),
        ("booster.txt", lambda text: text.replace("leaf_value=", "leaf_value=1 ", 1), "trees as long as the header"),
        ("booster.txt", lambda text: text.replace("max_feature_idx=6", "max_feature_idx=500"), "of 7 columns"),
        (
            "booster.txt",
            lambda text: text.replace("feature_names=", "feature_nomes="),
            "a header of the lines",
        ),
        (
            "booster.txt",
            lambda text: text.replace("split_feature=", "split_foature=", 1),
            "trees of the lines",
        ),
        (
            "booster.txt",
            lambda text: re.sub(r"(left_child=\S* ?)\d", r"\g<1>0", text, count=1),
            "nodes lead to|as long",
        ),
        (
            "booster.txt",
            lambda text: re.sub(r"leaf_value=-?0\.\d\d", "leaf_value=nan ", text, count=1),
            "as long as|leaves",
        ),
    ],
)
def test_what_no_fit_leaves_behind_is_found_out_although_checksums_fit(saved, name, change, message) -> None:
    tamper(saved, name, change)
    with pytest.raises(ModelDirectoryError, match=message) as failure:
        CreditScoreModel.load(saved)
    assert failure.value.__cause__ is None


@pytest.mark.parametrize(
    "manifest", ["[" * 100_000, "[1]", '{"format_version": Infinity, "files": {}}', '{"files": 1}']
)
def test_a_manifest_of_nonsense_is_a_model_directory_error(saved, manifest) -> None:
    (saved / "manifest.json").write_text(manifest)
    with pytest.raises(ModelDirectoryError, match=r"manifest.json (is corrupted|must)"):
        CreditScoreModel.load(saved)


@pytest.mark.parametrize("path", [None, 3, "a\0b"])
def test_what_is_no_path_is_neither_loaded_nor_saved_to(model, path) -> None:
    for act in (CreditScoreModel.load, model.save):
        with pytest.raises(ModelDirectoryError, match="A model directory must be"):
            act(path)


def test_the_values_of_the_reference_sample_form_no_rows(saved, model, members) -> None:
    values = pq.read_table(saved / "reference.parquet").drop_columns("booster").to_pandas().to_numpy()
    assert (np.diff(values, axis=0) >= 0).all()
    rows = {row.tobytes() for row in values}
    own = np.ascontiguousarray(model._function.trees[0].category_functions(members.X.to_numpy()))
    assert sum(row.tobytes() in rows for row in own) == 0


def test_a_folder_of_somebody_else_with_a_manifest_is_not_replaced(model, saved, tmp_path) -> None:
    extension = tmp_path / "extension"
    extension.mkdir()
    (extension / "manifest.json").write_text('{"name": "My extension", "manifest_version": 3}')
    (saved / "notes.txt").write_text("words")
    for place in (extension, saved):
        before = sorted(path.name for path in place.iterdir())
        with pytest.raises(ModelDirectoryError, match="must be new, empty, or a saved model, got something else"):
            model.save(place)
        assert sorted(path.name for path in place.iterdir()) == before


def failing_rename(monkeypatch, at: int, error: type[BaseException]) -> None:
    real, calls = os.rename, []

    def rename(source, target):
        calls.append(source)
        if len(calls) == at:
            raise error(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize(("error", "seen"), [(OSError, ModelDirectoryError), (KeyboardInterrupt, KeyboardInterrupt)])
def test_a_failed_swap_leaves_the_earlier_model_in_place(model, saved, monkeypatch, at, error, seen) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    failing_rename(monkeypatch, at, error)
    with pytest.raises(seen, match="No space left on device"):
        model.save(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_a_model_whose_save_was_killed_between_the_renames_is_found_again(model, saved, newcomers) -> None:
    os.rename(saved, saved.with_name(".model.earlier"))
    loaded = CreditScoreModel.load(saved)
    np.testing.assert_array_equal(loaded.predict_score(newcomers.X), model.predict_score(newcomers.X))
    model.save(saved)
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_parameters_that_no_fit_takes_are_not_saved(members, quick, tmp_path) -> None:
    model = CreditScoreModel("single", booster=quick).fit(members.X, members.y)
    for wrong in ({"tolerance": "abc"}, {"tolerance": 0.0, "weights": {"x": "y"}}, {"weights": None, "booster": "x"}):
        with pytest.raises(ParameterError, match=r"tolerance must be|Parameters must be|booster must be"):
            model.set_params(**wrong).save(tmp_path / "m")
    assert not any(tmp_path.iterdir())
