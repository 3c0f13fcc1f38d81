"""Alerts of running services: kept once a day for each check, by whichever instance finds it first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, func, insert, select

from benne.scoring.consent.moments import from_microseconds
from benne.scoring.monitoring.alerts import Alert, Severity
from benne.scoring.monitoring.live_checks import LiveFinding
from benne.scoring.store.governance_tables import monitoring_alerts

__all__ = ["AGAIN_AFTER", "RaisedAlert", "alerts_of", "is_open", "raise_new"]

AGAIN_AFTER: Final = timedelta(days=1)
"""After which what still is so is raised again; an alert is open for as long."""

_C: Final = monitoring_alerts.c
_COLUMNS: Final = ("alert_id", "model_id", "name", "severity", "value", "threshold", "message", "raised_at_us")
_AGAIN_US: Final = AGAIN_AFTER // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAlert:
    """An alert on record.

    Attributes
    ----------
    alert_id : str
    model_id : str
    name : str
        Of the check.
    severity : {'warning', 'alarm'}
    value, threshold : float
    message : str
    raised_at_us : int
        Microseconds since 1970-01-01 UTC.
    """

    alert_id: str
    model_id: str
    name: str
    severity: str
    value: float
    threshold: float
    message: str
    raised_at_us: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def told(self) -> Alert:
        """As it is passed on; its period is the day it was raised on."""
        day = from_microseconds(self.raised_at_us).date().isoformat()
        severity = cast(Severity, self.severity)
        return Alert(
            name=self.name, severity=severity, value=self.value, threshold=self.threshold, message=self.message,
            period=day,
        )  # fmt: skip


def raise_new(
    connection: Connection, model_id: str, findings: Sequence[LiveFinding], now_us: int, ids: Callable[[], str]
) -> list[RaisedAlert]:
    """Put on record what was not raised within a day; a warning that has become an alarm is new.

    Parameters
    ----------
    connection : Connection
        Alone with the store, so that of several instances one raises it.
    model_id : str
    findings : sequence of LiveFinding
    now_us : int
    ids : callable returning str

    Returns
    -------
    list of RaisedAlert
        Those that are new, for whoever is to be told.
    """
    query = select(_C.name, _C.severity).where(_C.model_id == model_id, _C.raised_at_us > now_us - _AGAIN_US)
    known = {(name, severity) for name, severity in connection.execute(query)}
    raised = [
        RaisedAlert(
            alert_id=ids(), model_id=model_id, name=one.name, severity=one.severity, value=one.value,
            threshold=one.threshold, message=one.message, raised_at_us=now_us,
        )
        for one in findings
        if (one.name, one.severity) not in known and (one.severity == "alarm" or (one.name, "alarm") not in known)
    ]  # fmt: skip
    if raised:
        last = connection.execute(select(func.coalesce(func.max(_C.seq), 0))).scalar_one()
        rows = [{"seq": last + k} | one.as_dict() for k, one in enumerate(raised, start=1)]
        connection.execute(insert(monitoring_alerts), rows)
    return raised


def alerts_of(connection: Connection, model_id: str, *, limit: int) -> list[RaisedAlert]:
    """Alerts of a model, the newest first."""
    query = select(*(_C[name] for name in _COLUMNS)).where(_C.model_id == model_id)
    rows = connection.execute(query.order_by(_C.seq.desc()).limit(limit)).mappings()
    return [RaisedAlert(**row) for row in rows]


def is_open(alert: RaisedAlert, now_us: int) -> bool:
    """Whether it was raised within a day, so that it still is so as far as is known."""
    return alert.raised_at_us > now_us - _AGAIN_US
