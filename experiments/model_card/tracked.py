"""The card of a run that is being tracked, logged with it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import mlflow
from mlflow import MlflowClient

from benne.experiments.category_value.document import categories_document, write_category_value
from benne.experiments.model_card.card import ModelCard
from benne.experiments.model_card.making import CardSources, Reasons, card_of
from benne.experiments.model_card.writing import write_card
from benne.experiments.report.model_document import AboutDocument

if TYPE_CHECKING:
    from benne.experiments.category_value import CategoryValueReport
    from benne.experiments.training import TrainingRun

__all__ = ["CARD_FOLDER", "label_figures", "log_card"]

CARD_FOLDER: Final = "card"
_WORTH_FOLDER: Final = "categories"
_AUTHOR: Final = "benne.author"
_OS_USER: Final = "mlflow.user"


def log_card(
    run: TrainingRun,
    directory: Path,
    run_id: str,
    reasons: Reasons | None = None,
    worth: CategoryValueReport | None = None,
) -> ModelCard:
    """Make the card of the run that is being written, and log it beside the model as ``card/``.

    Parameters
    ----------
    run : TrainingRun
    directory : Path
        Where its model was saved.
    run_id : str
        Moment, author and origin of the rows are those that the run is marked with.
    reasons : mapping, optional
        Why features are in it that the registry does not know: see :class:`CardSources`.
    worth : CategoryValueReport, optional
        Logged as ``categories/``, and told on the card.
    """
    info = MlflowClient().get_run(run_id)
    tags: Mapping[str, str] = info.data.tags
    began = datetime.fromtimestamp(info.info.start_time / 1000, UTC)
    by = tags.get(_AUTHOR) or tags.get(_OS_USER) or "somebody unknown"
    documents = [] if worth is None else [_log_worth(worth, directory, began, by)]
    sources = CardSources(run, tags, documents, reasons=reasons or {})
    card = card_of(directory, sources, made_at=began, by=by)
    with tempfile.TemporaryDirectory() as folder:
        write_card(card, folder)
        mlflow.log_artifacts(folder, CARD_FOLDER)
    return card


def _log_worth(worth: CategoryValueReport, directory: Path, made_at: datetime, by: str) -> dict[str, Any]:
    document = categories_document(worth, AboutDocument.of(directory, made_at=made_at, by=by))
    with tempfile.TemporaryDirectory() as folder:
        write_category_value(worth, document, folder)
        mlflow.log_artifacts(folder, _WORTH_FOLDER)
    gains = {f"categories_{one.category}_auc_gain": one.held["auc_difference"] for one in worth.values if one.held}
    mlflow.log_metrics({name: gain for name, gain in gains.items() if gain is not None})
    return document


def label_figures(card: ModelCard) -> dict[str, float]:
    """What a run's metrics say of its labels: shares influenced and unobserved, and figures without influenced rows."""
    shares = {name.replace(".", "_"): one["value"] for name, one in card.measures.items() if name.startswith("labels.")}
    parts = card.sections["labels"].tables.get("labels.figures", []) if "labels" in card.sections else []
    for line in parts:
        if line["rows of the test"] == "not influenced":
            shares |= {f"test_{name}_not_influenced": line[name] for name in ("auc", "brier", "log_loss", "ece")}
    return {name: float(value) for name, value in shares.items() if value is not None}
