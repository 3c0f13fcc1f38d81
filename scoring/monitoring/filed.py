"""What was filed last of a served model's monitoring: its figures, and when, for programs that watch a service."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from benne.errors import GovernanceError
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.promotion import every_promotion
from benne.scoring.governance.documents import documents_of
from benne.scoring.monitoring.report import KIND, MEASURES

__all__ = ["FiledMonitoring", "filed_monitoring", "watched_since"]

_log = logging.getLogger(__name__)
_LONGEST_NOTE: Final = 200
_PREFIX: Final = f"{KIND}."


@dataclass(frozen=True, slots=True)
class FiledMonitoring:
    """The newest monitoring document of a model, as far as a running service tells of it.

    Parameters
    ----------
    document_id : str
    config_hash : str
        Of the model that it is about.
    filed_at : datetime
    made_at : str
        As the document says it.
    measures : mapping of str to dict
        In the form that documents hold them, under their full names; none that monitoring does not make.
    """

    document_id: str
    config_hash: str
    filed_at: datetime
    made_at: str
    measures: Mapping[str, dict[str, Any]]

    def values(self) -> dict[str, float]:
        """Figures that there are, by their names without ``monitoring.``."""
        return {
            name.removeprefix(_PREFIX): float(one["value"])
            for name, one in self.measures.items() if one["value"] is not None
        }  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        filed_at = self.filed_at.astimezone(UTC).isoformat(timespec="seconds")
        return {
            "document_id": self.document_id, "filed_at": filed_at, "made_at": self.made_at,
            "measures": dict(self.measures),
        }  # fmt: skip


def filed_monitoring(connection: Connection, config_hash: str) -> FiledMonitoring | None:
    """The newest document of kind ``monitoring`` about a model; None where there is none that can be relied on.

    One that is not as the audit chain says it was filed is logged as an error, and counts as none: figures go on
    being told without it, and its age will be noticed.
    """
    try:
        found = next(iter(documents_of(connection, config_hash, KIND, newest=1)), None)
    except GovernanceError as error:
        _log.error("monitoring on file: %s", error)
        return None
    if found is None:
        return None
    said = found.content["measures"] if isinstance(found.content["measures"], Mapping) else {}
    measures = {f"{_PREFIX}{name}": said.get(f"{_PREFIX}{name}") for name in MEASURES}
    return FiledMonitoring(
        document_id=found.document_id, config_hash=config_hash, filed_at=from_microseconds(found.filed_at_us),
        made_at=str(found.content["made_at"])[:_LONGEST_NOTE],
        measures={name: _measure(one) for name, one in measures.items() if isinstance(one, Mapping)},
    )  # fmt: skip


def watched_since(connection: Connection, config_hash: str) -> datetime | None:
    """When monitoring of a model was filed last, or the model promoted last if that is later; None of neither.

    A model that serves again after another did was not to be watched in between.
    """
    filed = filed_monitoring(connection, config_hash)
    promotions = [one.promoted_at_us for one in every_promotion(connection) if one.config_hash == config_hash]
    moments = [from_microseconds(moment) for moment in promotions[-1:]]
    return max([*moments, *([] if filed is None else [filed.filed_at])], default=None)


def _measure(said: Mapping[str, Any]) -> dict[str, Any]:
    """A figure of a document, which anybody who files may have written: numbers are numbers, or there are none."""
    value, low, high = (_number(said.get(name)) for name in ("value", "low", "high"))
    n, note = said.get("n"), said.get("note")
    return {
        "value": value, "low": low, "high": high, "n": n if isinstance(n, int) and not isinstance(n, bool) else None,
        "state": "INSUFFICIENT" if value is None else "measured",
        "note": note[:_LONGEST_NOTE] if isinstance(note, str) else "",
    }  # fmt: skip


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None  # type: ignore[arg-type]
