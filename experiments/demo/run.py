"""The demo itself: eight steps, each the call a user would make."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benne.errors import ConsentRequired, ExplanationError
from benne.experiments.demo.consents import simulated_ledger
from benne.experiments.demo.report import ReportContent, write_report
from benne.experiments.evaluation import error_against_known_pd
from benne.experiments.simulator import RECIPIENT, SCORING_PURPOSE, TRAINING_PURPOSE, WorldDescription, describe, simulate
from benne.experiments.tracking import default_store, log_run
from benne.experiments.training import TrainingRun, label_rows, train_model
from benne.explain import MemberExplanation, explain_member
from benne.features import Events, SubjectKey, build_features, ingest, registry
from benne.models import CreditScoreModel, withheld_of
from benne.scoring import ConsentLedger, Scorer, ScoreResult

__all__ = ["DemoOptions", "DemoResult", "run_demo"]

STEPS = (
    "simulate a platform", "validate events and key ids", "take consents into the ledger", "build features",
    "train and evaluate", "log to MLflow", "score everybody who consents", "write the report",
)  # fmt: skip
TOLERANCE = 1e-9

Step = Callable[[int, str], None]


@dataclass(frozen=True)
class DemoOptions:
    """What the demo makes.

    Parameters
    ----------
    members : int
    seed : int
    """

    members: int = 20_000
    seed: int = 0


@dataclass(frozen=True)
class DemoResult:
    """What the demo made.

    Parameters
    ----------
    summary : dict
        What ``summary.json`` holds.
    explanation : MemberExplanation
        One member's score.
    refusal : str
        What was answered about a member who did not opt in.
    report, model : Path
    """

    summary: dict[str, Any]
    explanation: MemberExplanation
    refusal: str
    report: Path
    model: Path


def run_demo(folder: str | Path, options: DemoOptions | None = None, on_step: Step | None = None) -> DemoResult:
    """Go the whole way on a simulated platform.

    Parameters
    ----------
    folder : path
        Replaced by what the demo makes.
    options : DemoOptions, optional
    on_step : callable, optional
        Told the number of the step, from 0, and its name.

    Returns
    -------
    DemoResult

    Raises
    ------
    ExplanationError
        If any score does not add up from its explanation.
    SimulationError
        If a feature is constant.
    """
    options, say = options or DemoOptions(), on_step or (lambda *_: None)
    root = Path(folder)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    say(0, STEPS[0])
    world = simulate(root / "world", members=options.members, seed=options.seed)
    say(1, STEPS[1])
    # A real key comes from a key store. This one comes from the seed, so that the demo repeats.
    key = SubjectKey(hashlib.sha256(f"benne demo {options.seed}".encode()).digest())
    clock = world.extracted_at.to_pydatetime()
    events = ingest(world.raw, root / "events", key=key, ingested_at=clock)
    say(2, STEPS[2])
    ledger = simulated_ledger(world, key, root / "consents.db", clock)
    say(3, STEPS[3])
    observed = _keyed(world.observations(), key)
    to_train, to_score = (
        build_features(events, observed, consents=ledger.mask(purpose=p, recipient=RECIPIENT, include_ended=False))
        for p in (TRAINING_PURPOSE, SCORING_PURPOSE)
    )
    outcomes = _keyed(world.outcomes(), key)
    description = describe(to_train, outcomes)
    description.refuse_constant()
    say(4, STEPS[4])
    run = train_model(label_rows(to_train, outcomes), CreditScoreModel(random_state=options.seed), seed=options.seed)
    known_pd = _keyed(world.truth(), key).set_index(["subject_id", "as_of"])["pd"]
    ece = _error_against_known(run, known_pd)
    say(5, STEPS[5])
    run_id = _log(run, root, events, ece)
    run.model.save(root / "model")
    say(6, STEPS[6])
    scored, refusal = _score(to_score, run.model, ledger, clock)
    say(7, STEPS[7])
    summary = _summary(options, events, run, scored, ece, description) | {"mlflow_run": run_id}
    explanation = _shown(scored, to_score, run.model)
    (root / "summary.json").write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    content = ReportContent(summary, run, scored.scores, explanation, refusal, known_pd)
    return DemoResult(summary, explanation, refusal, write_report(content, root / "report.html"), root / "model")


def _keyed(frame: pd.DataFrame, key: SubjectKey) -> pd.DataFrame:
    return frame.assign(subject_id=key.subject_ids(frame["member_id"].tolist())).drop(columns="member_id")


def _error_against_known(run: TrainingRun, known_pd: pd.Series[float]) -> float:
    log_odds = run.model.decision_function(run.test.features, withheld=withheld_of(run.test.features))
    return error_against_known_pd(log_odds, known_pd.reindex(run.test.features.index).to_numpy())


def _log(run: TrainingRun, root: Path, events: Events, ece: float) -> str:
    tags = {"events_fingerprint": events.fingerprint, "key_fingerprint": events.key_fingerprint, "data": "simulated"}
    return log_run(run, default_store(root / "mlflow"), name="demo", tags=tags, extra={"ece_known_pd": ece})


def _score(
    features: pd.DataFrame, model: CreditScoreModel, ledger: ConsentLedger, clock: datetime
) -> tuple[ScoreResult, str]:
    subjects = features.index.get_level_values("subject_id").unique()
    as_of = features.index.get_level_values("as_of").max().to_pydatetime()
    decision = ledger.decide(subjects, purpose=SCORING_PURPOSE, recipient=RECIPIENT, actor="demo", as_of=as_of)
    result = Scorer(model, ledger).score(features, decision)
    denied = (d.subject_id for d in decision.denials)
    never = next(subject for subject in denied if not ledger.history(subject))
    try:
        ledger.require(never, purpose=SCORING_PURPOSE, recipient=RECIPIENT, actor="demo")
    except ConsentRequired as refusal:
        return result, str(refusal)
    raise ConsentRequired("A member who never opted in must be refused, and was not. The demo stops here.")


def _shown(scored: ScoreResult, features: pd.DataFrame, model: CreditScoreModel) -> MemberExplanation:
    """Explain the member two thirds down the scores of those who withhold nothing."""
    whole = scored.scores[scored.scores["withheld"] == ""].sort_values("score")
    member = whole.index[len(whole) // 3]
    row = features.loc[[member]]
    explained = model.explain(row, withheld=withheld_of(row))
    band = str(model.scale_.band(explained.score)[0])
    groups = registry.categories_of(model.feature_names_in_)
    return explain_member(explained, 0, row, band, groups, registry)


def _summary(
    options: DemoOptions, events: Events, run: TrainingRun, scored: ScoreResult, ece: float, description: WorldDescription
) -> dict[str, Any]:
    contract, scores = run.model.contract_report_, scored.scores
    gap = _largest_gap(scored)
    if not gap <= TOLERANCE:
        raise ExplanationError(f"Every score must equal its base, points and clipping, got a gap of {gap:.3g}.")
    return {
        "data": "simulated members: proves nothing about real people",
        "members": options.members,
        "seed": options.seed,
        "events": {table: events.rows(table) for table in events.tables},
        "features": run.model.n_features_in_,
        "trained_on": len(run.train.bad),
        "tested_on": run.evaluation.rows,
        "scored": len(scores),
        "refused": scored.refused["reason"].value_counts().to_dict(),
        "withheld": scores["withheld"].replace("", "nothing").value_counts().to_dict(),
        "bands": scores["band"].value_counts().to_dict(),
        "test": run.evaluation.metrics | {"bad_rate": run.evaluation.bad_rate},
        "ece_against_known_pd": ece,
        "largest_gap": max(gap, run.evaluation.largest_gap),
        "weights": contract.shares["target"].to_dict(),
        "shares_reference": contract.shares["reference"].to_dict(),
        "shares_test": run.evaluation.shares["share"].to_dict(),
        "contract_largest_miss": contract.largest_miss,
        "price": contract.price.to_dict("index"),
        "category_auc": description.categories["auc"].to_dict(),
        "coverage": description.features["coverage"].to_dict(),
    }


def _largest_gap(scored: ScoreResult) -> float:
    total = scored.scores["base"] + scored.points.sum(axis=1) + scored.scores["clipped"]
    return float(np.abs(total.to_numpy() - scored.scores["score"].to_numpy()).max(initial=0.0))


