"""From a saved model, and what is known of its training, to its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benne.errors import LabelError
from benne.experiments.measure import measures_of
from benne.experiments.model_card.card import ModelCard, Section, with_documents
from benne.experiments.model_card.feature_lines import feature_lines, without_reasons
from benne.experiments.model_card.measured import (
    data_section,
    figure_sections,
    labels_section,
    limits_section,
    reproduction_section,
)
from benne.experiments.model_card.uses import uses_table
from benne.experiments.report.document import records_of
from benne.experiments.report.label_influence import influence_measures, influence_of
from benne.experiments.report.sample import sample_of
from benne.experiments.simulator import NOTICE
from benne.models import CreditScoreModel
from benne.scoring.decisions.served_model import identity_of

if TYPE_CHECKING:
    from benne.experiments.training import TrainingRun

__all__ = ["CardSources", "Reasons", "card_of"]

Reasons = Mapping[str, Mapping[str, str]]
"""What features are, by their name: see :data:`benne.experiments.model_card.feature_lines.TOLD`."""

_SIMULATED: Final = "simulated"


@dataclass(frozen=True)
class CardSources:
    """What a card can be made from besides the saved model.

    Parameters
    ----------
    run : TrainingRun or None
        Its training; without it the card has no data, labels, figures or limits, and says so.
    tags : mapping of str to str
        Where its rows come from, as the tracked run is tagged; ``data`` is ``simulated`` for simulated members.
    documents : sequence of mapping
        About the same model, of kind ``fairness``, ``gaming`` or ``categories``.
    notices : sequence of str
        What must be read first.
    reasons : mapping of str to mapping
        For features that the registry does not know: why they are in it, as
        :data:`benne.experiments.model_card.feature_lines.TOLD` says.
    """

    run: TrainingRun | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    documents: Sequence[Mapping[str, Any]] = ()
    notices: Sequence[str] = ()
    reasons: Reasons = field(default_factory=dict)


def card_of(directory: str | Path, sources: CardSources | None = None, *, made_at: datetime, by: str) -> ModelCard:
    """Make the card of a saved model.

    Parameters
    ----------
    directory : path
        That :meth:`benne.models.CreditScoreModel.save` wrote.
    sources : CardSources, optional
    made_at : datetime
        With its timezone.
    by : str
        Who trained it.

    Returns
    -------
    ModelCard
        What is not known is listed in :attr:`ModelCard.missing`, never made up. The same model, sources and moment give
        the same card.

    Raises
    ------
    ModelDirectoryError
        If the model is missing, damaged or from a newer Benne.
    GovernanceError
        If a document is about another model.
    """
    given = sources or CardSources()
    model_id, config_hash = identity_of(Path(directory))
    model = CreditScoreModel.load(directory)
    sections = _of_model(model, given.reasons)
    measures: dict[str, dict[str, Any]] = {}
    if given.run is not None:
        found, measures = _of_run(given.run, given.tags)
        sections |= found
    card = ModelCard(
        model_id=model_id, config_hash=config_hash, made_at=made_at, by=by, sections=sections, measures=measures,
        notes=tuple(dict.fromkeys([*_notices(given), *given.notices])),
    )  # fmt: skip
    return with_documents(card, given.documents)


def _of_model(model: CreditScoreModel, reasons: Reasons) -> dict[str, Section]:
    contract, lines = model.contract_report_, feature_lines(model, reasons)
    return {
        "uses": Section({"uses": uses_table()}),
        "features": Section({"features": lines}, (), without_reasons(lines)),
        "contract": Section({"contract": records_of(contract.shares.rename_axis("category"))}, (
            "Share of influence of each category: it holds exactly on the reference sample, and about so elsewhere.",)),
        "price": Section({"price": records_of(contract.price.rename_axis("model"))}, (
            "Out of fold on the training rows. A price is ours under contract minus this model, paired.",)),
    }  # fmt: skip


def _of_run(run: TrainingRun, tags: Mapping[str, str]) -> tuple[dict[str, Section], dict[str, dict[str, Any]]]:
    sections = {
        "data": data_section(run, tags), "limits": limits_section(run), "reproduction": reproduction_section(run),
    }  # fmt: skip
    try:
        sample = sample_of(run.model, run.test)
    except LabelError:  # too few rows, or all alike: the card says that its figures are missing
        return sections, {}
    influence = influence_of(run)
    sections |= {"labels": labels_section(influence), **figure_sections(run, sample)}
    figures = measures_of({"labels": influence_measures(influence)})
    return sections, {name: one.as_dict() for name, one in figures.items()}


def _notices(given: CardSources) -> list[str]:
    simulated = given.tags.get("data") == _SIMULATED or NOTICE in given.tags.get("consents", "")
    return [NOTICE] if simulated else []
