"""One small model with members whom it scores rightly, and every way to break one promise of it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from benne.experiments.gaming import CostTable, guarded_against_spending
from benne.experiments.labelling import LabelledRows
from benne.experiments.model_card.making import Reasons
from benne.experiments.model_card.tracked import log_card
from benne.experiments.splitting import Splitting
from benne.experiments.tracking import Tracking, default_store, open_run, store_in_use
from benne.experiments.training import TrainingRun, split_labelled, train_on
from benne.experiments.validation.candidate import Candidate
from benne.experiments.validation.evidence import Evidence
from benne.experiments.validation.measuring import Measured, measure
from benne.features import Events, SubjectKey, load_events, registry
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import BoosterOptions, CreditScoreModel, ScoreScale, withheld_of
from benne.models.score_function import PatternWeights, ScoreFunction

ROWS, SPENDERS = 900, 40
OWN = "sign_up_code"  # not in the registry: what it is for is said by the run's card alone
CATEGORIES = {
    "credit_history": ["late_30_count_365d", "on_time_share_365d"],
    "behaviour": ["in_out_ratio_180d", OWN],
    "ability": ["disposable_monthly_90d"],
    "social": ["positive_rating_share_365d"],
}
LATE = "late_30_count_365d"
CUTOFFS = (580.0,)
QUICK = BoosterOptions(max_trees=40, learning_rate=0.2, patience=10, folds=2, threads=1)
UNMOVED = dataclasses.replace(CostTable.default(), together=(), features={
    name: {"ease": "low", "cost": 1.0, "days": 1, "held": True, "direction": 0, "why": "Nobody can."}
    for group in CATEGORIES.values() for name in group
})  # fmt: skip
KEY = SubjectKey(b"k" * 32)
JOINED, AS_OF = datetime(2025, 1, 1, tzinfo=UTC), pd.Timestamp("2025-07-01", tz="UTC")


def features_of(members: int, seed: int) -> pd.DataFrame:
    """One row per member; every tenth withholds social relationships."""
    rng = np.random.default_rng(seed)
    values = pd.DataFrame({
        LATE: rng.poisson(1.0, members).astype(float),
        "on_time_share_365d": rng.uniform(0.4, 1.0, members).round(3),
        "in_out_ratio_180d": rng.gamma(4.0, 0.4, members).round(4),
        OWN: rng.choice([-1.0, 1.0], members),
        "disposable_monthly_90d": rng.normal(0.0, 1.0, members),
        "positive_rating_share_365d": rng.uniform(0.0, 1.0, members),
    })  # fmt: skip
    withholds = np.arange(members) % 10 == 0
    values.loc[withholds, "positive_rating_share_365d"] = np.nan
    for category, column in MASK_COLUMNS.items():
        values[column] = ~withholds if category == "social" else True
    subjects = KEY.subject_ids([f"{seed}-{number}" for number in range(members)])
    return values.set_axis(pd.MultiIndex.from_arrays([subjects, [AS_OF] * members], names=["subject_id", "as_of"]))


def trained_on() -> LabelledRows:
    """Rows whose risk is known."""
    features = features_of(1500, 0)
    risk = (
        0.9 * features[LATE] - 2.0 * features["on_time_share_365d"] - 0.5 * features["disposable_monthly_90d"]
        - 0.9 * features["in_out_ratio_180d"] + 0.35 * features[OWN]
        - 0.8 * features["positive_rating_share_365d"].fillna(0.5) + 0.6
    )  # fmt: skip
    return LabelledRows(features, drawn(risk.to_numpy(), np.random.default_rng(1)), {})


def payments_model(*, guarded: bool) -> CreditScoreModel:
    """A model of payments alone, in which money in against money out counts against members: who spends more gains by
    it, unless the model is guarded. Where it is not, its weights are free besides."""
    rng = np.random.default_rng(2)
    features = payments_of(rng.gamma(4.0, 0.4, 800).round(4), rng)
    risk = 2.0 * features["in_out_ratio_180d"] + features["failed_payments_180d"] - features["inflow_monthly_180d"] - 4
    booster = guarded_against_spending(QUICK, list(features), registry) if guarded else QUICK
    model = CreditScoreModel(
        categories={"behaviour": ["in_out_ratio_180d", "failed_payments_180d"], "ability": ["inflow_monthly_180d"]},
        booster=booster, tolerance=0.0 if guarded else 1.0, own_booster_gap=None, unconstrained_price=False,
    )  # fmt: skip
    return model.fit(features, drawn(risk.to_numpy(), rng))


def payments_of(ratio: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({
        "in_out_ratio_180d": ratio, "failed_payments_180d": rng.poisson(1.0, len(ratio)).astype(float),
        "inflow_monthly_180d": rng.uniform(0.0, 2.0, len(ratio)).round(3),
    })  # fmt: skip


def drawn(log_odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(len(log_odds)) < expit(log_odds)).astype(np.float64)


def seconds(every: int) -> Callable[[], float]:
    """A clock by which one row in so many takes half a second, and the others a thousandth."""

    def ticks() -> Iterator[float]:
        now = 0.0
        for row in cycle(range(every)):
            yield now
            now += 0.001 if row else 0.5
            yield now

    return partial(next, ticks())


def events_of(rows: LabelledRows) -> Events:
    """Each of the first members bought for 100 once, and has so much coming in that their ratio is that of the rows."""
    names = [f"9-{number}" for number in range(SPENDERS)]
    day = datetime(2025, 6, 1, tzinfo=UTC)
    common = {"event_time": day, "known_at": day, "status": "settled", "counterparty_id": "shop", "currency": "EUR"}
    payments = [
        {"record_id": f"{name}{way}", "member_id": name, "direction": way, "kind": kind, "amount": amount} | common
        for name, ratio in zip(names, rows.features["in_out_ratio_180d"], strict=False)
        for way, kind, amount in (("out", "purchase", 10_000), ("in", "top_up", round(10_000 * ratio)))
    ]
    members = [{"record_id": name, "member_id": name, "event_time": JOINED, "known_at": JOINED, "adult": True}
               for name in names]  # fmt: skip
    tables = {"members": pd.DataFrame(members), "payments": pd.DataFrame(payments)}
    return load_events(tables, key=KEY, ingested_at=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class World:
    """A run with its card, a run without reasons on it, and what a validator brings."""

    model: CreditScoreModel
    tracking: Tracking
    candidate: Candidate
    undocumented: Candidate
    evidence: Evidence
    log_odds: np.ndarray
    band: np.ndarray

    def measured(
        self, model: CreditScoreModel | None = None, candidate: Candidate | None = None, **changed: object
    ) -> Measured:
        """By the real function, with something changed."""
        return measure(
            candidate or self.candidate, model or self.model, dataclasses.replace(self.evidence, **changed),
            self.tracking, cutoffs=CUTOFFS,
        )  # fmt: skip

    def without_games(
        self, model: CreditScoreModel | None = None, candidate: Candidate | None = None, **changed: object
    ) -> Measured:
        """Without protected attributes, and with features that nobody can move: quicker where neither is looked at."""
        return self.measured(model, candidate, protected=None, costs=UNMOVED, **changed)

    def outcomes(self, log_odds: np.ndarray) -> LabelledRows:
        """The rows, with other outcomes: drawn from these log odds of bad."""
        return dataclasses.replace(self.evidence.rows, bad=drawn(log_odds, np.random.default_rng(12)))

    def protected(self, **attributes: np.ndarray) -> pd.DataFrame:
        index = self.evidence.rows.features.index.get_level_values("subject_id")
        return pd.DataFrame(attributes, index=index)


def world_in(folder: Path) -> World:
    """Fit, log and score; outcomes of those who are validated on are drawn from the model's own PDs."""
    model = CreditScoreModel(
        categories=CATEGORIES, booster=QUICK, scale=ScoreScale(base_odds=4.0), own_booster_gap=None,
        unconstrained_price=False,
    )  # fmt: skip
    run = train_on(split_labelled(trained_on(), Splitting("member", 0.2, 0)), model)
    tracking = default_store(folder / "mlflow")
    run.model.save(folder / "model")
    reasons = {OWN: {"rationale": "Some channels vet."}}
    candidates = [with_card(run, folder / "model", tracking, given) for given in (reasons, None)]
    features, rng = features_of(ROWS, 9), np.random.default_rng(10)
    log_odds = run.model.decision_function(features, withheld=withheld_of(features))
    influenced = (np.arange(ROWS) % 50 == 0).astype(float)
    rows = LabelledRows(features, drawn(log_odds, np.random.default_rng(3)), {}, influenced=influenced)
    sex = pd.DataFrame({"sex": rng.choice(["female", "male"], ROWS)}, index=features.index.get_level_values(0))
    evidence = Evidence(rows=rows, protected=sex, resamples=40, seconds=seconds(every=50))
    band = run.model.scale_.band(run.model.scale_.score(log_odds))
    return World(run.model, tracking, candidates[0], candidates[1], evidence, log_odds, band)


