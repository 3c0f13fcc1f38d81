"""A training run in MLflow: parameters, metrics, plots, the model, the contract, the data's fingerprint."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from benne.experiments.mlflow_model import LOADER_MODULE, input_example, signature_of
from benne.experiments.plots import training_plots
from benne.experiments.training import LabelledRows, TrainingRun
from benne.models import BoosterOptions

__all__ = ["Tracking", "default_store", "fingerprint_of", "log_run", "tracking_at"]

EXPERIMENT = "benne"
_TALKATIVE = ("mlflow", "alembic")


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


def fingerprint_of(rows: LabelledRows) -> str:
    """sha256 of feature values, consent columns and labels, row by row; subject ids are not in it."""
    digest = hashlib.sha256("\n".join(rows.features.columns).encode())
    digest.update(rows.features.to_numpy(dtype="float64").tobytes())
    digest.update(rows.bad.tobytes())
    return digest.hexdigest()


def log_run(
    run: TrainingRun,
    tracking: Tracking,
    *,
    name: str,
    tags: Mapping[str, str],
    extra: Mapping[str, float] | None = None,
) -> str:
    """Log one training run.

    Parameters
    ----------
    run : TrainingRun
    tracking : Tracking
    name : str
        Of the run.
    tags : mapping of str to str
        Such as the events' fingerprint.
    extra : mapping of str to float, optional
        Further metrics.

    Returns
    -------
    str
        MLflow's run id.
    """
    with _quiet(), _store(tracking), mlflow.start_run(run_name=name, tags=dict(tags)) as active:
        mlflow.log_params(_parameters(run))
        mlflow.log_metrics(_metrics(run) | dict(extra or {}))
        with tempfile.TemporaryDirectory() as folder:
            _write_artifacts(run, Path(folder))
            mlflow.log_artifacts(folder)
            _log_model(run, Path(folder) / "model_directory")
        return str(active.info.run_id)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let MLflow and its migrations say only what is wrong, and nothing of what it will have to change."""
    before = {name: logging.getLogger(name).level for name in _TALKATIVE}
    for name in before:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="mlflow")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _store(tracking: Tracking) -> Iterator[None]:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(tracking.uri)
    try:
        if mlflow.get_experiment_by_name(tracking.experiment) is None:
            mlflow.create_experiment(tracking.experiment, artifact_location=tracking.artifacts)
        mlflow.set_experiment(tracking.experiment)
        yield
    finally:
        mlflow.set_tracking_uri(before)


def _parameters(run: TrainingRun) -> dict[str, Any]:
    model = run.model
    booster = asdict(model.booster or BoosterOptions())
    shares = model.contract_report_.shares
    return {
        "tolerance": model.tolerance,
        "random_state": model.random_state,
        "features": model.n_features_in_,
        "trees": model.booster_.num_trees(),
        "train_rows": len(run.train.bad),
        "test_rows": run.evaluation.rows,
        "train_fingerprint": fingerprint_of(run.train),
        "test_fingerprint": fingerprint_of(run.test),
        **{f"booster_{key}": value for key, value in booster.items() if key not in ("monotone", "extra")},
        **{f"weight_{category}": round(float(weight), 6) for category, weight in shares["target"].items()},
    }


def _metrics(run: TrainingRun) -> dict[str, float]:
    contract = run.model.contract_report_
    price = contract.price.filter(regex="_price$").loc["unconstrained"].to_dict()
    return {
        **{f"test_{key}": value for key, value in run.evaluation.metrics.items()},
        "test_bad_rate": run.evaluation.bad_rate,
        "largest_gap": run.evaluation.largest_gap,
        "contract_largest_miss": contract.largest_miss,
        **{f"share_{category}": float(share) for category, share in contract.shares["reference"].items()},
        **{f"oof_{key}": float(value) for key, value in price.items()},
    }


def _write_artifacts(run: TrainingRun, folder: Path) -> None:
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
    (folder / "plots").mkdir()
    for name, figure in training_plots(run).items():
        figure.savefig(folder / "plots" / f"{name}.png", dpi=120, metadata={"Software": None})


def _log_model(run: TrainingRun, folder: Path) -> None:
    run.model.save(folder)
    mlflow.pyfunc.log_model(
        name="model",
        loader_module=LOADER_MODULE,
        data_path=str(folder),
        signature=signature_of(run.model),
        input_example=input_example(run.model),
        pip_requirements=[f"benne[train]=={importlib.metadata.version('benne')}"],
    )
