"""Figures held against gates: passed, failed, or INSUFFICIENT, which is never a pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benne.experiments.measure import Measure
from benne.scoring.governance.gates import Gate, Gates, Outcome
from benne.scoring.governance.metrics import METRICS

__all__ = ["Result", "judge", "judge_all"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one gate.

    Parameters
    ----------
    gate : Gate
    measure : Measure
    state : {'passed', 'failed', 'INSUFFICIENT'}
    note : str
        What it rests on, or what is missing.
    """

    gate: Gate
    measure: Measure
    state: Outcome
    note: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the same figures, the same bytes."""
        told = self.measure.as_dict()
        return {
            "metric": self.gate.metric, "state": self.state, "required": self.gate.required,
            **{name: told[name] for name in ("value", "low", "high", "n")},
            "threshold": self.gate.threshold, "on": self.gate.on, "at_least": self.gate.at_least,
            "at_most": self.gate.at_most, "smallest_n": self.gate.smallest_n, "note": self.note,
            "is": METRICS[self.gate.metric].words, "why": self.gate.why,
        }  # fmt: skip


def judge_all(gates: Gates, measures: Mapping[str, Measure]) -> list[Result]:
    """What became of each gate, in the file's order."""
    unmeasured = Measure(value=None, n=0, note="not measured")
    return [judge(gate, measures.get(gate.metric, unmeasured)) for gate in gates.gates]


def judge(gate: Gate, measure: Measure) -> Result:
    """Hold one figure against its gate.

    Examples
    --------
    >>> gate = Gate(metric="discrimination.auc", at_least=0.65, on="low", smallest_n=100, why="better than chance")
    >>> judge(gate, Measure(value=0.70, low=0.66, high=0.74, n=500)).state
    'passed'
    >>> judge(gate, Measure(value=0.70, low=0.64, high=0.76, n=500)).state
    'failed'
    >>> judge(gate, Measure(value=0.99, low=0.98, high=1.0, n=99)).state
    'INSUFFICIENT'
    """
    told = measure.as_dict()
    state = gate.outcome(told)  # of the figures as the verdict shows them, so that whoever reads it comes to the same
    if state != "INSUFFICIENT":
        return Result(gate, measure, state, measure.note)
    if told["value"] is None or told[gate.on] is None:
        return Result(gate, measure, state, measure.note or "it has no such end of an interval")
    why = f": {measure.note}" if measure.note and not measure.n else ""
    return Result(gate, measure, state, f"must rest on at least {gate.smallest_n:,}, got {measure.n:,}{why}")
