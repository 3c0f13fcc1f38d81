"""Counters and timings for Prometheus; labels are routes and codes, never ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from benne.errors import BenneError
from benne.scoring.rollout.figures import RolloutFigures, rollout_figures
from benne.scoring.service import Service

__all__ = ["Measures"]

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})

_CASES: Final = (
    ("open", "Disputes, corrections, reviews and owed notices with something left to do."),
    ("overdue", "Those of them that have passed their deadline."),
)
_LIVE: Final = {
    "live.score_psi": ("benne_score_psi", "Population stability index of scores against the model's training data."),
    "live.worst_feature_psi": ("benne_worst_feature_psi", "The largest such index of any feature."),
    "live.refused_share": ("benne_refused_share", "Share refused of what was asked, benefits apart."),
    "live.thin_share": ("benne_thin_share", "Share of scores with nothing on record in some category that entered."),
    "live.rare_share": ("benne_rare_share", "Share of scores with little like them in the training data."),
    "live.overturned_share": ("benne_overturned_share", "Share of reviews that overturned a decision."),
    "live.alerts_open": ("benne_alerts_open", "Alerts of monitoring raised within a day."),
}
"""Of live monitoring, over seven whole days; a figure that rests on too few has no sample."""


_ROLLOUT: Final = (
    ("benne_rollout", "state", "1 for the step of the roll-out that is under way."),
    ("benne_rollout_share", "", "Share of members whom the challenger serves."),
    ("benne_rollout_shadow_answers", "kind", "Answers shown to the challenger in the shadow, by what came of it."),
    ("benne_rollout_failures", "", "Passes in which the challenger failed while it served."),
)
"""Name, label and what it says, of the roll-out that is under way."""


class _Decisions(Collector):
    """Decisions by outcome, in the maker's own count: whichever way they were asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """The count as it stands."""
        family = CounterMetricFamily("benne_answers", "Decisions by outcome.", labels=("outcome",))
        for outcome, count in sorted(self._service.maker.outcomes().items()):
            family.add_metric((outcome,), count)
        yield family


class _Live(Collector):
    """What live monitoring last found."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """A gauge for each figure; without a sample where nothing is to be told."""
        found = self._service.monitoring.gauges()
        for name, (metric, said) in _LIVE.items():
            family = GaugeMetricFamily(metric, said)
            if name in found:
                family.add_metric((), found[name])
            yield family


class _Filed(Collector):
    """Figures of the newest monitoring document of the model that serves, and its age."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Without a sample where none is on file."""
        found = self._service.monitoring.filed()
        figures = GaugeMetricFamily(
            "benne_monitoring_filed", "Figures of the newest monitoring document of the model that serves.",
            labels=("measure",),
        )  # fmt: skip
        age = GaugeMetricFamily("benne_monitoring_filed_age_seconds", "Since that document was filed.")
        if found is not None:
            for name, value in found.values().items():
                figures.add_metric((name,), value)
            age.add_metric((), (self._service.clock() - found.filed_at).total_seconds())
        yield figures
        yield age


class _Rollout(Collector):
    """The roll-out as the store had it when last looked at; no samples where none is under way."""

    def __init__(self) -> None:
        self.found: RolloutFigures | None = None

    def collect(self) -> Iterator[Metric]:
        """Its step, its share and its counts."""
        found = self.found
        samples: dict[str, Mapping[str, float]] = {} if found is None else {
            "benne_rollout": {found.state: 1}, "benne_rollout_share": {"": found.share},
            "benne_rollout_shadow_answers": found.shadow, "benne_rollout_failures": {"": found.failures},
        }  # fmt: skip
        for metric, label, said in _ROLLOUT:
            family = GaugeMetricFamily(metric, said, labels=(label,) if label else ())
            for value, number in samples.get(metric, {}).items():
                family.add_metric((value,) if label else (), number)
            yield family


class Measures:
    """What one process counts.

    Parameters
    ----------
    service : Service
        Asked, when metrics are read, how many wait and which model serves.
    """

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "benne_request_seconds", "Time a request took, by route, method and status.",
            ("route", "method", "status"), buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        waiting = Gauge("benne_decisions_waiting", "Requests that wait for a decision.", registry=self._registry)
        waiting.set_function(lambda: service.desk.waiting)
        self._model = Gauge("benne_model_serving", "1 for the model that serves.", ("model",), registry=self._registry)
        self._open, self._overdue = (
            Gauge(f"benne_cases_{name}", said, ("kind",), registry=self._registry) for name, said in _CASES
        )
        self._registry.register(_Decisions(service))
        self._registry.register(_Live(service))
        self._registry.register(_Filed(service))
        self._rollout = _Rollout()
        self._registry.register(self._rollout)
        self._service = service
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        key = (route, method if method in _METHODS else "OTHER", status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(route, key[1], str(status))
        child.observe(seconds)

    def count_cases(self) -> None:
        """Look how many cases are open and overdue; housekeeping does, so that reading metrics waits for no store."""
        try:
            counts = self._service.rights.deadlines.counts()
        except BenneError:
            self._open.clear()  # rather nothing than what was
            self._overdue.clear()
            raise
        for kind, (open_ones, overdue) in counts.items():
            self._open.labels(kind).set(open_ones)
            self._overdue.labels(kind).set(overdue)

    def count_rollout(self) -> None:
        """Look how the roll-out stands."""
        self._rollout.found = None  # rather nothing than what was
        with self._service.store.read() as connection:
            self._rollout.found = rollout_figures(connection)

    def count_stored(self) -> None:
        """Everything that is read off the store; what of it cannot be read keeps nothing else from it."""
        try:
            self.count_cases()
        finally:
            self.count_rollout()

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        self._model.clear()
        self._model.labels(self._service.models.current.model_id).set(1)
        return generate_latest(self._registry)
