"""What a category adds, where the truth is known by hand; and the command on a real set, where it is there."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benne.cli import app
from benne.errors import DatasetError, ParameterError
from benne.experiments.datasets import Split, load
from benne.experiments.datasets.ablation import Ablation, ablate, fits_of, trial_named
from benne.experiments.datasets.ablation_table import ablation_notes, ablation_table, render_ablation
from benne.experiments.datasets.discrimination import Discrimination
from benne.experiments.datasets.simulated import simulated_trial
from benne.experiments.datasets.trial import Trial
from benne.experiments.simulator import NOTICE
from benne.features import CATEGORIES, SubjectKey
from benne.models.resampling import metrics_of

KEY = SubjectKey(b"a key for tests, of 32 bytes size")
MEMBERS = 4000


def trial_of(columns: Mapping[str, np.ndarray], categories: Mapping[str, list[str]], bad: np.ndarray) -> Trial:
    labels = pd.Series(bad.astype("int8"))
    features = pd.DataFrame(columns, dtype=np.float64)
    return Trial("made_up", features, categories, labels, None, tuple(Split("holdout").of(labels, None)))


@pytest.fixture(scope="module")
def known() -> dict[str, np.ndarray]:
    """``days_late`` decides, ``shoes`` are noise."""
    rng = np.random.default_rng(0)
    days_late = rng.normal(size=MEMBERS)
    bad = rng.random(MEMBERS) < 1 / (1 + np.exp(1 - 2 * days_late))
    return {"days_late": days_late, "shoes": rng.normal(size=MEMBERS), "bad": bad}


@pytest.fixture(scope="module")
def steps() -> list[tuple[int, int]]:
    return []


@pytest.fixture(scope="module")
def beside_noise(known: dict[str, np.ndarray], steps: list[tuple[int, int]]) -> tuple[Trial, Ablation]:
    """Every tenth member has no shoes on record."""
    shoes = np.where(np.arange(MEMBERS) % 10 == 0, np.nan, known["shoes"])
    columns = {"days_late": known["days_late"], "shoes": shoes}
    trial = trial_of(columns, {"credit_history": ["days_late"], "social": ["shoes"]}, known["bad"])
    return trial, ablate(trial, lambda done, total: steps.append((done, total)))


def test_a_category_of_pure_noise_adds_nothing(beside_noise: tuple[Trial, Ablation]) -> None:
    value, low, _ = beside_noise[1].adds("social")
    assert value == pytest.approx(0, abs=0.01)
    assert low < 0
    assert beside_noise[1].alone("social")[0] == pytest.approx(0.5, abs=0.05)


def test_without_the_only_category_that_tells_anything_chance_is_left(beside_noise: tuple[Trial, Ablation]) -> None:
    ablation = beside_noise[1]
    assert ablation.without("credit_history")[0] == pytest.approx(0.5, abs=0.05)
    value, low, _ = ablation.adds("credit_history")
    assert value == pytest.approx(ablation.everything[0] - ablation.without("credit_history")[0])
    assert low > 0.25


def test_a_category_alone_tells_what_its_only_column_tells(beside_noise: tuple[Trial, Ablation]) -> None:
    trial, ablation = beside_noise
    ((_, test),) = trial.folds
    test = test[test % 10 != 0]
    column, bad = (values.to_numpy()[test] for values in (trial.features["days_late"], trial.labels))
    best = metrics_of(column, bad.astype(float), np.ones(len(test)))["auc"]
    assert ablation.alone("credit_history")[0] == pytest.approx(best, abs=0.01)
    value, low, high = ablation.falls_short("credit_history")
    assert low <= value <= high
    assert value == pytest.approx(ablation.alone("credit_history")[0] - ablation.everything[0])


def test_what_two_categories_both_know_neither_adds(known: dict[str, np.ndarray]) -> None:
    columns = {"days_late": known["days_late"], "the_same": known["days_late"].copy()}
    trial = trial_of(columns, {"credit_history": ["days_late"], "behaviour": ["the_same"]}, known["bad"])
    ablation = ablate(trial)
    for category in trial.categories:
        assert ablation.adds(category)[0] == pytest.approx(0, abs=0.005)
        assert ablation.alone(category)[0] > 0.8


def test_weights_are_held_to_the_contract_renormalised(beside_noise: tuple[Trial, Ablation]) -> None:
    ablation = beside_noise[1]
    assert ablation.weights == pytest.approx({"credit_history": 35 / 40, "social": 5 / 40})
    held = ablation.auc.of("held: credit_history, social")[0] - ablation.alone("credit_history")[0]
    value, low, high = ablation.adds("social", "held") or (0.0, 0.0, 0.0)
    assert value == pytest.approx(held)
    assert low < value < high


def test_who_has_nothing_of_a_category_is_refused_by_all_models(beside_noise: tuple[Trial, Ablation]) -> None:
    trial, ablation = beside_noise
    ((_, test),) = trial.folds
    known = test % 10 != 0
    assert (ablation.members, ablation.held_out, ablation.refused) == (MEMBERS, known.sum(), (~known).sum())
    assert ablation.held_out_bad == trial.labels.iloc[test[known]].sum()


@pytest.mark.usefixtures("beside_noise")
def test_progress_is_told_after_each_model(steps: list[tuple[int, int]]) -> None:
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_one_category_alone_cannot_be_ablated(known: dict[str, np.ndarray]) -> None:
    trial = trial_of({"days_late": known["days_late"]}, {"credit_history": ["days_late"]}, known["bad"])
    with pytest.raises(ParameterError, match="at least two categories, got fewer"):
        ablate(trial)


@pytest.mark.parametrize(("categories", "fits"), [(2, 3 + 1), (3, 7 + 4), (5, 11 + 6)])
def test_each_model_is_fitted_once(categories: int, fits: int, known: dict[str, np.ndarray]) -> None:
    names = CATEGORIES[:categories]
    columns = dict.fromkeys(names, known["shoes"])
    assert fits_of(trial_of(columns, {name: [name] for name in names}, known["bad"])) == fits


def by_hand(name: str, *, held_out_bad: int) -> Ablation:
    models = {
        "free: credit_history, ability": 0.8, "free: credit_history": 0.75, "free: ability": 0.6,
    }  # fmt: skip
    drawn = {model: np.array([auc - 0.01, auc, auc + 0.01]) for model, auc in models.items()}
    return Ablation(
        name=name,
        members=1000,
        held_out=1000,
        refused=0,
        held_out_bad=held_out_bad,
        features={"credit_history": 3, "ability": 2},
        weights={"credit_history": 7 / 11, "ability": 4 / 11},
        auc=Discrimination(models, drawn),
    )


def test_the_table_says_what_each_category_adds() -> None:
    rows = ablation_table([by_hand("made_up", held_out_bad=200)]).set_index("category")
    assert rows.loc["credit_history", ["alone", "all", "without", "adds"]].tolist() == pytest.approx(
        [0.75, 0.8, 0.6, 0.2]
    )
    assert rows.loc["ability", "alone_minus_all"] == pytest.approx(-0.2)
    text = render_ablation([by_hand("made_up", held_out_bad=200)])
    assert "| made_up | credit_history (3) | 63.64% | 0.7500 [0.7405, 0.7595] | 0.8000 | 0.6000 |" in text
    assert "+0.2000 [+0.2000, +0.2000]" in text


def test_where_the_contract_has_no_model_the_table_says_so() -> None:
    one = by_hand("made_up", held_out_bad=200)
    assert one.adds("ability", "held") is None
    assert ablation_table([one])["adds_held"].isna().all()
    assert render_ablation([one]).count("| no model |") == 2


def test_few_bads_and_simulated_members_are_marked() -> None:
    few, simulated, enough = (
        by_hand("few", held_out_bad=30), by_hand("simulated", held_out_bad=600), by_hand("enough", held_out_bad=600)
    )  # fmt: skip
    notes = ablation_notes([few, simulated, enough])
    assert list(notes) == ["few", "simulated"]
    assert "30 bads among 1,000 held out" in notes["few"]
    assert notes["simulated"] == NOTICE
    text = render_ablation([few, simulated, enough])
    assert "| few (see below) |" in text
    assert "| enough |" in text
    assert f"simulated: {NOTICE}" in text


def test_only_the_simulator_has_all_five_categories() -> None:
    trial = simulated_trial(key=KEY, members=300)
    assert tuple(trial.categories) == CATEGORIES
    train, test = trial.folds[0]
    assert (len(trial.labels), len(train), len(test)) == (300, 210, 90)


def test_a_set_that_there_is_not_is_refused() -> None:
    with pytest.raises(DatasetError, match="got 'mortgages'"):
        trial_named("mortgages", None, key=KEY, ingested_at=pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime())


@pytest.mark.slow
def test_the_command_ablates_a_real_set() -> None:
    try:
        load("berka")
    except DatasetError as error:
        pytest.skip(f"the real data set berka is not here: {error}")
    result = CliRunner().invoke(app, ["data", "ablation", "berka", "--json"])
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert [row["category"] for row in answer["categories"]] == ["behaviour", "ability", "social"]
    assert "they cannot tell categories apart" in answer["notes"]["berka"]
    for row in answer["categories"]:
        assert row["adds"] == pytest.approx(row["all"] - row["without"])
        assert row["adds_low"] <= row["adds"] <= row["adds_high"]
