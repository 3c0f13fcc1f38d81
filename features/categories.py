"""The five categories of the score, in their fixed order."""

from __future__ import annotations

from typing import Final

CREDIT_HISTORY: Final = "credit_history"
BEHAVIOUR: Final = "behaviour"
ABILITY: Final = "ability"
PERSONAL_INFORMATION: Final = "personal_information"
SOCIAL: Final = "social"

CATEGORIES: Final[tuple[str, ...]] = (CREDIT_HISTORY, BEHAVIOUR, ABILITY, PERSONAL_INFORMATION, SOCIAL)

CATEGORY_LABELS: Final[dict[str, str]] = {
    CREDIT_HISTORY: "Credit history",
    BEHAVIOUR: "Behaviour",
    ABILITY: "Ability to honour agreements",
    PERSONAL_INFORMATION: "Personal information",
    SOCIAL: "Social relationships",
}
