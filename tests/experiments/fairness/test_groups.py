"""Nobody is dropped from the groups, and nobody stands in a group of fewer than ten."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benne.errors import FairnessError
from benne.experiments.fairness.groups import OTHERS, grouping_of, groupings_of
from benne.experiments.fairness.options import FairnessOptions, checked_cutoffs


def grouped(values, options=None, members=None):
    series = pd.Series(values, name="sex")
    return grouping_of(series, np.arange(len(series)) if members is None else members, options or FairnessOptions())


def test_whoever_states_nothing_is_a_group_and_never_the_reference():
    found = grouped(["f"] * 15 + ["m"] * 12 + [None] * 40)
    assert found.names == ("f", "m", "not stated")
    assert np.bincount(found.code).tolist() == [15, 12, 40]
    assert found.names[found.reference] == "f"


def test_small_groups_are_put_together_so_that_no_total_tells_of_them():
    found = grouped(["a"] * 30 + ["b"] * 20 + ["c"] * 4 + ["d"] * 7)
    assert found.names == ("a", "b", OTHERS)
    assert np.bincount(found.code).tolist() == [30, 20, 11]
    # four alone would follow from the total: they take the smallest of the others along
    found = grouped(["a"] * 30 + ["b"] * 20 + ["e"] * 25 + ["c"] * 4)
    assert found.names == ("a", OTHERS, "e")
    assert np.bincount(found.code).tolist() == [30, 24, 25]


def test_groups_are_counted_in_members_and_not_in_their_rows():
    values, members = ["a"] * 40 + ["b"] * 40 + ["c"] * 40, np.arange(120)
    members[80:] = 80 + np.arange(40) % 4  # four members in forty rows
    assert grouped(values, members=members).names == (OTHERS, "b")  # with the first of the smallest others


def test_numbers_are_put_in_bands_that_begin_at_their_edges():
    age = pd.Series([24.9, 25, 61, 62, np.nan] * 10, name="age")
    found = grouping_of(age, np.arange(50), FairnessOptions())
    assert found.names == ("under 25", "25 to under 35", "55 to under 62", "62 and over", "not stated")


def test_a_number_without_edges_is_refused():
    with pytest.raises(FairnessError, match="'sex' must be of groups, got 40 different numbers"):
        grouped(list(range(40)))


def test_an_attribute_of_one_group_is_refused_and_so_is_one_of_very_many():
    with pytest.raises(FairnessError, match="must have two groups of ten members or more, got one"):
        grouped(["f"] * 30)
    with pytest.raises(FairnessError, match="must have at most 25 groups, got 30"):
        grouped([f"g{k}" for k in range(30) for _ in range(10)])


def test_infinity_is_refused():
    with pytest.raises(FairnessError, match="'age' must be finite where it is stated"):
        grouping_of(pd.Series([np.inf, 30.0] * 10, name="age"), np.arange(20), FairnessOptions())


def test_two_attributes_together_are_compared_with_where_both_are_the_reference():
    protected = pd.DataFrame({"sex": ["f", "m"] * 40 + ["m"] * 20, "old": ["y", "n", "n", "y"] * 25})
    joint = groupings_of(protected, np.arange(100), FairnessOptions(intersections=[("sex", "old")]))[-1]
    assert joint.attribute == "sex x old"
    assert joint.joint
    assert set(joint.names) == {"f, n", "f, y", "m, n", "m, y"}
    assert joint.names[joint.reference] == "m, n"


def test_an_unknown_attribute_or_reference_is_refused():
    protected = pd.DataFrame({"sex": ["f", "m"] * 20})
    with pytest.raises(FairnessError, match=r"got 'race'. Correct the options"):
        groupings_of(protected, np.arange(40), FairnessOptions(intersections=[("sex", "race")]))
    with pytest.raises(FairnessError, match="reference of 'sex' must be one of its groups"):
        groupings_of(protected, np.arange(40), FairnessOptions(reference={"sex": "x"}))


@pytest.mark.parametrize("cutoffs", [[349], [950.5], [float("nan")], [600, 10_000]])
def test_a_cutoff_that_is_no_score_is_refused(cutoffs):
    with pytest.raises(FairnessError, match="A cut-off must be a score from 350 to 950"):
        checked_cutoffs(cutoffs)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"fewest_rows": 5}, "fewest_rows must be at least 10"),
        ({"review_below": 0.0}, "review_below must be above 0"),
        ({"proxy_from": 0.5}, "proxy_from must be above 0.5"),
        ({"edges": {"age": (30.0, 20.0)}}, "Edges of 'age' must be finite numbers that rise"),
    ],
)
def test_options_out_of_their_domain_are_refused(wrong, match):
    with pytest.raises(FairnessError, match=match):
        FairnessOptions(**wrong).check()
