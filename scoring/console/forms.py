"""What was typed into a form, and what is refused of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

__all__ = ["CASE", "DECISION", "TOKEN", "Form", "FormRefused", "read_form"]

TOKEN: Final = "form_token"  # noqa: S105 - a field's name
CASE: Final = re.compile(r"[A-Za-z0-9_./-]{1,40}")
"""A case number that may go on record: never free text."""
DECISION: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,36}")
"""A decision's id."""

_MOST_FIELDS: Final = 100
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class FormRefused(Exception):
    """Something in a form is not as it must be; the form is shown again with what was typed.

    Parameters
    ----------
    why : str
        Key of a text.
    field : str, optional
        Which field it is about.
    **places
        What goes into the text.
    """

    def __init__(self, why: str, field: str = "", **places: object) -> None:
        super().__init__(why)
        self.why = why
        self.field = field
        self.places = places


@dataclass(frozen=True, slots=True)
class Form:
    """Fields in the order they were sent; left out of the ``repr``."""

    fields: Sequence[tuple[str, str]] = field(default=(), repr=False)

    def get(self, name: str) -> str:
        """A field without spaces around it; empty where it was not sent."""
        return next((value.strip() for key, value in self.fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a field that may come several times."""
        return [value.strip() for key, value in self.fields if key == name]

    def text(self, name: str, *, longest: int) -> str:
        """Free text, as it was typed but for line ends.

        Raises
        ------
        FormRefused
            If it is empty, too long, or holds control characters.
        """
        value = self.get(name).replace("\r\n", "\n")
        if not value:
            raise FormRefused("console.refused.empty", name)
        if len(value) > longest:
            raise FormRefused("console.refused.too_long", name, longest=longest)
        if _CONTROL.search(value):
            raise FormRefused("console.refused.control", name)
        return value

    def one_of(self, name: str, allowed: Sequence[str]) -> str:
        """One of a few words.

        Raises
        ------
        FormRefused
            If it is another.
        """
        value = self.get(name)
        if value not in allowed:
            raise FormRefused("console.refused.choose", name)
        return value

    def typed(self) -> list[tuple[str, str]]:
        """Everything but what proves where the form came from."""
        return [(name, value) for name, value in self.fields if name != TOKEN]


def read_form(body: bytes) -> Form:
    """Fields of a body as browsers send forms.

    Raises
    ------
    FormRefused
        If it holds more fields than any form here has.
    """
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise FormRefused("console.refused.form") from None
    return Form(fields)
