"""Whether a verdict answers its gates: each of them once, as it was declared, and with the state its figures have.

A verdict comes from whoever validated; what it says about each figure is their word. That it leaves no gate out, and
calls nothing passed that its own figures do not pass, is looked at here, before it is put on record and again before
the model serves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benne.errors import NotValidated
from benne.scoring.governance.gates import Gate, Gates

__all__ = ["require_answers"]

_SAME: Final = ("required", "at_least", "at_most", "smallest_n")


def require_answers(gates: Gates, results: Sequence[Mapping[str, Any]]) -> None:
    """Refuse results that are not those of exactly these gates.

    Parameters
    ----------
    gates : Gates
        That stand for the training.
    results : sequence of mapping
        Each with ``metric``, ``on``, ``required``, ``at_least``, ``at_most``, ``smallest_n``, ``state``, ``value``,
        ``low``, ``high``, ``n``.

    Raises
    ------
    NotValidated
        If a gate is left out, another is put in, or one is not what was declared or what its figures say.

    Examples
    --------
    >>> gate = Gate(metric="discrimination.auc", at_least=0.65, why="better than chance")
    >>> gates = Gates(version="1", approver=None, gates=(gate,))
    >>> result = {"metric": "discrimination.auc", "on": "value", "required": True, "at_least": 0.65, "at_most": None,
    ...           "smallest_n": 1, "value": 0.7, "low": None, "high": None, "n": 500, "state": "passed"}
    >>> require_answers(gates, [result])
    >>> require_answers(gates, [result | {"value": 0.6}])
    Traceback (most recent call last):
    ...
    benne.errors.NotValidated: A verdict must answer each of its gates as declared, got another answer to ...
    """
    found = {(str(one.get("metric")), str(one.get("on"))): one for one in results}
    asked = {(gate.metric, str(gate.on)): gate for gate in gates.gates}
    if len(found) != len(results) or found.keys() != asked.keys():
        raise NotValidated(
            f"A verdict must answer each of its gates once, got {len(results)} answers to {len(asked)} gates, not all "
            "theirs. Validate it anew: benne validate"
        )
    for key, gate in asked.items():
        if not _answers(gate, found[key]):
            raise NotValidated(
                f"A verdict must answer each of its gates as declared, got another answer to {gate.metric}. "
                "Validate it anew: benne validate"
            )


def _answers(gate: Gate, result: Mapping[str, Any]) -> bool:
    same = all(result.get(name, ...) == getattr(gate, name) for name in _SAME)
    return same and result.get("state") == gate.outcome(result)
