"""Live monitoring of a service: counting, reporting and raising alerts, put together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from benne.scoring.consent.moments import to_microseconds
from benne.scoring.decisions.served_model import ModelSlot, ServedModel
from benne.scoring.monitoring.alerts import AlertSink, LogSink
from benne.scoring.monitoring.filed import FiledMonitoring, filed_monitoring, watched_since
from benne.scoring.monitoring.live_alerts import RaisedAlert, alerts_of, is_open, raise_new
from benne.scoring.monitoring.live_checks import LiveFinding, check_filed, check_window, live_limits
from benne.scoring.monitoring.live_counts import KEPT_DAYS, LiveCounts, day_of
from benne.scoring.monitoring.live_report import HISTORY_WEEKS, WINDOWS, LiveFigures, LiveReport, weeks_of
from benne.scoring.monitoring.live_watch import ANSWERS, PD, SCORE, LiveWatch, reference_of
from benne.scoring.monitoring.live_window import LiveWindow
from benne.scoring.monitoring.thresholds import Limit, Thresholds
from benne.scoring.reviews.statistics import OverturnRate, Period, overturn_rates
from benne.scoring.store.database import Store

__all__ = ["LiveMonitoring", "LiveParts"]

_SHOWN: Final = 200  # alerts that are looked at, the newest first
_WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveParts:
    """What monitoring stands on.

    Parameters
    ----------
    store : Store
    models : ModelSlot
    clock : callable returning datetime
    ids : callable returning str
    sinks : sequence of AlertSink
        Told of alerts that are new; by default the log.
    thresholds : Thresholds
        From where on there is an alert; its rules are of data at hand.
    filed_within : int
        Days that may pass without monitoring of the model being filed; 0 for any number.
    """

    store: Store
    models: ModelSlot
    clock: Callable[[], datetime]
    ids: Callable[[], str]
    sinks: Sequence[AlertSink] = (LogSink(),)
    thresholds: Thresholds = field(default_factory=Thresholds.default)
    filed_within: int = 45


class LiveMonitoring:
    """Counts what a service answers, and says when it is no longer what the model was made for.

    Parameters
    ----------
    parts : LiveParts

    Attributes
    ----------
    counts : LiveCounts
    watch : LiveWatch
        To be an observer of the service's decisions.
    limits : mapping of str to Limit
        By check.
    """

    def __init__(self, parts: LiveParts) -> None:
        self._parts = parts
        self.counts = LiveCounts(parts.store, parts.clock)
        self.watch = LiveWatch(self.counts, lambda: parts.models.current, parts.clock)
        self.limits: Mapping[str, Limit] = live_limits(parts.thresholds)
        self._gauges: dict[str, float] = {}
        self._filed: FiledMonitoring | None = None
        self._alone = threading.Lock()

    def gather(self) -> int:
        """Add everything that was counted to the table; gives how many rows it was added to.

        Raises
        ------
        StoreError
            If the store does not answer; what was counted is kept.
        """
        self.watch.drain()
        return self.counts.flush()

    def tidy(self) -> int:
        """Delete counts that were kept long enough; gives how many rows."""
        with self._parts.store.write() as connection:
            return LiveCounts.forget(connection, day_of(self._parts.clock()) - KEPT_DAYS)

    def report(self, served: ServedModel | None = None) -> LiveReport:
        """What is known of a model, by default the one that serves.

        Of whole days that are over, as soon as they tell anything: whoever asked before and after a single decision
        would see by what it moved the figures, and so what it was.

        Raises
        ------
        StoreError
            If the store does not answer.
        """
        asked, yesterday = served or self._parts.models.current, day_of(self._parts.clock()) - 1
        with self._parts.store.read() as connection:
            over = self._figures(connection, asked, yesterday)
            return LiveReport(over if over.windows[-1].tells else self._figures(connection, asked))

    def evaluate(self) -> list[RaisedAlert]:
        """Hold the last days against their limits, raise what is new, and bring the gauges up to date.

        Returns
        -------
        list of RaisedAlert
            What was raised now; what was within a day, here or by another instance, is not raised again.
        """
        self.gather()
        served, now = self._parts.models.current, self._parts.clock()
        with self._parts.store.read() as connection:
            found = self._findings(connection, served)
        now_us = to_microseconds(now, "The clock")
        raised: list[RaisedAlert] = []
        if found:
            with self._parts.store.write() as connection:
                raised = raise_new(connection, served.model_id, found, now_us, self._parts.ids)
        self._bring_gauges(served)
        if raised:
            for sink in self._parts.sinks:
                sink.send([one.told() for one in raised], served.model_id)
        return raised

    def alerts(self, served: ServedModel | None = None) -> list[RaisedAlert]:
        """The newest alerts of a model, open or not."""
        with self._parts.store.read() as connection:
            return alerts_of(connection, (served or self._parts.models.current).model_id, limit=_SHOWN)

    def gauges(self) -> Mapping[str, float]:
        """What metrics say of the model that serves, as of the last evaluation; nothing that rests on few.

        Of whole days that are over: whoever asks for one benefit and reads the metrics must not see them move.
        """
        with self._alone:
            return dict(self._gauges)

    def filed(self) -> FiledMonitoring | None:
        """What was filed last of the monitoring of the model that serves, as of the last evaluation."""
        with self._alone:
            found = self._filed
        serves = self._parts.models.current.config_hash
        return found if found is not None and found.config_hash == serves else None

    def _bring_gauges(self, served: ServedModel) -> None:
        with self._parts.store.read() as connection:
            yesterday = day_of(self._parts.clock()) - 1
            figures = self._figures(connection, served, yesterday)
        measures = LiveReport(figures).measures()
        found = {name: one["value"] for name, one in measures.items() if one["value"] is not None}
        with self._alone:
            self._gauges, self._filed = found, figures.filed

    def _figures(self, connection: Connection, served: ServedModel, last_day: int | None = None) -> LiveFigures:
        now = self._parts.clock()
        today = day_of(now) if last_day is None else last_day
        counted = LiveCounts.read(connection, served.model_id, today - max(WINDOWS) + 1)
        few = LiveCounts.read(
            connection, served.model_id, today - HISTORY_WEEKS * _WEEK + 1, names=(SCORE, ANSWERS, PD)
        )
        now_us = to_microseconds(now, "The clock")
        alerts = alerts_of(connection, served.model_id, limit=_SHOWN)
        return LiveFigures(
            model_id=served.model_id, config_hash=served.config_hash, made_at=now,
            reference=reference_of(served.model),
            windows=[LiveWindow.of(counted, today, days) for days in WINDOWS],
            weeks=weeks_of(few, today),
            overturned={days: _overturned(connection, now, days) for days in WINDOWS},
            alerts=[one for one in alerts if is_open(one, now_us)],
            filed=filed_monitoring(connection, served.config_hash),
        )  # fmt: skip

    def _findings(self, connection: Connection, served: ServedModel) -> list[LiveFinding]:
        now = self._parts.clock()
        today, (short, long) = day_of(now), WINDOWS
        counted = LiveCounts.read(connection, served.model_id, today - short - long + 1)
        window = LiveWindow.of(counted, today, short)
        before = LiveWindow.of(counted, today - short, long)
        overturned = _overturned(connection, now, long)
        since = watched_since(connection, served.config_hash)
        return [
            *check_window(window, before, reference_of(served.model), overturned, self.limits),
            *check_filed(since, now, self._parts.filed_within),
        ]


def _overturned(connection: Connection, now: datetime, days: int) -> OverturnRate | None:
    """Of reviews that were decided in these days; None where none was."""
    rates = overturn_rates(connection, Period(now - timedelta(days=days), now))
    return next(iter(rates), None)
