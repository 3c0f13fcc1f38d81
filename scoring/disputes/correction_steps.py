"""How far a correction has come; each step once, so that an interrupted one is gone on with."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, insert, select

from benne.scoring.store.rights_tables import correction_steps

__all__ = ["DATA_CORRECTED", "mark_done", "step_of_anew", "step_of_told", "steps_done"]

DATA_CORRECTED: Final = "data_corrected"
_S: Final = correction_steps.c


def step_of_anew(decision_id: str) -> str:
    """The step in which a past question is decided anew."""
    return f"anew:{decision_id}"


def step_of_told(decision_id: str) -> str:
    """The step in which whoever asked it is told."""
    return f"told:{decision_id}"


def steps_done(connection: Connection, case_id: str) -> dict[str, tuple[int, str | None]]:
    """Steps that are behind a correction: when, in microseconds since 1970-01-01 UTC, and what came of each."""
    asked = select(_S.step, _S.done_at_us, _S.result).where(_S.case_id == case_id)
    return {step: (done_at_us, result) for step, done_at_us, result in connection.execute(asked)}


def mark_done(connection: Connection, case_id: str, step: str, now_us: int, result: str | None = None) -> None:
    """Write down that a step is done; the caller has looked that it is not, in this transaction."""
    row = {"case_id": case_id, "step": step, "done_at_us": now_us, "result": result}
    connection.execute(insert(correction_steps), row)