def with_card(run: TrainingRun, saved: Path, tracking: Tracking, reasons: Reasons | None) -> Candidate:
    """A run that logged a card, with or without why a feature is there that the registry does not know."""
    with store_in_use(tracking), open_run(tracking, name="a run", tags={"data": "made up"}) as active:
        card = log_card(run, saved, active.run_id, reasons)
    return Candidate(
        directory=saved, model_id=card.model_id, config_hash=card.config_hash, author="ann", training_began_us=1,
        run_id=active.run_id,
    )  # fmt: skip


# ---- the unbroken --------------------------------------------------------------------------------------------------


def whole(world: World) -> Measured:
    return world.measured()


def guarded(world: World) -> Measured:
    return with_events(world, payments_model(guarded=True))


def with_events(world: World, model: CreditScoreModel) -> Measured:
    """On the first members, whose events are there."""
    rows = world.evidence.rows.part(np.arange(SPENDERS), {})
    payments = payments_of(rows.features["in_out_ratio_180d"].to_numpy(), np.random.default_rng(3))
    features = payments.set_axis(rows.features.index).join(rows.features[list(MASK_COLUMNS.values())])
    rows = dataclasses.replace(rows, features=features)
    return world.measured(model, rows=rows, events=events_of(rows), protected=None)


# ---- the broken: outcomes ------------------------------------------------------------------------------------------


