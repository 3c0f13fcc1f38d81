"""What a verdict says of the verdicts before it: on the same files, and on other models of the same training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benne.scoring.consent.moments import from_microseconds
from benne.scoring.governance.verdicts import Verdict

__all__ = ["earlier_notes", "earlier_table"]


def earlier_table(earlier: Sequence[Verdict], config_hash: str) -> list[dict[str, Any]]:
    """One row for each verdict, in the order given.

    Parameters
    ----------
    earlier : sequence of Verdict
        Of :func:`benne.scoring.governance.earlier.related`.
    config_hash : str
        Of the files that are judged now.
    """
    return [
        {
            "verdict": one.validation_id,
            "about": "these files" if one.config_hash == config_hash else f"{one.model_id}, of the same training rows",
            "gates": one.gates_version,
            "on": f"{from_microseconds(one.validated_at_us):%Y-%m-%d %H:%M} UTC",
            "by": one.validator,
            "passed": "passed" if one.passed else "not passed",
            "missed": ", ".join(_missed(one)),
        }
        for one in earlier
    ]  # fmt: skip


def earlier_notes(earlier: Sequence[Verdict], config_hash: str) -> list[str]:
    """The same in a sentence for each kind; nothing where there is none."""
    same = [one for one in earlier if one.config_hash == config_hash]
    others = [one for one in earlier if one.config_hash != config_hash]
    told = [f"These files were judged before: {'; '.join(map(_said, same))}."] if same else []
    if others:
        told.append(
            "Other models of the same training rows did not pass: "
            f"{'; '.join(f'{one.model_id}, {_said(one)}' for one in others)}."
        )
    return told


def _said(verdict: Verdict) -> str:
    missed = ", ".join(_missed(verdict))
    return (
        f"{'passed' if verdict.passed else 'not passed'} under gates {verdict.gates_version} on "
        f"{from_microseconds(verdict.validated_at_us):%Y-%m-%d}" + (f" ({missed})" if missed else "")
    )


def _missed(verdict: Verdict) -> list[str]:
    """Required gates that were not passed."""
    return [str(one["metric"]) for one in verdict.content["results"] if one["required"] and one["state"] != "passed"]
