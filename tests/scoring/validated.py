"""Gates and a verdict for toy models, recorded through the same calls as any: author "ann", validator "bob"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benne.scoring import Store, open_store
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.declaring import DeclaredGates, declare_gates, every_declared
from benne.scoring.governance.gates import Gate
from benne.scoring.governance.verdicts import Verdict, record_verdict
from benne.scoring.wiring import random_id, system_clock

GATES = """
version = "toys"
[[gates]]
metric = "points.largest_gap"
at_most = 1e-9
why = "What a toy must show."
"""


def declared_in(group: GroupCommit, text: str = GATES, approver: str | None = "carol") -> DeclaredGates:
    """Gates, declared now."""
    work = declare_gates(
        text,
        approver=approver,
        actor=Actor(approver or "carol", "compliance"),
        event_id=random_id(),
        policy_version="test",
    )
    return group.submit(work).result


def verdict_content(model: Path | tuple[str, str], declared: DeclaredGates, **changes: Any) -> dict[str, Any]:
    """What a validation says of a model that began its training as the gates were declared."""
    model_id, config_hash = identity_of(model) if isinstance(model, Path) else model
    state = changes.pop("state", "passed")
    results = [answer_to(gate, state) for gate in declared.gates.gates]
    return {
        "format": 1, "kind": "verdict", "model": {"model_id": model_id, "config_hash": config_hash}, "run_id": None,
        "made_at": system_clock().isoformat(), "by": "bob", "author": "ann", "validator": "bob",
        "gates": {"version": declared.version, "hash": declared.gates_hash, "approver": declared.approver},
        "passed": state == "passed",
        "training_began_us": declared.declared_at_us, "results": results,
        "measures": {}, "tables": {}, "notes": [], **changes,
    }  # fmt: skip


def validated_bare(store: Store, group: GroupCommit, model: Path | tuple[str, str], **changes: Any) -> Verdict:
    """What comes of validating a copy of the files without training.json: eve types the author, and nothing counts."""
    typed = {"state": "INSUFFICIENT", "validator": "eve", "by": "eve"}
    return validated(store, group, model, **typed, training={"recorded": False, "fingerprint": None}, **changes)


def answer_to(gate: Gate, state: str) -> dict[str, Any]:
    """What a verdict says of a gate, with a figure that has the state."""
    low, high = gate.at_least, gate.at_most
    within = low if low is not None else min(0.0, high or 0.0)
    beyond = low - 1.0 if low is not None else (high or 0.0) + 1.0
    figure = {"passed": within, "failed": beyond, "INSUFFICIENT": None}[state]
    end = None if gate.on == "value" else figure
    return {
        "metric": gate.metric, "on": gate.on, "required": gate.required, "at_least": gate.at_least,
        "at_most": gate.at_most, "smallest_n": gate.smallest_n, "threshold": gate.threshold, "state": state,
        "value": figure, "low": end, "high": end, "n": 800, "note": "", "is": "", "why": gate.why,
    }  # fmt: skip


def validated(store: Store, group: GroupCommit, model: Path | tuple[str, str], **changes: Any) -> Verdict:
    """A verdict on a model, under the gates of toys, which are declared if they are not."""
    with store.read() as connection:
        known = [one for one in every_declared(connection) if one.version == "toys"]
    content = verdict_content(model, known[0] if known else declared_in(group), **changes)
    actor = Actor(content["validator"], "compliance")
    return group.submit(record_verdict(content, actor=actor, event_id=random_id(), policy_version="test")).result


def verdicts_for(place: Path, *models: Path) -> Path:
    """A database in which these models have passed."""
    store = open_store(place)
    with GroupCommit(store, clock=system_clock) as group:
        for model in models:
            validated(store, group, model)
    store.close()
    return place


def now_us() -> int:
    return to_microseconds(system_clock(), "now")
