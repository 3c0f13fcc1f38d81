"""What a validation found about fairness and gaming, as documents about the model: filed, and written in full."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benne.experiments.fairness import AboutAudit, fairness_document, write_fairness_report
from benne.experiments.gaming import gaming_document, write_gaming_report
from benne.experiments.report.model_document import AboutDocument
from benne.scoring.decisions.request import Actor

if TYPE_CHECKING:
    from benne.experiments.validation.verdict import MadeVerdict
    from benne.scoring.governance.governance_store import GovernanceStore

__all__ = ["file_findings", "findings_of", "write_findings"]


def findings_of(made: MadeVerdict) -> list[dict[str, Any]]:
    """What was measured beside the verdict, each in full: of kind ``fairness`` and ``gaming``, where there is one."""
    measured, about = made.measured, _about(made)
    found = []
    if measured.fairness is not None:
        found.append(fairness_document(measured.fairness, AboutAudit(**about, purpose=made.purpose)))
    if measured.gaming is not None:
        found.append(gaming_document(measured.gaming, AboutDocument(**about)))
    return found


def file_findings(made: MadeVerdict, governance: GovernanceStore, actor: Actor, *, ids: Callable[[], str]) -> None:
    """File them beside the verdict, whether it passed or not."""
    for content in findings_of(made):
        governance.file(content, actor, event_id=ids())


def write_findings(made: MadeVerdict, folder: str | Path) -> list[Path]:
    """Write them as pages and as JSON, such as beside the verdict; files of these names are replaced."""
    measured, about = made.measured, _about(made)
    written = []
    if measured.fairness is not None:
        written += write_fairness_report(measured.fairness, folder, AboutAudit(**about, purpose=made.purpose))
    if measured.gaming is not None:
        written += write_gaming_report(measured.gaming, folder, AboutDocument(**about))
    return written


def _about(made: MadeVerdict) -> dict[str, Any]:
    content = made.content
    moment = datetime.fromisoformat(content["made_at"])
    return {**content["model"], "made_at": moment, "by": content["validator"], "trained_on": "none"}
