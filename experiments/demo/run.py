"""The demo itself: eleven steps, each the call a user would make."""

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

from benne.errors import ConsentRequired, ExplanationError, SimulationError, WeightContractError
from benne.experiments.demo.auditing import (
    PURPOSE,
    attributes_reader,
    audit_categories,
    keep_attributes,
    watch_scores,
)
from benne.experiments.demo.governing import (
    AUTHOR,
    OPERATOR,
    VALIDATOR,
    declare_gates_in,
    let_serve,
)
from benne.experiments.demo.report import ReportContent, write_report
from benne.experiments.evaluation import error_against_known_pd
from benne.experiments.gaming import guarded_against_spending
from benne.experiments.model_registry import register_challenger
from benne.experiments.report import EvaluationReport, ReportOptions, report_on
from benne.experiments.report import write_report as write_evaluation
from benne.experiments.report.model_document import AboutDocument
from benne.experiments.simulated_consents import simulated_ledger
from benne.experiments.simulator import (
    RECIPIENT,
    SCORING_PURPOSE,
    TRAINING_PURPOSE,
    Simulation,
    WorldDescription,
    describe,
    simulate,
)
from benne.experiments.tracking import AUTHOR as AUTHOR_TAG
from benne.experiments.tracking import BEGAN as BEGAN_TAG
from benne.experiments.tracking import default_store, open_run
from benne.experiments.training import LabelledRows, TrainingRun, label_rows, train_model
from benne.experiments.training_record import write_training_record
from benne.experiments.validation import Evidence
from benne.explain import MemberExplanation
from benne.features import Events, SubjectKey, build_features, ingest, registry, split_mask
from benne.features.frames import key_member_ids
from benne.models import BoosterOptions, CreditScoreModel, withheld_of
from benne.scoring import ConsentLedger
from benne.scoring.batch import Asked, BatchResult, score_frame
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.explaining import explain_released
from benne.scoring.governance.opening import opened_governance
from benne.scoring.wiring import system_clock

__all__ = ["STEPS", "DemoOptions", "DemoResult", "run_demo"]

