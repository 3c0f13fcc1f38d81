"""``benne card``: what a model is, what it may be used for, how it does and where it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, table
from benne.cli.edge import quiet_mlflow
from benne.cli.filing import answer_written, file_in_store
from benne.cli.options import TrackingPlace, WantJson

if TYPE_CHECKING:
    from benne.experiments.model_card import ModelCard

__all__ = ["card"]


def card(
    model: Annotated[str, typer.Argument(help="Folder of a saved model, or the id of a training run in MLflow.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for card.html, card.md and card.json.")],
    tracking: TrackingPlace = "mlflow",
    documents: Annotated[
        list[Path] | None,
        typer.Option("--document", help="Report on the same model to take in (JSON): fairness, gaming or categories."),
    ] = None,
    notices: Annotated[
        list[str] | None, typer.Option("--notice", help="A sentence that must be read first; may be given again.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who trained it, where there is only a folder.")] = "",
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            envvar="BENNE_STORE",
            help="Where verdicts are, and where to file it: a service's folder, or a database.",
        ),
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Write the card of a model: uses, data, features, weights, figures, limits; and say what is missing in it.

    Every tracked run has made one, with all that its training knows. From a model's folder alone comes what the model
    itself knows. No member's row or value is in a card.

    \b
    Example:
      benne card model --document fairness.json --document gaming.json --out card
    """
    quiet_mlflow()
    from dataclasses import replace

    from benne.experiments.model_card import with_documents
    from benne.experiments.model_card.writing import write_card

    found = with_documents(_card(model, tracking, by), [_document(path) for path in documents or ()])
    if store is not None:
        found = _approved(found, store)
    found = replace(found, notes=tuple(dict.fromkeys([*found.notes, *(notices or ())])))
    paths = write_card(found, out)
    document = found.as_document()
    file_in_store(store, document, found.by)
    answer_written(paths, document, lambda: _tell(found), want_json=want_json)


def _card(model: str, tracking: str, by: str) -> ModelCard:
    """From the folder of a model, else from a run."""
    if Path(model).is_dir():
        from benne.experiments.model_card import card_of
        from benne.scoring.wiring import system_clock

        return card_of(model, made_at=system_clock(), by=by or "somebody unknown")
    from benne.experiments.model_card.registered import card_of_run
    from benne.experiments.model_registry import existing_store

    return card_of_run(existing_store(tracking), model)


def _approved(card: ModelCard, store: str) -> ModelCard:
    """With every decision on record about this model, the oldest first."""
    from benne.cli.governance_store import opened_governance_store
    from benne.experiments.model_card import with_approvals
    from benne.experiments.validation.carding import approvals_of

    with opened_governance_store(store) as governance, governance.store.read() as connection:
        return with_approvals(card, approvals_of(connection, card.config_hash))


def _document(path: Path) -> dict[str, Any]:
    from benne.features.quality.documents import read_document

    return read_document(path, "A report on a model")


def _tell(card: ModelCard) -> None:
    answer(f"{card.model_id}, by {card.by}, made {card.made_at:%Y-%m-%d %H:%M} UTC")
    for line in card.notes:
        answer(line)
    if card.measures:
        answer()
        rows = [(name, "–" if one["value"] is None else f"{one['value']:.4f}", one["state"], one["note"])
                for name, one in card.measures.items()]  # fmt: skip
        table(("figure", "value", "state", "note"), rows, left=4)
    answer()
    missing = card.missing
    answer(f"Missing: {len(missing)}" if missing else "Nothing is missing.")
    for what in missing:
        answer(f"  {what}")
