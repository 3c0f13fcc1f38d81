"""Every action there is, in the order in which actions are carried out whatever order they are given in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any, Final

from benne.errors import WhatIfNotPossible
from benne.explain.what_if.accounts import LowerUtilisation, PayStatements
from benne.explain.what_if.action import Action
from benne.explain.what_if.ahead import Ahead
from benne.explain.what_if.money import KeepCovered, KeepReserve, RecordIncome, RecordSavings, SpendLess
from benne.explain.what_if.paying import CompleteContracts, PayInstalments, PayOverdue, SettleItems
from benne.explain.what_if.verifying import VerifyField

__all__ = ["ACTIONS", "CONSEQUENCES", "NOT_MOVED", "action_of", "carried_out", "in_order", "offered"]

ACTIONS: Final[dict[str, type[Action]]] = {
    action.name: action
    for action in (
        PayOverdue, PayInstalments, CompleteContracts, SettleItems, LowerUtilisation, PayStatements, VerifyField,
        SpendLess, KeepCovered, KeepReserve, RecordIncome, RecordSavings,
    )
}  # fmt: skip
"""By name, in the order in which they are carried out."""

NOT_MOVED: Final[dict[str, str]] = {
    "months_assessed": "it grows with every due and every reported month, by habit as much as with an action",
    "obligations_opened_365d": "by habit no contract is opened",
    "adverse_items_live": "settling begins the five years after which an item goes; a dispute is decided by others",
    "verifications_lapsed_730d": "by habit no verification lapses",
    "positive_rating_share_365d": "ratings are given by other members",
    "reports_upheld_365d": "reports are made by other members",
}
"""Features that a member can do something about, and why no action moves them."""

CONSEQUENCES: Final[dict[str, frozenset[str]]] = {
    "complete_contracts": frozenset({"obligations_active"}),
    "keep_covered": frozenset({"active_months_180d", "bill_share_180d", "cash_share_180d"}),
    "verify": frozenset({"bank_account_verified_days", "identity_verified_days", "verification_tenure"}),
}
"""By action that may be suggested: features nobody is told to work on, which follow from it all the same. A contract
that was completed runs no longer, a fee that was not charged is no movement, and a detail's age begins when it is first
verified. No other feature that is not actionable moves with a suggestion."""

_PLACES: Final = {name: place for place, name in enumerate(ACTIONS)}


def action_of(plain: Mapping[str, Any]) -> Action:
    """An action from plain values.

    Parameters
    ----------
    plain : mapping
        ``action``, its name, and its parameters.

    Raises
    ------
    WhatIfNotPossible
        If there is no such action, or a parameter is missing, unknown or beyond its limits.

    Examples
    --------
    >>> action_of({"action": "pay_instalments", "count": 3})
    PayInstalments(count=3, days_ahead=0)
    >>> action_of({"action": "win_the_lottery"})
    Traceback (most recent call last):
    ...
    benne.errors.WhatIfNotPossible: An action must be one of pay_overdue, pay_instalments, ... Take one of these.
    """
    named = plain.get("action")
    kind = ACTIONS.get(named) if isinstance(named, str) else None
    if kind is None:
        raise WhatIfNotPossible(f"An action must be one of {', '.join(ACTIONS)}, got another. Take one of these.")
    given = {name: value for name, value in plain.items() if name != "action"}
    if not given.keys() <= {one.name for one in fields(kind)}:
        raise WhatIfNotPossible(f"{kind.name} must be given its own parameters, got another one. Leave it out.")
    try:
        return kind(**given)
    except TypeError:
        raise WhatIfNotPossible(f"{kind.name} must be given all of its parameters, got one missing. Add it.") from None


def in_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Actions in the order in which they are carried out.

    Raises
    ------
    WhatIfNotPossible
        If two of them say the same thing, perhaps with other numbers.
    """
    ordered = sorted(actions, key=lambda action: (_PLACES[action.name], action.subject))
    for first, second in pairwise(ordered):
        if (first.name, first.subject) == (second.name, second.subject):
            raise WhatIfNotPossible(f"Each action must be given once, got {first.name} twice. Leave one out.")
    return tuple(ordered)


def carried_out(baseline: Ahead, actions: Iterable[Action]) -> Ahead:
    """The days ahead with some actions; the baseline stays as it is.

    Raises
    ------
    WhatIfNotPossible
        If one does not apply to this member, or two contradict each other.
    """
    ordered = in_order(actions)
    ahead = baseline.copy()
    for action in ordered:
        if not action.applies(baseline):
            raise WhatIfNotPossible(
                f"An action must have something to change before the day, got {action.name}, which has nothing. "
                "Take one of those that are offered, or a later day."
            )
        action.carry_out(ahead)
    return ahead


def offered(baseline: Ahead) -> list[Action]:
    """Actions that apply to a member, each as it is offered first; then those with larger parameters."""
    return [action for kind in ACTIONS.values() if kind.table in baseline.visible for action in kind.offers(baseline)]
