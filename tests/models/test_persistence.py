import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from benne.errors import ModelDirectoryError
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
    assert reference.column_names == ["credit_history", "behaviour", "ability", "social"]
    assert {p.name for p in saved.iterdir()} == {
        "manifest.json", "booster.txt", "model.json", "reports.json", "reference.parquet"
    }  # fmt: skip


def test_the_shares_can_be_checked_again_without_any_member(saved) -> None:
    loaded = CreditScoreModel.load(saved)
    g = pq.read_table(saved / "reference.parquet").to_pandas()
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
    edit_manifest(saved, format_version=2)
    with pytest.raises(ModelDirectoryError, match=r"got 2, which a newer Benne wrote. Upgrade Benne"):
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
    import hashlib

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