def risks_do_not_differ(world: World) -> Measured:
    """Everybody turns bad as often as everybody else."""
    return world.without_games(rows=world.outcomes(np.full(ROWS, world.log_odds.mean())))


def half_the_odds_are_told(world: World) -> Measured:
    return world.without_games(rows=world.outcomes(world.log_odds + np.log(2.0)))


def one_band_is_worse(world: World) -> Measured:
    return world.without_games(rows=world.outcomes(world.log_odds + 2.0 * (world.band == "good")))


def two_bands_alike(world: World) -> Measured:
    """The best band turns bad as often as the one below it, and a member more."""
    bad = world.evidence.rows.bad.copy()
    best, next_ = (np.flatnonzero(world.band == name) for name in ("excellent", "very good"))
    bad[best] = 0.0
    bad[best[: int(bad[next_].mean() * len(best)) + 1]] = 1.0
    return world.without_games(rows=dataclasses.replace(world.evidence.rows, bad=bad))


# ---- the broken: rows ----------------------------------------------------------------------------------------------


def others_come(world: World) -> Measured:
    """Everybody is late twice more than those whom it was trained on."""
    rows = world.evidence.rows
    features = rows.features.assign(**{LATE: rows.features[LATE] + 2.0})
    return world.without_games(rows=dataclasses.replace(rows, features=features))


# ---- the broken: the model and its papers --------------------------------------------------------------------------


def withholding_pays(world: World) -> Measured:
    """Whoever withholds social relationships is taken for a fifth of the odds."""

    def cheaper(pattern: PatternWeights) -> PatternWeights:
        less = np.log(5.0) if "social" not in pattern.used and "behaviour" in pattern.used else 0.0
        return dataclasses.replace(pattern, intercept=pattern.intercept - less)

    own = world.model._function
    patterns = [cheaper(pattern) for pattern in own.patterns]
    function = ScoreFunction(own.trees, own.layout, patterns, own.scale)
    return world.measured(tampered(world.model, function), protected=None)


class Untrue(ScoreFunction):
    """Tells a millionth of a point too much of one feature."""

    def explained(self, X, codes):
        lines, points = super().explained(X, codes)
        points[:, 0] += 1e-6
        return lines, points


def points_do_not_add_up(world: World) -> Measured:
    own = world.model._function
    return world.without_games(tampered(world.model, Untrue(own.trees, own.layout, own.patterns, own.scale)))


def tampered(model: CreditScoreModel, function: ScoreFunction) -> CreditScoreModel:
    other = copy.copy(model)
    other._function = function
    return other


def loose_and_unguarded(world: World) -> Measured:
    return with_events(world, payments_model(guarded=False))


def careless(world: World) -> Measured:
    """Three things that do not touch each other: nobody says why a feature is there, the score made one outcome of
    three, and one row of ten is slow; that is enough for the 95th percentile, while the mean is 51 ms."""
    influenced = (np.arange(ROWS) % 3 == 0).astype(float)
    rows = dataclasses.replace(world.evidence.rows, influenced=influenced)
    return world.without_games(candidate=world.undocumented, rows=rows, seconds=seconds(every=10))


# ---- the broken: fairness ------------------------------------------------------------------------------------------


def sex_decides(world: World) -> Measured:
    """Men are late and women are not; and an input, which tells the parish, is what it scores."""
    features = world.evidence.rows.features
    sex = np.where(features[LATE] > 0, "male", "female")
    parish = np.where(features[OWN] > 0, "north", "south")
    return world.measured(costs=UNMOVED, protected=world.protected(sex=sex, parish=parish))


def sex_was_left_out(world: World) -> Measured:
    """Of the same score women turn bad far less often than men."""
    female = world.evidence.protected["sex"].to_numpy() == "female"
    return world.measured(costs=UNMOVED, rows=world.outcomes(world.log_odds + np.where(female, -1.0, 1.0)))


# ---- the broken: gaming --------------------------------------------------------------------------------------------


def what_counts_is_cheap(world: World) -> Measured:
    """Late payments, on which the score hangs, go away with a click."""
    said = {"ease": "high", "direction": 1, "cost": 1.0, "days": 7, "why": "A click."}
    costs = dataclasses.replace(CostTable.default(), features={LATE: said}, together=())
    return world.measured(costs=costs, protected=None)
