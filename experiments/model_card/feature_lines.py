"""The features of a model, each with why it is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benne.features import registry
from benne.models import CreditScoreModel

__all__ = ["TOLD", "counts_by_category", "feature_lines", "without_reasons"]

TOLD: Final = ("means", "rationale", "source", "direction", "gaming", "owner")
"""What a card tells of a feature: what it means, why it bears on creditworthiness and who has shown it, its direction
on the odds of bad, how easily it is moved (low, medium, high), and who answers for it."""

_NAMED: Final = 3
_DIRECTIONS: Final = {-1: "more is safer", 0: "either way", 1: "more is riskier"}


def feature_lines(model: CreditScoreModel, reasons: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """One line per feature, in the model's order.

    Parameters
    ----------
    model : CreditScoreModel
    reasons : mapping of str to mapping
        For features that the registry does not know: some of :data:`TOLD` by feature.

    Returns
    -------
    list of dict
        ``feature``, ``category`` and :data:`TOLD`; None where nobody has said.
    """
    return [
        {"feature": name, "category": category} | _told(name, reasons) for name, category in model.category_of.items()
    ]


def counts_by_category(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How many features there are in each category, and of how many nobody has said why they are there.

    Examples
    --------
    >>> counts_by_category([{"feature": "income", "category": "ability", "rationale": None}])
    [{'category': 'ability', 'features': 1, 'without rationale': 1}]
    """
    counts: dict[str, list[int]] = {}
    for line in lines:
        told = counts.setdefault(str(line["category"]), [0, 0])
        told[0] += 1
        told[1] += not line["rationale"]
    return [{"category": name, "features": own, "without rationale": bare} for name, (own, bare) in counts.items()]


def without_reasons(lines: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What is lacking: the features of which nobody has said why they are there, in one line.

    Examples
    --------
    >>> without_reasons([{"feature": "income", "rationale": None}, {"feature": "late_days", "rationale": "Paid late."}])
    ('why income is in it',)
    """
    unknown = [str(line["feature"]) for line in lines if not line["rationale"]]
    if not unknown:
        return ()
    few = ", ".join(unknown[:_NAMED])
    return (f"why {few} is in it" if len(unknown) == 1 else f"why {few} and others ({len(unknown)}) are in it",)


def _told(name: str, reasons: Mapping[str, Mapping[str, str]]) -> dict[str, str | None]:
    if name in reasons or name not in registry:
        return {what: reasons.get(name, {}).get(what) for what in TOLD}
    spec = registry[name]
    return {
        "means": spec.label, "rationale": spec.rationale, "source": spec.source,
        "direction": _DIRECTIONS[spec.direction], "gaming": spec.gaming, "owner": spec.owner,
    }  # fmt: skip
