import pytest

from benne.errors import CategoryError
from benne.models.category_layout import DEFAULT_WEIGHTS, layout_of


def test_the_weights_are_those_of_the_source() -> None:
    assert list(DEFAULT_WEIGHTS.values()) == [0.35, 0.25, 0.20, 0.15, 0.05]


def test_default_weights_are_renormalised_over_the_categories_given() -> None:
    layout = layout_of(["a", "b", "c"], {"ability": ["c"], "behaviour": ["b"], "credit_history": ["a"]}, None)
    assert layout.names == ("credit_history", "behaviour", "ability")
    assert layout.weights == pytest.approx((0.4375, 0.3125, 0.25))


def test_weights_of_ones_own_are_renormalised_too() -> None:
    layout = layout_of(["a", "b"], {"paid": ["a"], "means": ["b"]}, {"paid": 3, "means": 1})
    assert layout.weights == (0.75, 0.25)


def test_columns_keep_their_order_and_find_their_category() -> None:
    layout = layout_of(["b", "a", "c"], {"ability": ["a", "b"], "social": ["c"]}, None)
    assert layout.column_category == (0, 0, 1)
    assert layout.groups == [[0, 1], [2]]


def test_single_puts_all_columns_in_one_category() -> None:
    assert layout_of(["a", "b"], "single", None).groups == [[0, 1]]


@pytest.mark.parametrize(
    ("columns", "categories", "weights", "message"),
    [
        (["a"], {"ability": []}, None, "Category 'ability' must have a list of at least one column"),
        (["a"], {"ability": "a"}, None, "Category 'ability' must have a list"),
        (["a", "b"], {"ability": ["a"]}, None, "Columns 'b' are in no category"),
        (["a"], {"ability": ["a"], "social": ["a"]}, None, "Column 'a' must be in one category, got it twice"),
        (["a"], {"ability": ["a", "z"]}, None, "Column 'z' of category 'ability' is not in X"),
        (
            ["a", "b"],
            {"x": ["a"], "y": ["b"]},
            None,
            "Categories 'x', 'y' are not the five of the score and need `weights`",
        ),
        (["a"], {"ability": ["a"]}, {"ability": 1, "sociol": 1}, "weights names 'sociol', which are not categories"),
        (["a", "b"], {"x": ["a"], "y": ["b"]}, {"x": 1}, "must have one for each category, got none for 'y'"),
        (["a", "b"], {"x": ["a"], "y": ["b"]}, {"x": 1, "y": 0}, "The weight of 'y' must be a positive number"),
        (["a"], "triple", None, "categories must be a mapping, None or 'single', got 'triple'"),
        (["a"], ["a"], None, "categories must be a mapping, None or 'single', got list"),
        (["a"], None, None, "Columns 'a' are not registered features"),
        ([f"c{k}" for k in range(11)], {f"g{k}": [f"c{k}"] for k in range(11)}, None, "at most 10 categories, got 11"),
    ],
)
def test_categories_and_weights_that_make_no_sense_are_refused(columns, categories, weights, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CategoryError, match=message):
        layout_of(columns, categories, weights)


def test_registered_columns_of_fewer_than_five_categories_are_not_renormalised_in_silence() -> None:
    from benne.features import registry

    columns = [c for c in registry if registry[c].category != "social"]
    with pytest.raises(CategoryError, match=r"got none for 'social'.*registry.categories_of\(X.columns\)"):
        layout_of(columns, None, None)
    assert layout_of(columns, registry.categories_of(columns), None).weights[0] == pytest.approx(0.35 / 0.95)
