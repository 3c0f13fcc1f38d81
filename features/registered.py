"""The filled registry: what the five builders offer."""

from __future__ import annotations

from benne.features import ability, behaviour, credit_history, personal_information, social
from benne.features.specification import Registry

__all__ = ["registry"]

registry = Registry(
    spec for builder in (credit_history, behaviour, ability, personal_information, social) for spec in builder.FEATURES
)
"""Every feature there is, in the order of the categories."""
