"""How the model that serves does, live: shifts and shares in pictures and tables, alerts open and past; read-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from benne.explain.charts import Level, Pair, level_bars, paired_bars, trend_line
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.monitoring.live_alerts import RaisedAlert, is_open
from benne.scoring.monitoring.live_report import WINDOWS
from benne.scoring.monitoring.thresholds import Limit

__all__ = ["PAGES", "told_of"]

_IN_PICTURE: Final = 12  # features, those that moved most
_FEATURE: Final = "feature.psi."


def show(visit: Visit) -> Response:
    """Figures up to this moment."""
    monitoring = visit.service.monitoring
    report, now_us = monitoring.report().as_dict(), to_microseconds(visit.service.clock(), "The clock")
    alerts = [(one, is_open(one, now_us)) for one in monitoring.alerts()]
    standing = sorted((one for one, still in alerts if still), key=lambda one: one.severity != "alarm")  # alarms first
    return visit.show(
        "monitoring", report=report, tables=report["tables"], short=WINDOWS[0], long=WINDOWS[-1],
        open_alerts=[told_of(visit, one) for one in standing],
        past_alerts=[told_of(visit, one) for one, still in alerts if not still],
        pictures=_pictures(visit, report["tables"], monitoring.limits),
        quiet=report["measures"]["live.mean_pd"]["value"] is None,
    )  # fmt: skip


def told_of(visit: Visit, alert: RaisedAlert) -> dict[str, Any]:
    """An alert in the reader's language, with the check it is of; one without words of its own in the service's."""
    feature = alert.name.removeprefix(_FEATURE) if alert.name.startswith(_FEATURE) else ""
    check = "feature.psi" if feature else alert.name
    key = f"console.monitoring.alert.{check.replace('.', '_')}"
    values = {"value": f"{alert.value:.3g}", "threshold": f"{alert.threshold:.3g}"}
    if feature:
        values["feature"] = visit.texts.label(feature)
    words = visit.say(key, **values) if visit.texts.has(key) else ""
    return {"alert": alert, "words": words}


def _pictures(visit: Visit, tables: dict[str, Any], limits: Mapping[str, Limit]) -> dict[str, str]:
    """Of what there is to show: nothing of few, and no shift without a reference."""
    psi, found = f"psi_{WINDOWS[0]}", {}
    moved = [row for row in tables["features"] if row[psi] is not None][:_IN_PICTURE]
    limit = limits["feature.psi"]
    if moved:
        levels = [Level(visit.texts.label(row["feature"]), row[psi], row[psi] > limit.alarm) for row in moved]
        found["features"] = level_bars(
            levels, (limit.warning, limit.alarm), visit.say("console.monitoring.features"), name="feature-shifts"
        )
    share = f"share_{WINDOWS[0]}"
    if any(row[share] is not None for row in tables["bands"]):
        pairs = [Pair(visit.texts.band(row["band"]), row["share_reference"], row[share]) for row in tables["bands"]]
        legend = visit.say("console.monitoring.reference"), visit.say("console.monitoring.days", days=WINDOWS[0])
        found["bands"] = paired_bars(pairs, visit.say("console.monitoring.bands"), legend, name="bands")
    weeks = [(row["until"], row["score_psi"]) for row in tables["weeks"]]
    if any(value is not None for _, value in weeks):
        score = limits["score.psi"]
        found["weeks"] = trend_line(
            weeks, (score.warning, score.alarm), visit.say("console.monitoring.weeks"), name="weeks"
        )
    return found


PAGES = (Page("GET", "/console/monitoring", show, entry="console.navigation.monitoring"),)
