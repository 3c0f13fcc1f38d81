"""``benne train``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import Steps, answer, answer_json, note, table
from benne.cli.edge import database_of, existing_ledger, key_from, logged_in, quiet_mlflow
from benne.cli.options import KeyFile, LedgerBehind, RegisteredName, Seed, WantJson
from benne.cli.train_guards import CheapCap, SpendingGuard, guard_model, tell_guards

if TYPE_CHECKING:
    import pandas as pd

    from benne.experiments.challengers import Comparison
    from benne.experiments.labelling import LabelledRows
    from benne.experiments.model_registry import Registered
    from benne.experiments.search import Search, SearchResult, Trial
    from benne.experiments.tracked_training import TrackedRun, Watching
    from benne.experiments.tracking import Tracking

__all__ = ["shares_and_price", "train"]

_STEPS = {
    "read": "read features and outcomes",
    "cap": "cap what cheap features can give",
    "search": "search hyper-parameters",
    "train": "train",
    "evaluate": "evaluate, and fit the challengers",
    "worth": "fit without each category",
    "log": "log to MLflow",
    "save": "save and register the model",
}


class SplitOrder(StrEnum):
    """How test rows are held out; a test holds them against the splits there are."""

    auto = "auto"
    member = "member"
    time = "time"


class Objective(StrEnum):
    """What a search can be for; a test holds them against the objectives there are."""

    log_loss = "log_loss"
    auc = "auc"


def train(
    features: Annotated[Path, typer.Argument(help="Features built with --purpose model_training.")],
    outcomes: Annotated[Path, typer.Argument(help="Parquet: subject_id (or member_id and a key), as_of, bad.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the model; an earlier model in it is replaced.")],
    ledger: LedgerBehind = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="0: the weights hold exactly. 1: they are free.")
    ] = 0.0,
    weight: Annotated[
        str | None, typer.Option("--weight", metavar="COLUMN", help="Column of the outcomes that weighs each row.")
    ] = None,
    split: Annotated[
        SplitOrder,
        typer.Option("--split", help="Test on other members, on the latest rows of other members, or as as_of allows."),
    ] = SplitOrder.auto,
    test_share: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="Share of members, by time of rows, to evaluate on.")
    ] = 0.3,
    search: Annotated[int, typer.Option("--search", min=0, help="Trials of a search for hyper-parameters.")] = 0,
    search_seconds: Annotated[
        float | None,
        typer.Option(min=1.0, help="No trial begins later; how many do depends on the machine."),
    ] = None,
    objective: Annotated[
        Objective, typer.Option(help="What the search is for, out of fold and under the weights.")
    ] = Objective.log_loss,
    tracking: Annotated[str, typer.Option(help="MLflow: a folder for a local store, or a tracking URI.")] = "mlflow",
    name: Annotated[str, typer.Option(help="Name of the run in MLflow.")] = "benne train",
    registered_name: RegisteredName = "benne",
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Folder for the evaluation as a page and as JSON; MLflow has it either way."),
    ] = None,
    author: Annotated[
        str | None,
        typer.Option("--author", help="Who trains, and so may not validate; by default whoever is logged in."),
    ] = None,
    cheap_cap: CheapCap = None,
    spending_guard: SpendingGuard = True,
    decisions: Annotated[
        str | None,
        typer.Option(
            "--decisions",
            callback=database_of,
            help="Service's folder or ledger: flag the outcomes that decisions on record may have brought about.",
        ),
    ] = None,
    categories: Annotated[
        bool, typer.Option("--categories", help="Also say whether each category earns its weight: six fits more.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the challengers, the learning curve and the evaluation's page.")
    ] = False,
    seed: Seed = 0,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Train a score model whose categories carry their weights, evaluate it, and log everything to MLflow.

    Only members who consent to training are used; the ledger is asked again, and who has withdrawn since the features
    were built is left out. The evaluation is on members who were not trained on, and on the latest rows where the
    features are of several moments. The model is registered as the challenger; see `benne models`.

    \b
    Example:
      benne train training_features.parquet world/outcomes.parquet --ledger consents.db --out model \\
        --tracking mlflow --search 20 --key-file subject.key
    """
    if quick and report is not None:  # before anything that takes seconds to import
        raise typer.BadParameter("--quick leaves out what --report writes. Give one of them.")
    quiet_mlflow()
    from benne.experiments.category_value import ValueOptions
    from benne.experiments.model_registry import check_model_name
    from benne.experiments.report import ReportOptions
    from benne.experiments.splitting import Splitting
    from benne.experiments.tracked_training import train_tracked
    from benne.experiments.tracking import tracking_at
    from benne.experiments.training import split_labelled
    from benne.models import CreditScoreModel

    check_model_name(registered_name)
    made, store = _made_by(author), tracking_at(tracking)
    progress = _Progress(search, objective.value, quick, capped=cheap_cap is not None, worth=categories)
    with progress.steps as steps:
        progress.on_stage("read")
        rows, tags = _rows(features, ledger, outcomes, key_file, weight, decisions)
        parts = split_labelled(rows, Splitting(split.value, test_share, seed))
        model = CreditScoreModel(tolerance=tolerance, random_state=seed)
        guards = guard_model(model, parts, spending_guard, cheap_cap, seed, progress.on_penalty)
        tracked = train_tracked(
            parts, model, store, name=name, tags=tags | made, seed=seed, watching=progress.watching(),
            search=_search(search, search_seconds, objective.value, seed),
            report=None if quick else ReportOptions(seed=seed),
            worth=ValueOptions(free=False, seed=seed) if categories else None,
        )  # fmt: skip
        progress.on_stage("save")
        version = _kept(tracked, store, registered_name, out, report)
    found = _facts(tracked, rows) | guards | {
        "model": str(out), "mlflow_run": tracked.run_id, "tracking_uri": store.uri, "model_uri": version.uri,
    }  # fmt: skip
    if want_json:
        answer_json(found | {"seconds": steps.seconds})
        return
    _tell(found, tracked)
    tell_guards(guards)
    if report is not None:
        note(f"Look at the report: {report / 'evaluation.html'}")


