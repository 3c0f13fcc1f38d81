"""Verifying a detail, or having it confirmed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from benne.explain.what_if.action import Action, Limits
from benne.explain.what_if.ahead import Ahead
from benne.features.events.tables import TABLES

__all__ = ["VerifyField"]

_FIELDS: Final = TABLES["verifications"].column("field").values
_USUAL: Final = {
    "identity_document": ("document", 2), "phone": ("code", 1), "email": ("code", 1), "address": ("document", 2),
    "bank_account": ("deposit", 2), "employer": ("document", 2), "income_proof": ("document", 2),
}  # fmt: skip
"""How a detail is usually checked, and how strong that is (1 to 3)."""
_REGISTER: Final = ("registry", 3)


@dataclass(frozen=True)
class VerifyField(Action):
    """Have a detail verified now in its usual way, or against a register; it holds beyond the day."""

    name: ClassVar[str] = "verify"
    limits: ClassVar[dict[str, Limits]] = {"field": _FIELDS, "against_register": (False, True)}
    table: ClassVar[str] = "verifications"
    effort: ClassVar[int] = 1
    gaming: ClassVar = "medium"

    field: str
    against_register: bool = False

    @classmethod
    def offers(cls, ahead: Ahead) -> Iterator[VerifyField]:
        """Details that will not stand on the day; those that do need no doing."""
        if "verifications" in ahead.visible:
            stands = _standing(ahead)
            yield from (cls(name) for name in _FIELDS if name not in stands)

    @property
    def subject(self) -> str:
        """The detail."""
        return self.field

    def applies(self, ahead: Ahead) -> bool:
        """Also to a detail that stands: it is confirmed again."""
        return "verifications" in ahead.visible

    def carry_out(self, ahead: Ahead) -> None:
        method, strength = _REGISTER if self.against_register else _USUAL[self.field]
        said = {"field": self.field, "event": "verified", "method": method, "strength": strength}
        ahead.add("verifications", ahead.now, **said)


def _standing(ahead: Ahead) -> set[str]:
    """Details whose verification holds until the day and beyond."""
    stands = set()
    for row in ahead.history.rows("verifications"):
        expires = row["expires_at"]
        if row["event"] == "verified" and (expires is None or expires > ahead.until):
            stands.add(row["field"])
        else:
            stands.discard(row["field"])
    return stands
