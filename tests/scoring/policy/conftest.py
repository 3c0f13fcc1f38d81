"""Policies one can change one part of, and a question that they allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benne.scoring.policy import Asked, Policies, default_policies

ASKED = Asked(recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="band")
FOR_A_BENEFIT = Asked(
    recipient="shop", purpose="deposit_waiver", context="checkout", reliance="sole", benefit="deposit_waiver"
)


@pytest.fixture(scope="session")
def policies() -> Policies:
    return default_policies()


@pytest.fixture(scope="session")
def asked() -> Callable[..., Asked]:
    """A question about lending that is allowed, but for what is changed."""
    return lambda **changes: replace(ASKED, **changes)


@pytest.fixture(scope="session")
def asked_for_a_benefit() -> Callable[..., Asked]:
    """A question about the waived deposit that is allowed, but for what is changed."""
    return lambda **changes: replace(FOR_A_BENEFIT, **changes)


@pytest.fixture(scope="session")
def with_purpose(policies: Policies) -> Callable[..., Policies]:
    """The built-in policies with one purpose changed."""

    def changed(name: str, **changes: Any) -> Policies:
        purpose = replace(policies.purposes[name], **changes)
        return Policies(
            jurisdiction=policies.jurisdiction,
            purposes={**policies.purposes, name: purpose},
            benefits=policies.benefits,
            recipients=policies.recipients,
        )

    return changed
