"""A verdict on a benchmark's model: a service serves nothing that nobody validated.

What is measured is how fast it serves; the gate asks only that points add up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["verdict_on"]

_ROWS: Final = 1_000
"""On how many rows benchmarks measure it."""
_GATES: Final = """
version = "benchmark"
[[gates]]
metric = "points.largest_gap"
at_most = 1e-9
why = "A benchmark is about speed."
"""


def verdict_on(model: Path, largest_gap: float, place: Path) -> Path:
    """Declare gates in a new database and record there that a saved model has passed them.

    Parameters
    ----------
    model : Path
    largest_gap : float
        Largest distance of a score from the sum of its points, as it was measured.
    place : Path
        The database's file.
    """
    from benne.experiments.measure import Measure
    from benne.experiments.validation.judging import judge_all
    from benne.scoring import open_store
    from benne.scoring.audit.group_commit import GroupCommit
    from benne.scoring.decisions.request import Actor
    from benne.scoring.decisions.served_model import identity_of
    from benne.scoring.governance.declaring import declare_gates
    from benne.scoring.governance.verdicts import record_verdict
    from benne.scoring.wiring import random_id, system_clock

    store, version = open_store(place), "benchmark"
    with GroupCommit(store, clock=system_clock) as group:
        declaring = declare_gates(
            _GATES, approver="approver", actor=Actor("approver", "compliance"), event_id=random_id(),
            policy_version=version,
        )  # fmt: skip
        declared = group.submit(declaring).result
        model_id, config_hash = identity_of(model)
        results = judge_all(declared.gates, {"points.largest_gap": Measure(value=largest_gap, n=_ROWS)})
        content = {
            "format": 1, "kind": "verdict", "model": {"model_id": model_id, "config_hash": config_hash},
            "run_id": None, "made_at": system_clock().isoformat(), "by": "validator", "author": "benchmark",
            "validator": "validator", "gates": {"version": declared.version, "hash": declared.gates_hash},
            "passed": all(one.state == "passed" for one in results),
            "training_began_us": declared.declared_at_us + 1, "results": [one.as_dict() for one in results],
            "measures": {}, "tables": {}, "notes": ["Of a benchmark."],
        }  # fmt: skip
        actor = Actor("validator", "compliance")
        group.submit(record_verdict(content, actor=actor, event_id=random_id(), policy_version=version))
    store.close()
    return place
