"""From events and observations to a feature frame with the consent mask beside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from benne.errors import ConsentError, ObservationError
from benne.features.consent_mask import ConsentMask
from benne.features.engines.embedded import compute_embedded
from benne.features.engines.task import Task
from benne.features.events.events import Events
from benne.features.kernel.finaliser import Floats
from benne.features.kernel.stream import NEVER, Mask
from benne.features.observations import check_observations
from benne.features.plan import Plan
from benne.features.specification import Registry

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["build_features"]

_log = logging.getLogger(__name__)
_ENGINES = ("duckdb", "spark")

Progress = Callable[[int, int], None]


def build_features(
    events: Events,
    observations: pd.DataFrame,
    *,
    consents: ConsentMask,
    engine: str = "duckdb",
    registry: Registry | None = None,
    progress: Progress | None = None,
    minors_reason: str | None = None,
    known_by: datetime | None = None,
    workers: int | None = None,
    session: SparkSession | None = None,
) -> pd.DataFrame:
    """Compute every feature these events can carry, at each observation, where consent allows.

    Parameters
    ----------
    events : Events
    observations : DataFrame
        ``subject_id`` (str) and ``as_of`` (timezone-aware); one row each.
    consents : ConsentMask
        Which category may be computed for whom, from the ledger; or
        ``ConsentMask.all_granted(reason=...)``.
    engine : {"duckdb", "spark"}
        The values are the same, bit for bit. One member online: :class:`benne.features.engines.online.OnlineFeatures`.
    registry : Registry, optional
        By default the registered features.
    progress : callable, optional
        Called with members done and in all.
    minors_reason : str, optional
        Why members not attested to be adults may be observed all the same; logged. By default
        they are refused.
    known_by : datetime, optional
        A corrected build: what happened before ``as_of`` as it was known before this later
        moment. By default each observation sees what was known before its own ``as_of``, and
        building an old one again gives the old features, whatever was corrected since.
    workers : int, optional
        Of ``duckdb``: how many ranges of members are computed at the same time; by default one a
        processor.
    session : SparkSession, optional
        Of ``spark``: by default the active one, or else one on this machine.

    Returns
    -------
    DataFrame
        Indexed by (``subject_id``, ``as_of``) in the order of ``observations``: one float64
        column per feature, then five boolean columns ``consented_<category>``. NaN under a
        false one was not computed; elsewhere it means what the registry says, or that nobody's
        rows yet said what the feature needs. What they say at no observation has no column.

    Raises
    ------
    ObservationError
        An observation is malformed, repeated, of an unknown member, or not after joining; or
        ``known_by`` lies before an ``as_of``.
    ConsentError
        ``consents`` is not a ConsentMask.
    EngineUnavailable
        Spark or its Java is not there.

    Notes
    -----
    An event counts only if ``event_time < as_of`` and ``known_at < as_of``. The kernel is given no
    event that only withheld categories would read.
    """
    if not isinstance(consents, ConsentMask):
        raise ConsentError(
            f"consents must be a ConsentMask, got {type(consents).__name__}. Take one from the ledger, "
            "or ConsentMask.all_granted(reason=...) for data whose terms allow it."
        )
    if engine not in _ENGINES:
        raise ObservationError(f"engine must be one of {', '.join(_ENGINES)}, got {engine!r}.")
    observed = check_observations(events, observations, minors_reason=minors_reason, known_by=known_by)
    mask = consents.table(observed.subject_ids, observed.as_of)
    plan = Plan.of(events.known_since, registry, known_by=int(max(observed.known_by, default=NEVER)))
    task = Task(events, plan, observed, mask.to_numpy(dtype=bool), consents)
    values, late = _computed(task, engine, workers, session, progress)
    _log.info("%d features at %d observations, %d of them late or filtered", len(plan.names), len(observed), late.sum())
    features = pd.DataFrame(values.T, columns=plan.names)
    return pd.concat([features, mask], axis=1).set_axis(observed.index(), axis=0)


def _computed(task: Task, engine: str, workers: int | None, session: SparkSession | None, progress: Progress | None
              ) -> tuple[Floats, Mask]:  # fmt: skip
    if engine == "spark":
        from benne.features.engines.spark import compute_spark

        return compute_spark(task, session, progress)
    return compute_embedded(task, workers or os.cpu_count() or 1, progress)
