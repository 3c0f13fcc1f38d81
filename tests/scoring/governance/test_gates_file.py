from __future__ import annotations

import pytest

from benne.errors import GatesError
from benne.scoring.governance.gates import Gate
from benne.scoring.governance.gates_file import default_gates, parse_gates, read_gates_text
from benne.scoring.governance.metrics import METRICS

ONE = '[[gates]]\nmetric = "points.largest_gap"\nat_most = 1e-9\nwhy = "they add up"\n'


def test_the_built_in_gates_ask_for_every_kind_of_proof():
    gates = default_gates()
    asked = {gate.metric.partition(".")[0] for gate in gates.gates}
    assert asked == {metric.partition(".")[0] for metric in METRICS}
    required = {gate.metric for gate in gates.gates if gate.required}
    assert {"discrimination.auc", "calibration.band_miss", "calibration.pattern_miss", "contract.largest_miss",
            "points.largest_gap", "gaming.cheap_points", "gaming.spending_raises"} <= required  # fmt: skip


def test_a_threshold_is_met_at_its_very_ends_and_not_beyond():
    gate = Gate(metric="calibration.slope", at_least=0.8, at_most=1.2, why="near 1")
    assert [gate.passes(value) for value in (0.79, 0.8, 1.0, 1.2, 1.21)] == [False, True, True, True, False]
    assert gate.threshold == "at least 0.8 and at most 1.2"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("version = x\n", r"mine\.toml must be TOML, got something else: .*line 1"),
        (ONE, r"mine\.toml: version must be a name"),
        ('version = "1"', r"mine\.toml: gates must be a list of tables"),
        ('version = "1"\ngates = []', "at least one that is required, got none"),
        ('version = "1"\nversoin = "2"\n' + ONE, "versoin must be one of version, approver, gates"),
        ('version = "a b"\n' + ONE, "version must be a name"),
        ('version = "1"\napprover = "Carol Example"\n' + ONE, "approver must be a name of up to 64 letters"),
        ('version = "1"\n' + ONE + "limit = 3\n", r"gates\[1\]\.limit must be one of metric"),
        ('version = "1"\n' + ONE.replace("1e-9", '"low"'), r"gates\[1\]\.at_most must be a number, got str"),
        ('version = "1"\n' + ONE.replace("1e-9", "true"), r"gates\[1\]\.at_most must be a number, got bool"),
        ('version = "1"\n' + ONE.replace("1e-9", "nan"), r"gates\[1\]: at_least or at_most must be given as finite"),
        ('version = "1"\n' + ONE + "at_least = 2\n", "at_least the smaller, got otherwise"),
        ('version = "1"\n' + ONE.replace("at_most = 1e-9\n", ""), "at_least or at_most must be given"),
        ('version = "1"\n' + ONE.replace("points.largest_gap", "points.gap"), "one that a validation measures"),
        ('version = "1"\n' + ONE.replace('why = "they add up"\n', ""), r"gates\[1\]\.why must be given, got none"),
        ('version = "1"\n' + ONE + 'on = "middle"\n', "on must be one of value, low, high, got 'middle'"),
        ('version = "1"\n' + ONE + "smallest_n = 0\n", "smallest_n must be at least 1, got 0"),
        ('version = "1"\n' + ONE + "required = false\n", "at least one that is required, got none"),
        ('version = "1"\n' + ONE + ONE, r"ask for a figure once, got points\.largest_gap \(value\) twice"),
    ],
)
def test_a_mistake_is_told_by_its_place(text, match):
    with pytest.raises(GatesError, match=match):
        parse_gates(text, "mine.toml")


def test_a_file_that_cannot_be_read_says_where_to_begin(tmp_path):
    with pytest.raises(GatesError, match="Begin with a copy of the built-in ones"):
        read_gates_text(tmp_path / "none.toml")
    (tmp_path / "long.toml").write_text('version = "1"\n' + ONE + "# x\n" * 20_000)
    with pytest.raises(GatesError, match="at most 64 KiB"):
        read_gates_text(tmp_path / "long.toml")