def _kept(tracked: TrackedRun, store: Tracking, name: str, out: Path, report: Path | None) -> Registered:
    """The model in its folder, the report in its own, and in MLflow the challenger, described by its card."""
    from benne.experiments.model_card.registered import card_of_run, describe_version
    from benne.experiments.model_registry import register_challenger
    from benne.experiments.report import write_report

    tracked.save(out)
    version = register_challenger(store, tracked.run_id, name)
    describe_version(store, version, card_of_run(store, tracked.run_id))
    if report is not None and tracked.report is not None:
        write_report(tracked.report, report)
    return version


def _rows(
    features: Path,
    ledger: str | None,
    outcomes: Path,
    key_file: Path | None,
    weight: str | None,
    decisions: str | None,
) -> tuple[LabelledRows, dict[str, str]]:
    """Rows of members who still consent to training, with their outcomes, and what the run is to be tagged with."""
    from benne.experiments.labelling import label_rows, require_training_consent, still_consented
    from benne.experiments.simulator import is_simulation
    from benne.features.frames import read_features, read_observations

    file = require_training_consent(read_features(features))
    stands = still_consented(file, None if ledger is None else existing_ledger(ledger))
    known = read_observations(outcomes, key_from(key_file))
    if decisions is not None:
        known = _with_influence(known, decisions)
    rows = label_rows(file.features, known, stands=stands, weight=weight)
    simulated = {"data": "simulated"} if is_simulation(outcomes.parent) else {}
    return rows, simulated | ({} if file.provenance is None else file.provenance.as_tags())


