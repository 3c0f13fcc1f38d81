"""What verdicts on record already say of a model's files, and so binds whoever validates them again.

The same rows and seed give the same files, whoever trains and whenever. A training that is done over, or a folder that
is copied, is no new training: the author named before stands, and so does the earliest beginning, with its gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benne.errors import GatesChanged, NotIndependent
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.governance.people import same_person

if TYPE_CHECKING:
    from benne.scoring.governance.verdicts import Verdict

__all__ = ["began_on_record", "binding", "related", "require_as_on_record", "require_author_on_record"]


def binding(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Verdicts that bind whoever comes after, in the order given: those that rest on a record of the training.

    What somebody typed about a bare folder is shown and binds nobody: a copy without its record is made in a second,
    by anybody, and none of its gates can pass.

    Parameters
    ----------
    verdicts : sequence of Verdict
    """
    return [one for one in verdicts if one.rests_on_record]


def began_on_record(earlier: Sequence[Verdict], began_us: int) -> int:
    """The earliest beginning of a training: of what is said now, and of verdicts on the same files.

    Parameters
    ----------
    earlier : sequence of Verdict
    began_us : int
        Microseconds since 1970-01-01 UTC.
    """
    return min([began_us, *(one.training_began_us for one in binding(earlier))])


def require_author_on_record(author: str, earlier: Sequence[Verdict]) -> None:
    """Refuse another author than earlier verdicts on the same files name.

    Raises
    ------
    NotIndependent
    """
    for one in binding(earlier):
        if not same_person(author, one.author):
            raise NotIndependent(
                f"The author must be whom the record names for these files, {one.author}, got {author}. Whoever trains "
                "the same again makes no model of their own: name the author on record."
            )


def require_as_on_record(verdict: Verdict, earlier: Sequence[Verdict]) -> None:
    """Refuse a verdict that names another author, or a later beginning, than earlier ones on the same files.

    Raises
    ------
    NotIndependent
        If it names another author.
    GatesChanged
        If its training began later: gates that were declared in between came after results.
    """
    require_author_on_record(verdict.author, earlier)
    began_us = began_on_record(earlier, verdict.training_began_us)
    if began_us < verdict.training_began_us:
        raise GatesChanged(
            f"A training must have begun when the record says of these files, {_shown(began_us)}, got "
            f"{_shown(verdict.training_began_us)}. Validate it anew: benne validate"
        )


def related(verdicts: Sequence[Verdict], config_hash: str, fingerprint: str | None) -> list[Verdict]:
    """Verdicts that whoever reads another must know of, in the order given.

    Those on the same files; and those that did not pass on other models of the same training rows, because whoever
    trains until something passes has not shown what the gates ask.

    Parameters
    ----------
    verdicts : sequence of Verdict
    config_hash : str
    fingerprint : str or None
        Of the training rows, where it is known.
    """
    return [
        one for one in verdicts
        if one.config_hash == config_hash
        or (not one.passed and fingerprint is not None and one.trained_on == fingerprint)
    ]  # fmt: skip


def _shown(us: int) -> str:
    return f"{from_microseconds(us):%Y-%m-%d %H:%M:%S} UTC"
