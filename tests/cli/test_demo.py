from __future__ import annotations

import pytest

from benne.cli.demo import _served

BESIDE = ["gaming.rank_damage failed"]


@pytest.mark.parametrize(
    ("passed", "missed", "beside", "told"),
    [
        (True, [], [], "passed, and promoted"),
        (True, [], BESIDE, "passed, and promoted; worth a look: gaming.rank_damage failed"),
        (
            False, ["discrimination.auc failed", "stability.psi INSUFFICIENT"], BESIDE,
            "not passed, so that it may not serve (discrimination.auc failed, stability.psi INSUFFICIENT); "
            "worth a look: gaming.rank_damage failed",
        ),
    ],
)  # fmt: skip
def test_only_required_gates_are_told_as_what_stops_a_model(passed, missed, beside, told):
    assert _served({"passed": passed, "gates": {}, "missed": missed, "worth_a_look": beside}) == told
