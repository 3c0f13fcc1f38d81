"""The gate on spending (M5): whoever spends more on the operator's own platform must not score higher for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import ConsentError, GamingError
from benne.experiments.gaming.more_spending import (
    SPENT,
    WAYS,
    Way,
    only_of,
    spending_rows,
    with_first_purchase,
    with_more_spending,
)
from benne.experiments.measure import Measure
from benne.features import MASK_COLUMNS, ConsentMask, Events, Registry, build_features, registry
from benne.models import CreditScoreModel, withheld_of

__all__ = ["SpendingResult", "spending_test"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class SpendingResult:
    """Whose score rises when they only spend more.

    Parameters
    ----------
    members : int
        Observations that were scored as they are and with more spending.
    spenders : int
        Of those, members with a purchase that could be scaled; the test says nothing about the others.
    raised : int
        Observations whose score rises in any of the ways.
    largest : float
        Most points won by one of them.
    ways : DataFrame
        One row for each way and factor (NaN for a first purchase): ``way``, ``factor``, ``raised``, ``share`` of
        members, ``largest`` points.
    features : DataFrame
        One row for each feature that alone, with all others as they were, raises a score: ``direction``, ``raised``,
        ``largest``; the worst over all ways, the worst first.
    """

    members: int
    spenders: int
    raised: int
    largest: float
    ways: pd.DataFrame
    features: pd.DataFrame

    @property
    def measure(self) -> Measure:
        """``spending_raises``: members whose score rises; 0 is the promise."""
        if not self.spenders:
            return Measure(value=None, n=self.members, note="nobody's events hold a purchase that could be scaled")
        blame = ", ".join(self.features.index[:3])
        note = f"of {self.spenders} who spend; none rises" if not self.raised else (
            f"of {self.spenders} who spend; by up to {self.largest:.1f} points" + (f": {blame}" if blame else "")
        )  # fmt: skip
        return Measure(value=float(self.raised), n=self.members, note=note)


def spending_test(
    model: CreditScoreModel,
    events: Events,
    observations: pd.DataFrame,
    *,
    consents: ConsentMask | None = None,
    factors: Sequence[float] = (1.5, 2.0, 5.0),
    seed: int = 0,
    members: int = 2000,
    kinds: Sequence[str] = SPENT,
    features_of: Registry | None = None,
) -> SpendingResult:
    """Scale what real members spend on the platform, build their features again and score them again.

    Parameters
    ----------
    model : CreditScoreModel
    events : Events
    observations : DataFrame
        Columns ``subject_id`` and ``as_of``; or a feature frame indexed by them, whose consent columns then say what
        may be computed.
    consents : ConsentMask, optional
        What may be computed for whom. Needed unless ``observations`` carries the five consent columns.
    factors : sequence of float
        Above 1.
    seed : int
        Of the members drawn.
    members : int
        Observations tested at most.
    kinds : sequence of str
        Kinds of payments that are spending on the platform.
    features_of : Registry, optional
        By default the registered features.

    Returns
    -------
    SpendingResult

    Raises
    ------
    ConsentError
        If nobody says what may be computed.
    GamingError
        If there are no payments, or no factor, or the events do not build every feature of the model.

    Notes
    -----
    Four ways: every purchase larger, every purchase made again, made again with sellers who are new, and one purchase
    for whoever had none in half a year, since a feature may be null for them. All else stays as reported.
    """
    if "payments" not in events.sources or not factors:
        raise GamingError(
            "Spending must be tested on events with payments, by a factor at least, got none. Ingest them."
        )
    observed, mask = _observed(observations, consents, members, seed)
    own = only_of(events, observed["subject_id"].tolist())
    build = _Builder(model, observed, mask, features_of or registry)
    plain = build.frame(own)
    before = plain if consents is not None else _as_given(observations, plain)
    scored = build.scored(before)
    found, features = [], []
    for way, factor, more in _ways(own, observed, factors, kinds):
        after = _with_changes(before, plain, build.frame(more))
        both = scored & build.scored(after)
        rise = build.scores(after, both) - build.scores(before, both)
        found.append(_Found(way, factor, both, rise))
        features.append(_alone(build, before, after, both))
    payments = own.read("payments")
    spenders = set(payments.filter(spending_rows(payments, kinds))["subject_id"].to_pylist())
    spend = observed["subject_id"].isin(spenders).to_numpy()
    return _result(found, features, spend & scored, scored, features_of or registry)


@dataclass(frozen=True, eq=False)
class _Found:
    """One way and factor: which rows were scored both times, and by how much each rises."""

    way: Way
    factor: float
    rows: Bools
    rise: Floats

    def raised(self) -> Bools:
        found = np.zeros(len(self.rows), dtype=bool)
        found[self.rows] = self.rise > _SAME
        return found


class _Builder:
    """Builds and scores the same observations from other events."""

    def __init__(
        self, model: CreditScoreModel, observed: pd.DataFrame, mask: ConsentMask, features_of: Registry
    ) -> None:
        self._model, self._observed, self._mask, self._registry = model, observed, mask, features_of
        self._names = [str(name) for name in model.feature_names_in_]

    def frame(self, events: Events) -> pd.DataFrame:
        """The model's features, and the consent columns beside them."""
        built = build_features(events, self._observed, consents=self._mask, registry=self._registry)
        lacking = [name for name in self._names if name not in built.columns]
        if lacking:
            raise GamingError(
                f"Events must be those that every feature of the model is built from, got none for {lacking[0]!r} "
                f"({len(lacking)} such). Bring the tables that are missing; features of your own cannot be tested so."
            )
        return built[[*self._names, *MASK_COLUMNS.values()]]

    def scored(self, frame: pd.DataFrame) -> Bools:
        """Rows that the model scores, shape (n,)."""
        thin, strange = self._model.refusals(frame, withheld_of(frame))
        return np.asarray(~(thin | strange))

    def scores(self, frame: pd.DataFrame, rows: Bools) -> Floats:
        """Scores of some rows."""
        part = frame[rows]
        return self._model.predict_score(part, withheld=withheld_of(part)) if len(part) else np.zeros(0)

    def changed(self, before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
        """Features of which any value is another."""
        return [name for name in self._names if not before[name].equals(after[name])]


def _as_given(observations: pd.DataFrame, plain: pd.DataFrame) -> pd.DataFrame:
    """The rows that were given, where they are features: those built here know of no consent but these members' own,
    and so of few contacts."""
    if observations.index.names != plain.index.names or not set(plain.columns) <= set(observations.columns):
        return plain
    return observations.loc[plain.index, list(plain.columns)].astype(plain.dtypes)


def _with_changes(before: pd.DataFrame, plain: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The rows with what spending changes, and nothing else."""
    same = (plain == after) | (plain.isna() & after.isna())
    return before.where(same, after).astype(before.dtypes)


def _alone(build: _Builder, before: pd.DataFrame, after: pd.DataFrame, rows: Bools) -> pd.DataFrame:
    """What each changed feature does by itself."""
    base = build.scores(before, rows)
    found = {}
    for name in build.changed(before, after):
        rise = build.scores(before.assign(**{name: after[name]}), rows) - base
        if (rise > _SAME).any():
            found[name] = (int((rise > _SAME).sum()), float(rise.max()))
    return pd.DataFrame.from_dict(found, orient="index", columns=["raised", "largest"])


def _result(
    found: Sequence[_Found], features: Sequence[pd.DataFrame], spend: Bools, scored: Bools, features_of: Registry
) -> SpendingResult:
    largest = [float(one.rise.max(initial=0.0)) for one in found]
    ways = pd.DataFrame({
        "way": [one.way for one in found], "factor": [one.factor for one in found],
        "raised": [int(one.raised().sum()) for one in found],
        "share": [float(one.raised().sum() / max(one.rows.sum(), 1)) for one in found],
        "largest": [max(points, 0.0) for points in largest],
    })  # fmt: skip
    return SpendingResult(
        members=int(scored.sum()),
        spenders=int(spend.sum()),
        raised=int(np.any([one.raised() for one in found], axis=0).sum()),
        largest=max(max(largest), 0.0),
        ways=ways,
        features=_worst(features, features_of),
    )


def _worst(features: Sequence[pd.DataFrame], features_of: Registry) -> pd.DataFrame:
    joined = pd.concat([one for one in features if len(one)]) if any(len(one) for one in features) else features[0]
    table = joined.groupby(level=0).max().sort_values(["raised", "largest"], ascending=False, kind="stable")
    table.insert(0, "direction", [features_of[str(name)].direction for name in table.index])
    return table.rename_axis("feature")


def _ways(
    own: Events, observed: pd.DataFrame, factors: Sequence[float], kinds: Sequence[str]
) -> Iterator[tuple[Way, float, Events]]:
    """Each way of spending more, its factor (NaN for a first purchase), and the events."""
    for way in WAYS:
        for factor in _distinct(way, factors):
            yield way, factor, with_more_spending(own, way, factor, kinds)
    yield "first", float("nan"), with_first_purchase(own, observed, kinds)


def _distinct(way: Way, factors: Sequence[float]) -> list[float]:
    """Factors that differ from each other in this way: repeats are whole."""
    return sorted({float(factor) if way == "amounts" else float(-int(-factor // 1)) for factor in factors})


def _observed(
    observations: pd.DataFrame, consents: ConsentMask | None, members: int, seed: int
) -> tuple[pd.DataFrame, ConsentMask]:
    keys = ["subject_id", "as_of"]
    carried = set(MASK_COLUMNS.values()) <= set(observations.columns)
    table = observations.reset_index() if list(observations.index.names) == keys else observations
    if len(table) > members:
        table = table.iloc[np.sort(np.random.default_rng(seed).choice(len(table), members, replace=False))]
    if consents is None and not carried:
        raise ConsentError(
            "consents must say what may be computed for whom, got none. Pass a ConsentMask, or a feature frame with "
            "its consent columns."
        )
    mask = consents if consents is not None else _as_built(table)
    return table[keys].reset_index(drop=True), mask


def _as_built(table: pd.DataFrame) -> ConsentMask:
    """The grants that a frame was built under, each for its own moment and no longer."""
    parts = []
    for category, column in MASK_COLUMNS.items():
        rows = table[table[column].to_numpy(dtype=bool)]
        parts.append(pd.DataFrame({
            "subject_id": rows["subject_id"], "category": category, "granted_from": rows["as_of"],
            "granted_until": rows["as_of"] + pd.Timedelta(1, "us"),
        }))  # fmt: skip
    return ConsentMask(pd.concat(parts, ignore_index=True), reason="the consent columns of the features under test")