STEPS = (
    "simulate a platform", "validate events and key ids", "keep consents, and protected attributes apart",
    "build features", "train and evaluate", "hold it against challengers", "log to MLflow and register",
    "ask what each category is worth", "validate and promote", "score everybody who consents", "write the report",
)  # fmt: skip
TOLERANCE = 1e-9
WEIGHTS_HOLD_TO = 1e-6
MODEL_NAME = "benne"
_MARK = "DEMO"

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
    WeightContractError
        If a realised share is not its weight on the reference sample.
    SimulationError
        If a feature is constant, or the folder holds something else.
    """
    options, say = options or DemoOptions(), on_step or (lambda *_: None)
    root = _emptied(Path(folder))
    say(0, STEPS[0])
    world = simulate(root / "world", members=options.members, seed=options.seed)
    say(1, STEPS[1])
    # A real key comes from a key store. This one comes from the seed, so that the demo repeats.
    key = SubjectKey(hashlib.sha256(f"benne demo {options.seed}".encode()).digest())
    clock = world.extracted_at.to_pydatetime()
    events = ingest(world.raw, root / "events", key=key, ingested_at=clock)
    say(2, STEPS[2])
    ledger = simulated_ledger(world, key, root / "consents.db", clock)
    declare_gates_in(root / "consents.db")
    protected = keep_attributes(world, key, root / "protected")
    say(3, STEPS[3])
    known = _known(world, events, key, ledger)
    say(4, STEPS[4])
    rows, began = label_rows(known.to_train, known.outcomes), system_clock()
    run = train_model(rows, _new_model(rows, options), seed=options.seed)
    ece = _error_against_known(run, known.pd)
    say(5, STEPS[5])
    evaluation = report_on(run, ReportOptions(learning_shares=(0.25, 0.5), seed=options.seed))
    write_evaluation(evaluation, root / "evaluation")
    say(6, STEPS[6])
    tracked = _kept(run, evaluation, root, events, ece, began)
    say(7, STEPS[7])
    _ask_worth(run, root, options.seed)
    say(8, STEPS[8])
    evidence = Evidence(rows=rows, events=events, protected=attributes_reader(protected, VALIDATOR), purpose=PURPOSE)
    verdict = let_serve(tracked, evidence, root / "consents.db", root)
    say(9, STEPS[9])
    scored = score_frame(known.to_score, run.model, ledger, Asked(SCORING_PURPOSE, RECIPIENT, "demo"))
    refusal = _refusal(scored, ledger)
    _watch(known, scored, run, root)
    say(10, STEPS[10])
    summary = _summary(options, events, run, scored, ece, known.description) | tracked | {"verdict": verdict}
    explanation = _shown(scored, known.to_score, run.model)
    (root / "summary.json").write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    content = ReportContent(summary, run, scored.scores, explanation, refusal, known.pd)
    return DemoResult(summary, explanation, refusal, write_report(content, root / "report.html"), root / "model")


@dataclass(frozen=True)
class _Known:
    """Features by purpose, and what the simulator knows besides."""

    to_train: pd.DataFrame
    to_score: pd.DataFrame
    outcomes: pd.DataFrame
    pd: pd.Series[float]
    description: WorldDescription


def _known(world: Simulation, events: Events, key: SubjectKey, ledger: ConsentLedger) -> _Known:
    observed, outcomes, truth = (
        key_member_ids(frame, key) for frame in (world.observations(), world.outcomes(), world.truth())
    )
    to_train, to_score = (
        build_features(events, observed, consents=ledger.mask(purpose=p, recipient=RECIPIENT, include_ended=False))
        for p in (TRAINING_PURPOSE, SCORING_PURPOSE)
    )
    description = describe(to_train, outcomes)
    description.refuse_constant()
    return _Known(to_train, to_score, outcomes, truth.set_index(["subject_id", "as_of"])["pd"], description)


def _ask_worth(run: TrainingRun, root: Path, seed: int) -> None:
    """What each category is worth, as a document about the model, which the card then tells too."""
    about = AboutDocument.of(root / "model", made_at=system_clock(), by=AUTHOR)
    with opened_governance(root / "consents.db") as governance:
        audit_categories(run, about, governance, root / "categories", seed=seed)


def _watch(known: _Known, scored: BatchResult, run: TrainingRun, root: Path) -> None:
    """Those who were scored beside those who were trained on, as a document about the model."""
    features = known.to_score[known.to_score.index.isin(scored.scores.index)]
    about = AboutDocument.of(root / "model", made_at=system_clock(), by=OPERATOR)
    with opened_governance(root / "consents.db") as governance:
        watch_scores(run.model, features, about, governance, root / "monitoring", clock=system_clock)


def _emptied(root: Path) -> Path:
    """Make way for a new demo, where there is nothing or an earlier one."""
    if root.exists() and any(root.iterdir()) and not (root / _MARK).is_file():
        raise SimulationError("The folder must be new, empty, or an earlier demo's, got other files. Choose another.")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / _MARK).write_text(
        "Everything in this folder was made by `benne demo`, which replaces it.\n", encoding="utf-8"
    )
    return root


def _new_model(rows: LabelledRows, options: DemoOptions) -> CreditScoreModel:
    """Not fitted, and such that spending more on the platform raises no score, as `benne train` makes it."""
    columns = [str(name) for name in split_mask(rows.features)[0].columns]
    guarded = guarded_against_spending(BoosterOptions(), columns, registry)
    return CreditScoreModel(booster=guarded, random_state=options.seed)


def _error_against_known(run: TrainingRun, known_pd: pd.Series[float]) -> dict[str, float]:
    """For members who withhold nothing, which is what calibration claims, and for all as they chose to withhold."""
    features = run.test.features
    withheld = withheld_of(features)
    log_odds = run.model.decision_function(features, withheld=withheld)
    known = np.asarray(known_pd.reindex(features.index), dtype=np.float64)
    whole = np.array([not one for one in withheld])
    return {
        "ece_against_known_pd": error_against_known_pd(log_odds[whole], known[whole]),
        "ece_against_known_pd_self_selected": error_against_known_pd(log_odds, known),
    }


def _kept(
    run: TrainingRun,
    evaluation: EvaluationReport,
    root: Path,
    events: Events,
    ece: dict[str, float],
    began: datetime,
) -> dict[str, str]:
    """The run in MLflow, and the model in its folder with the record of its training."""
    made = {AUTHOR_TAG: AUTHOR, BEGAN_TAG: str(to_microseconds(began, "now"))}
    tags = {"events_fingerprint": events.fingerprint, "key_fingerprint": events.key_fingerprint, "data": "simulated"}
    tracking = default_store(root / "mlflow")
    with open_run(tracking, name="demo", tags=tags | made) as active:
        record = active.log_training(run, ece)
        active.log_evaluation(evaluation)
    run.model.save(root / "model")
    write_training_record(root / "model", record)
    version = register_challenger(tracking, active.run_id, MODEL_NAME)
    return {"mlflow_run": active.run_id, "tracking_uri": tracking.uri, "model_uri": version.uri}


def _refusal(scored: BatchResult, ledger: ConsentLedger) -> str:
    """What is answered about a member who never opted in."""
    never = next(subject for subject in scored.refused["subject_id"] if not ledger.history(subject))
    try:
        ledger.require(never, purpose=SCORING_PURPOSE, recipient=RECIPIENT, actor="demo")
    except ConsentRequired as refusal:
        return str(refusal)
    raise ConsentRequired("A member who never opted in must be refused, and was not. The demo stops here.")


def _shown(scored: BatchResult, features: pd.DataFrame, model: CreditScoreModel) -> MemberExplanation:
    """Explain the member two thirds down the scores of those who withhold nothing."""
    whole = np.flatnonzero((scored.scores["withheld"] == "").to_numpy())
    by_score = whole[np.argsort(scored.scores["score"].to_numpy()[whole], kind="stable")]
    row = int(by_score[len(by_score) // 3])
    return explain_released(scored, row, features, model)


def _summary(
    options: DemoOptions,
    events: Events,
    run: TrainingRun,
    scored: BatchResult,
    ece: dict[str, float],
    description: WorldDescription,
) -> dict[str, Any]:
    contract, scores = run.model.contract_report_, scored.scores
    gap = _largest_gap(scored)
    if not gap <= TOLERANCE:
        raise ExplanationError(f"Every score must equal its base, points and clipping, got a gap of {gap:.3g}.")
    if not contract.largest_miss <= WEIGHTS_HOLD_TO:
        raise WeightContractError(
            f"Realised shares must equal the weights within {WEIGHTS_HOLD_TO:g}, got {contract.largest_miss:.3g} off."
        )
    return {
        "data": "simulated members: proves nothing about real people",
        "members": options.members,
        "seed": options.seed,
        "events": {table: events.rows(table) for table in events.tables},
        "features": run.model.n_features_in_,
        "trained_on": len(run.train.bad),
        "tested_on": run.evaluation.rows,
        "scored": len(scores),
        "refused": scored.reasons,
        "withheld": scores["withheld"].replace("", "nothing").value_counts().to_dict(),
        "bands": scores["band"].value_counts().to_dict(),
        "test": run.evaluation.metrics | {"bad_rate": run.evaluation.bad_rate},
        **ece,
        "largest_gap": max(gap, run.evaluation.largest_gap),
        "weights": contract.shares["target"].to_dict(),
        "shares_natural": _natural_shares(run.model),
        "shares_reference": contract.shares["reference"].to_dict(),
        "shares_test": run.evaluation.shares["share"].to_dict(),
        "contract_largest_miss": contract.largest_miss,
        "price": contract.price.to_dict("index"),
        "category_auc": description.categories["auc"].to_dict(),
        "coverage": description.features["coverage"].to_dict(),
    }


def _natural_shares(model: CreditScoreModel) -> dict[str, float]:
    """What the categories' shares would be if weights were free."""
    free = model.frontier((1.0,)).iloc[0]
    return {name: float(free[f"share_{name}"]) for name in model.contract_report_.shares.index}


def _largest_gap(scored: BatchResult) -> float:
    total = scored.scores["base"] + scored.points.sum(axis=1) + scored.scores["clipped"]
    return float(np.abs(total.to_numpy() - scored.scores["score"].to_numpy()).max(initial=0.0))
