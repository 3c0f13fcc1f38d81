"""The search for an alternative in MLflow: a run with a nested run for each candidate."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any, Final

import mlflow

from benne.experiments.fairness.alternatives import Alternatives
from benne.experiments.tracking import Tracking, open_run

__all__ = ["log_alternatives"]

_WORDS: Final = ("candidate", "verdict", "why")
_LONGEST: Final = 250
_LONGEST_REASON: Final = 2_000  # MLflow keeps tags of 5,000 and more
_FILE: Final = "alternatives.csv"


def log_alternatives(found: Alternatives, tracking: Tracking, *, name: str = "less discriminatory alternatives") -> str:
    """Log every candidate with its figures, and why it was rejected.

    Returns
    -------
    str
        MLflow's id of the run that the candidates are nested in.
    """
    with open_run(tracking, name=name, tags={"benne.kind": "fairness alternatives"}) as run:
        mlflow.log_params(dict(vars(found.search)))
        with tempfile.TemporaryDirectory() as folder:
            found.table.to_csv(Path(folder, _FILE), index=False)
            mlflow.log_artifacts(folder)
        for line in found.table.to_dict("records"):
            _log_candidate({str(name): value for name, value in line.items()})
    return run.run_id


def _log_candidate(line: dict[str, Any]) -> None:
    figures = {key: value for key, value in line.items() if isinstance(value, float) and key not in _OPTIONS}
    params = {key: line[key] for key in ("dropped", "tolerance", *_OPTIONS)}
    tags = {f"benne.{key}": str(line[key])[:_LONGEST_REASON] for key in _WORDS[1:]}
    with mlflow.start_run(run_name=str(line["candidate"])[:_LONGEST], nested=True, tags=tags):
        mlflow.log_params(params)
        mlflow.log_metrics({key: value for key, value in figures.items() if math.isfinite(value)})


_OPTIONS: Final = ("max_depth", "l2", "rows_in_leaf", "column_share", "row_share")