def _with_influence(known: pd.DataFrame, address: str) -> pd.DataFrame:
    """Outcomes with what the record of decisions says of them."""
    from benne.errors import StoreError
    from benne.experiments.influenced_labels import decisions_on_record, with_influence
    from benne.scoring.store.database import open_store

    if "://" not in address and not Path(address).is_file():
        raise StoreError(f"The record of decisions must exist, got no file {address}. Name a service's folder.")
    store = open_store(address)
    try:
        return with_influence(known, decisions_on_record(store))
    finally:
        store.close()


def _made_by(author: str | None) -> dict[str, str]:
    """Who trains, and since when: gates must have been declared by then."""

    from benne.experiments.tracking import AUTHOR, BEGAN
    from benne.scoring.consent.moments import to_microseconds
    from benne.scoring.governance.people import named
    from benne.scoring.wiring import system_clock

    who = named(logged_in(author), "The author")
    return {AUTHOR: who, BEGAN: str(to_microseconds(system_clock(), "now"))}


class _Progress:
    """The steps of the command, and how far its search is."""

    def __init__(self, trials: int, objective: str, quick: bool, *, capped: bool, worth: bool) -> None:
        without = {"search"} if not trials else set()
        without |= set() if capped else {"cap"}
        without |= set() if worth else {"worth"}
        without |= {"evaluate"} if quick else set()
        self._stages = [stage for stage in _STEPS if stage not in without]
        self._trials, self._objective = trials, objective
        self._done: list[Trial] = []
        self._capping = False
        self.steps = Steps([_STEPS[stage] for stage in self._stages])

    def watching(self) -> Watching:
        """What the training run is to call."""
        from benne.experiments.tracked_training import Watching

        return Watching(self.on_stage, self._on_trial)

    def on_stage(self, stage: str) -> None:
        """A step begins."""
        self.steps.begin(self._stages.index(stage))

    def on_penalty(self, penalty: float) -> None:
        """Another penalty on cheap features is tried."""
        if not self._capping:
            self.on_stage("cap")
        self._capping = True
        self.steps.detail(f"gain times {penalty:g}")

    def _on_trial(self, trial: Trial) -> None:
        from benne.experiments.search import best_of

        self._done += [trial] if trial.figures else []
        best = f"{best_of(self._done, self._objective).figures[self._objective]:.4f}" if self._done else "none yet"
        self.steps.detail(f"{trial.number} of {self._trials}, best {_words(self._objective)} {best}")


def _words(objective: str) -> str:
    return {"auc": "AUC"}.get(objective, objective.replace("_", " "))


def _search(trials: int, seconds: float | None, objective: str, seed: int) -> Search | None:
    """What to search for, if anything: only then is Optuna needed."""
    if trials == 0:
        return None
    from benne.experiments.search import Search

    return Search(trials, seconds, objective, seed)


def shares_and_price(shares: Any, price: Any) -> None:
    """Declared weights beside realised shares, and what they cost."""
    table(
        ("category", "declared", "realised", "out of fold"),
        [(c, f"{r['target']:.2%}", f"{r['reference']:.4%}", f"{r['out_of_fold']:.2%}") for c, r in shares.iterrows()],
    )
    answer()
    table(
        ("out of fold", "AUC", "KS", "Brier", "log loss"),
        [(m, *(f"{r[k]:.4f}" for k in ("auc", "ks", "brier", "log_loss"))) for m, r in price.iterrows()],
    )
    first = price.iloc[0]
    low, high = first["auc_price_low"], first["auc_price_high"]
    answer(
        f"Price of the weights in AUC, ours less the first of these (below zero is lost): {first['auc_price']:+.4f} "
        f"({low:+.4f} to {high:+.4f})"
    )


