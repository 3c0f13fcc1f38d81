"""The cards of tracked runs: read again, and shown with the model's version in the registry."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from benne.errors import GovernanceError
from benne.experiments.model_card.card import ModelCard, card_from_document
from benne.experiments.model_card.description import describe_card
from benne.experiments.model_card.tracked import CARD_FOLDER
from benne.experiments.model_card.writing import DOCUMENT
from benne.experiments.tracking import Tracking, store_in_use

if TYPE_CHECKING:
    from benne.experiments.model_registry import Registered

__all__ = ["card_of_run", "describe_version", "describe_versions_of"]


def card_of_run(tracking: Tracking, run_id: str) -> ModelCard:
    """The card that was logged with a run.

    Raises
    ------
    GovernanceError
        If there is no such run, or it has none.
    """
    with store_in_use(tracking), tempfile.TemporaryDirectory() as folder:
        try:
            path = mlflow.artifacts.download_artifacts(
                run_id=run_id, artifact_path=f"{CARD_FOLDER}/{DOCUMENT}", dst_path=folder
            )
            text = Path(path).read_text("utf-8")
        except (MlflowException, OSError):
            raise GovernanceError(
                "The run must have logged a card, got none, or no such run. Train it again, or name the model's folder."
            ) from None
    return card_from_document(json.loads(text))


def describe_version(tracking: Tracking, version: Registered, card: ModelCard) -> None:
    """Show the card in MLflow's registry as the description of a version, in the room there is."""
    with store_in_use(tracking):
        MlflowClient().update_model_version(version.name, str(version.version), description=describe_card(card))


def describe_versions_of(tracking: Tracking, run_id: str, card: ModelCard) -> None:
    """Show the card with every registered version of a run; a run without any is left as it is."""
    with store_in_use(tracking):
        client = MlflowClient()
        for version in client.search_model_versions(f"run_id = '{run_id}'"):
            client.update_model_version(version.name, str(version.version), description=describe_card(card))
