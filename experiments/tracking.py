"""A training run in MLflow: parameters, metrics, plots, the model, the contract, the data's fingerprint."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd

from benne.experiments.fingerprint import fingerprint_of
from benne.experiments.mlflow_model import LOADER_MODULE, input_example, input_schema, signature_of
from benne.experiments.model_card.making import Reasons
from benne.experiments.model_card.tracked import label_figures, log_card
from benne.experiments.plots import training_plots
from benne.experiments.report import EvaluationReport, write_report
from benne.experiments.trained_members import FILE as MEMBERS
from benne.experiments.trained_members import SEAL, seal_of, write_digests
from benne.experiments.training import TrainingRun
from benne.experiments.training_record import TrainingRecord, training_record, write_training_record
from benne.models import BoosterOptions
from benne.scoring.consent.moments import from_microseconds

if TYPE_CHECKING:
    from benne.experiments.category_value import CategoryValueReport
    from benne.experiments.search import SearchResult, Trial  # a run that is not searched for needs no Optuna

__all__ = [
    "AUTHOR",
    "BEGAN",
    "OpenRun",
    "Tracking",
    "began_us",
    "default_store",
    "fingerprint_of",
    "log_run",
    "open_run",
    "store_in_use",
    "tracking_at",
]

EXPERIMENT = "benne"
AUTHOR = "benne.author"
"""Tag of a run that says who trained it, and so may not validate it."""
BEGAN = "benne.training_began_us"
"""Tag of a run that says since when it was worked on, in microseconds since 1970-01-01 UTC; else since its start."""
EVALUATION = "evaluation"
_TALKATIVE = ("mlflow", "alembic")
_BAR = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"


@dataclass(frozen=True)
class Tracking:
    """Where runs are kept.

    Parameters
    ----------
    uri : str
        MLflow tracking URI; see :func:`default_store` for a local one.
    experiment : str
    artifacts : str or None
        Where a new experiment keeps its files; MLflow's default if None.
    """

    uri: str
    experiment: str = EXPERIMENT
    artifacts: str | None = None


def default_store(folder: str | Path) -> Tracking:
    """A SQLite store and its files in one folder: ``mlflow ui --backend-store-uri <uri>`` shows it."""
    root = Path(folder).resolve()
    root.mkdir(parents=True, exist_ok=True)
    return Tracking(f"sqlite:///{root / 'mlflow.db'}", artifacts=(root / "mlruns").as_uri())


def tracking_at(place: str) -> Tracking:
    """A tracking server by its URI, or the local store in a folder."""
    return Tracking(place) if "://" in place else default_store(place)


@dataclass(frozen=True)
class OpenRun:
    """A run in MLflow that is being written; see :func:`open_run`."""

    run_id: str

    def log_training(
        self,
        run: TrainingRun,
        extra: Mapping[str, float] | None = None,
        reasons: Reasons | None = None,
        worth: CategoryValueReport | None = None,
    ) -> TrainingRecord:
        """Log parameters, metrics, tables, plots, the model and its card; gives the record of the training, for any
        other place that the model is saved in."""
        tracked = mlflow.get_run(self.run_id)
        began_at = from_microseconds(began_us(tracked.info.start_time, tracked.data.tags))
        record = training_record(run, author=tracked.data.tags.get(AUTHOR), began_at=began_at)
        mlflow.log_params(_parameters(run, record))
        mlflow.log_metrics(_metrics(run) | dict(extra or {}))
        with tempfile.TemporaryDirectory() as folder:
            _write_artifacts(run, record, Path(folder))
            mlflow.log_artifacts(folder)
            _log_model(run, record, Path(folder) / "model_directory")
            card = log_card(run, Path(folder) / "model_directory", self.run_id, reasons, worth)
            mlflow.log_metrics(label_figures(card))
        return record

    def log_evaluation(self, report: EvaluationReport) -> None:
        """Log the evaluation as files, and how the challengers did as metrics."""
        with tempfile.TemporaryDirectory() as folder:
            write_report(report, folder)
            mlflow.log_artifacts(folder, EVALUATION)
        if report.comparison is not None:
            figures = report.comparison.table[["auc", "brier", "ece"]].dropna()
            mlflow.log_metrics({
                f"compared_{_metric_name(str(name))}_{key}": float(value)
                for key, column in figures.items() for name, value in column.items()
            })  # fmt: skip

    def log_trial(self, trial: Trial) -> None:
        """Log one trial of a search as a run nested in this one; a refused one carries the reason."""
        tags = {"refused": trial.refused} if trial.refused else {}
        with mlflow.start_run(run_name=f"trial {trial.number}", nested=True, tags=tags):
            mlflow.log_params(_booster_parameters(trial.options))
            mlflow.log_metrics({f"oof_{name}": value for name, value in trial.figures.items()})

    def log_search(self, result: SearchResult) -> None:
        """Log what was searched for and what the best trial gained over the options as given."""
        search, given = result.search, result.trials[0]
        mlflow.log_params({
            "search_objective": search.objective,
            "search_trials": len(result.trials) - 1,
            "search_seed": search.seed,
            "search_best_trial": result.best.number,
        })  # fmt: skip
        values = {"best": result.best.figures[search.objective]}
        values |= {"given": given.figures[search.objective]} if given.figures else {}
        mlflow.log_metrics({f"search_{name}_{search.objective}": value for name, value in values.items()})


def began_us(start_time_ms: int, tags: Mapping[str, str]) -> int:
    """Since when a run was worked on, in microseconds since 1970-01-01 UTC: its start, or before where its tag says so.

    Examples
    --------
    >>> began_us(2, {}), began_us(2, {BEGAN: "1500"}), began_us(2, {BEGAN: "2500"}), began_us(2, {BEGAN: "soon"})
    (2000, 1500, 2000, 2000)
    """
    opened, said = int(start_time_ms) * 1_000, tags.get(BEGAN, "")
    return min(opened, int(said)) if said.isdecimal() else opened


@contextmanager
def open_run(tracking: Tracking, *, name: str, tags: Mapping[str, str]) -> Iterator[OpenRun]:
    """Begin a run; it ends with the block, as failed if the block does.

    Parameters
    ----------
    tracking : Tracking
    name : str
        Of the run.
    tags : mapping of str to str
        Such as the events' fingerprint.

    Yields
    ------
    OpenRun
    """
    with store_in_use(tracking):
        _enter_experiment(tracking)
        with mlflow.start_run(run_name=name, tags=dict(tags)) as active:
            yield OpenRun(str(active.info.run_id))


def log_run(
    run: TrainingRun,
    tracking: Tracking,
    *,
    name: str,
    tags: Mapping[str, str],
    extra: Mapping[str, float] | None = None,
) -> str:
    """Log one training run; ``name`` and ``tags`` as for :func:`open_run`, ``extra`` are further metrics.

    Returns
    -------
    str
        MLflow's run id.
    """
    with open_run(tracking, name=name, tags=tags) as active:
        active.log_training(run, extra)
    return active.run_id


@contextmanager
def store_in_use(tracking: Tracking) -> Iterator[None]:
    """Let MLflow work on a store, quietly, and leave the caller's settings as they were."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(tracking.uri)
    try:
        with _quiet():
            yield
    finally:
        mlflow.set_tracking_uri(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let MLflow and its migrations say only what is wrong, and nothing of what it will have to change or fetches."""
    before, bar = {name: logging.getLogger(name).level for name in _TALKATIVE}, os.environ.get(_BAR)
    os.environ[_BAR] = "false"
    for name in before:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="mlflow")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
        os.environ.pop(_BAR)
        if bar is not None:
            os.environ[_BAR] = bar


def _enter_experiment(tracking: Tracking) -> None:
    if mlflow.get_experiment_by_name(tracking.experiment) is None:
        mlflow.create_experiment(tracking.experiment, artifact_location=tracking.artifacts)
    mlflow.set_experiment(tracking.experiment)


def _metric_name(contestant: str) -> str:
    return re.sub(r"[^a-z]+", "_", contestant.lower()).strip("_")


def _booster_parameters(options: BoosterOptions) -> dict[str, Any]:
    kept = {key: value for key, value in asdict(options).items() if key not in ("monotone", "extra")}
    return {f"booster_{key}": value for key, value in kept.items()}


def _parameters(run: TrainingRun, record: TrainingRecord) -> dict[str, Any]:
    model, how = run.model, run.split.how
    shares = model.contract_report_.shares
    return {
        "tolerance": model.tolerance,
        "random_state": model.random_state,
        "features": model.n_features_in_,
        "trees": model.booster_.num_trees(),
        "train_rows": len(run.train.bad),
        "test_rows": run.evaluation.rows,
        "train_fingerprint": record.fingerprint,
        "test_fingerprint": fingerprint_of(run.test),
        SEAL: seal_of(record.members),
        "split": how.order,
        "test_since": "" if how.since is None else how.since.isoformat(),
        "folds": run.fold_order,
        "weighted": run.train.weight is not None,
        **_booster_parameters(model.booster or BoosterOptions()),
        **{f"weight_{category}": round(float(weight), 6) for category, weight in shares["target"].items()},
    }


def _metrics(run: TrainingRun) -> dict[str, float]:
    contract = run.model.contract_report_
    price = contract.price.filter(regex="_price$").iloc[0].to_dict()  # against the freest model that was fitted
    return {
        **{f"test_{key}": value for key, value in run.evaluation.metrics.items()},
        **{f"test_weighted_{key}": value for key, value in run.weighted.items()},
        "test_bad_rate": run.evaluation.bad_rate,
        "largest_gap": run.evaluation.largest_gap,
        "contract_largest_miss": contract.largest_miss,
        **{f"share_{category}": float(share) for category, share in contract.shares["reference"].items()},
        **{f"oof_{key}": float(value) for key, value in price.items()},
    }


def _write_artifacts(run: TrainingRun, record: TrainingRecord, folder: Path) -> None:
    contract, calibration = run.model.contract_report_, run.evaluation.calibration
    tables: dict[str, pd.DataFrame] = {
        "contract/shares": contract.shares,
        "contract/price": contract.price,
        "contract/frontier": run.model.frontier(),
        "contract/shares_test": run.evaluation.shares,
        "calibration/by_decile": calibration.by_decile,
        "calibration/by_band": calibration.by_band,
    }
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path)
    write_digests(record.members, folder / MEMBERS)
    (folder / "plots").mkdir()
    for name, figure in training_plots(run).items():
        figure.savefig(folder / "plots" / f"{name}.png", dpi=120, metadata={"Software": None})


def _log_model(run: TrainingRun, record: TrainingRecord, folder: Path) -> None:
    run.model.save(folder)
    write_training_record(folder, record)
    mlflow.pyfunc.log_model(
        name="model",
        loader_module=LOADER_MODULE,
        data_path=str(folder),
        signature=signature_of(run.model),
        input_example=input_example(run.model),
        metadata={"inputs": input_schema(run.model).to_dict()},
        pip_requirements=[f"benne[train]=={importlib.metadata.version('benne')}"],
    )
