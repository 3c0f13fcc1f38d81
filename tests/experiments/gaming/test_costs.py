import re
from importlib.resources import files

import pytest

from benne.errors import GamingError
from benne.experiments.gaming import CostTable
from benne.features import registry

DEFAULT = files("benne.experiments.gaming").joinpath("default.toml").read_text("utf-8")


def changed(tmp_path, pattern, replacement):
    text, count = re.subn(pattern, replacement, DEFAULT, count=1, flags=re.M)
    assert count == 1
    (tmp_path / "costs.toml").write_text(text, encoding="utf-8")
    return tmp_path / "costs.toml"


def test_every_feature_of_the_default_table_is_registered():
    table = CostTable.default()
    named = [*table.features, *(name for one in table.together for name in one.features)]
    assert [name for name in named if name not in registry] == []


def test_a_feature_costs_what_its_ease_does_unless_the_table_says_otherwise():
    table = CostTable.default()
    usual = table.effort("reciprocity_share", registry["reciprocity_share"])
    assert (usual.ease, usual.cost, usual.days, usual.direction) == ("high", 1.0, 7, -1)
    assert table.effort("positive_rating_share_365d", registry["positive_rating_share_365d"]).cost == 2.0
    assert table.effort("days_since_joining", registry["days_since_joining"]).held


def test_nobody_guesses_how_easily_an_unregistered_feature_is_moved():
    assert CostTable.default().effort("my_own", None) is None


def test_every_feature_that_only_time_moves_is_held():
    spoken = [name for name, spec in registry.items() if spec.gaming == "high" and spec.unit == "days"]
    assert spoken == []
    table = CostTable.default()
    tenures = [name for name in registry if "tenure" in name or name.endswith("verified_days")]
    assert all(table.effort(name, registry[name]).held for name in tenures)


@pytest.mark.parametrize(
    ("pattern", "replacement", "complaint"),
    [
        (r"^format = 1", "format = 2", "must have format 1"),
        (r"^rungs = .*", "rungs = [0.9, 0.5]", "rungs must be increasing"),
        (r"^cost = 1.0", "cost = 0.0", "must be above 0"),
        (r"^cost = 1.0", "", "as the default one, got 'cost' wrong"),
        (r"^cheap = 6.0", "dear = 6.0", "unexpected keyword argument 'dear'"),
        (r"^held = true", "helt = true", "got helt"),
        (r'^why = "The first dealing.*', "", "must say why it differs"),
        (r'"counterparties_365d"', '"balance_last"', "in one list at most"),
    ],
)
def test_a_table_of_another_form_is_refused_by_name(tmp_path, pattern, replacement, complaint):
    with pytest.raises(GamingError, match=complaint):
        CostTable.read(changed(tmp_path, pattern, replacement))


def test_a_table_of_ones_own_is_read(tmp_path):
    assert CostTable.read(changed(tmp_path, "^cheap = 6.0", "cheap = 9.0")).budget.cheap == 9.0
