from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benne.errors import EngineUnavailable, FeatureColumnsError, FeatureTypeError
from benne.explain.shap_values import shap_explanation
from tests.explain.conftest import COLUMNS, model_rows, said


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    points = rng.normal(0, 25, size=(40, len(COLUMNS)))
    return model_rows(860.0, points), pd.DataFrame(rng.normal(size=points.shape), columns=COLUMNS)


def test_base_and_values_add_up_to_the_score_before_it_is_held(rows):
    explanation, features = rows
    for_shap = shap_explanation(explanation, features)
    before = explanation.score - explanation.clipped
    np.testing.assert_allclose(for_shap.base_values + for_shap.values.sum(axis=1), before, atol=1e-9)
    assert (explanation.clipped != 0.0).any()
    assert list(for_shap.feature_names) == COLUMNS
    np.testing.assert_array_equal(for_shap.data, features.to_numpy())


def test_one_members_values_are_their_lines_without_what_is_withheld():
    shown = said(withheld=["social"])
    one = shown.to_shap()
    lines = [feature for category in shown.categories for feature in category.features]
    assert len(one.values) == len(lines) == len(COLUMNS) - 4
    assert one.base_values + one.values.sum() == pytest.approx(shown.score - shown.clipped, abs=1e-9)
    assert list(one.feature_names) == [line.label for line in lines]


def test_shaps_own_plots_draw_them_without_a_warning(rows):
    import matplotlib.pyplot as plt
    import shap

    for_shap = shap_explanation(*rows)
    for draw in (
        lambda: shap.plots.waterfall(for_shap[0], show=False),
        lambda: shap.plots.beeswarm(for_shap, show=False, plot_size=(6, 4)),
        lambda: shap.plots.waterfall(said().to_shap(), show=False),
    ):
        draw()
        assert plt.gcf().get_axes()
        plt.close("all")


def test_other_rows_than_those_explained_are_refused(rows):
    explanation, features = rows
    with pytest.raises(FeatureColumnsError, match="must be the 40 rows that were explained"):
        shap_explanation(explanation, features.head(3))
    with pytest.raises(FeatureColumnsError, match="with all 20 columns"):
        shap_explanation(explanation, features[COLUMNS[:3]])


def test_any_table_will_do_and_text_is_no_number(rows):
    explanation, features = rows
    for_shap = shap_explanation(explanation, pa.Table.from_pandas(features))
    np.testing.assert_array_equal(for_shap.data, features.to_numpy())
    with pytest.raises(FeatureTypeError, match=f"Feature '{COLUMNS[0]}' must be of numbers"):
        shap_explanation(explanation, features.assign(**{COLUMNS[0]: "anna"}))


def test_without_shap_it_says_what_to_install(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'benne\[train\]'"):
        shap_explanation(*rows)
