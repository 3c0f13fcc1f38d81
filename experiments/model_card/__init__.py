"""The card of a model: intended and banned uses, data, features, weights, figures, limits, approvals."""

from benne.experiments.model_card.card import (
    Approval,
    ModelCard,
    Section,
    card_from_document,
    with_approvals,
    with_documents,
)
from benne.experiments.model_card.making import CardSources, card_of

__all__ = [
    "Approval",
    "CardSources",
    "ModelCard",
    "Section",
    "card_from_document",
    "card_of",
    "with_approvals",
    "with_documents",
]