def _facts(tracked: TrackedRun, rows: LabelledRows) -> dict[str, Any]:
    run, contract = tracked.run, tracked.run.model.contract_report_
    since = run.split.how.since
    return {
        "trained_on": len(run.train.bad),
        "tested_on": run.evaluation.rows,
        "left_out": rows.left_out,
        "not_trained": run.train.left_out,
        "not_tested": run.test.left_out,
        "split": run.split.how.order,
        "test_since": None if since is None else since.isoformat(),
        "folds": run.fold_order,
        "features": run.model.n_features_in_,
        "test": run.evaluation.metrics | {"bad_rate": run.evaluation.bad_rate},
        "test_weighted": run.weighted,
        "largest_gap": run.evaluation.largest_gap,
        "weights": contract.shares["target"].to_dict(),
        "shares_reference": contract.shares["reference"].to_dict(),
        "price": contract.price.to_dict("index"),
        "search": None if tracked.searched is None else tracked.searched.as_dict(),
        "challengers": _compared(tracked),
    }


def _compared(tracked: TrackedRun) -> dict[str, dict[str, float]] | None:
    """Figures of everybody on the test rows that consent to everything, by name; None where nobody was asked."""
    if tracked.report is None or tracked.report.comparison is None:
        return None
    table = tracked.report.comparison.table.dropna(subset="auc")
    return {
        str(name): {key: float(of[key]) for key in ("auc", "ks", "brier", "log_loss", "ece")}
        for name, of in table.iterrows()
    }


def _tell_comparison(comparison: Comparison) -> None:
    answer(f"\nOn {comparison.test_rows:,} of these rows, which consent to everything, and as others do it:")
    rows = comparison.table.dropna(subset="auc").iterrows()
    table(
        ("test", "AUC", "KS", "Brier", "calibration error", "AUC of ours less this"),
        [(name, *(f"{of[k]:.4f}" for k in ("auc", "ks", "brier", "ece")), _difference(of)) for name, of in rows],
    )
    for name, why in comparison.absent.items():
        note(f"{name} took no part: {why}")


def _difference(row: Any) -> str:
    low, high = row["auc_difference_low"], row["auc_difference_high"]
    return "" if not row["auc_difference"] else f"{row['auc_difference']:+.4f} ({low:+.4f} to {high:+.4f})"


def _tell(found: dict[str, Any], tracked: TrackedRun) -> None:
    test, run = found["test"], tracked.run
    answer(f"{found['model']}: {found['features']} features, trained on {found['trained_on']:,} rows")
    for reason, count in {**found["left_out"], **found["not_trained"], **found["not_tested"]}.items():
        answer(f"  left out, {reason}: {count:,}")
    if tracked.searched is not None:
        _tell_search(tracked.searched)
    since = "" if found["test_since"] is None else f", from {found['test_since']} on"
    answer(f"On {found['tested_on']:,} rows of members not trained on{since}: AUC {test['auc']:.4f} "
           f"({test['auc_low']:.4f} to {test['auc_high']:.4f}), KS {test['ks']:.4f}, "
           f"calibration error {test['ece']:.4f}, bad {test['bad_rate']:.2%}")  # fmt: skip
    if weighted := found["test_weighted"]:
        answer(f"Weighted: AUC {weighted['auc']:.4f}, KS {weighted['ks']:.4f}, calibration error {weighted['ece']:.4f}")
    answer()
    shares_and_price(run.model.contract_report_.shares, run.model.contract_report_.price)
    if tracked.report is not None and tracked.report.comparison is not None:
        _tell_comparison(tracked.report.comparison)
    answer(f"\nRegistered as {found['model_uri']}, the challenger.")
    note(f"Look at the run: mlflow ui --backend-store-uri {found['tracking_uri']}")
    note(f"Next: somebody else validates it, benne validate {found['mlflow_run']} --by …")


def _tell_search(searched: SearchResult) -> None:
    told = searched.as_dict()
    words, given = _words(told["objective"]), told["given"]
    beside = "refused" if given is None else f"{given:.4f}"
    answer(
        f"Searched {told['trials']} sets of options: {words} {told['best']:.4f} out of fold by trial "
        f"{told['best_trial']} (the options as given: {beside}); {told['refused']} could not hold the weights"
    )
    for option, value in told["options"].items():
        answer(f"  {option}: {value}")
