"""A case: something a member is owed by a deadline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from sqlalchemy import RowMapping

from benne.scoring.consent.moments import from_microseconds
from benne.scoring.store.rights_tables import rights_cases

__all__ = ["CASE_KINDS", "CaseKind", "CaseState", "RightsCase", "case_from", "is_over"]

CaseKind = Literal["dispute", "correction", "review", "notice"]
CASE_KINDS: Final[tuple[str, ...]] = get_args(CaseKind)
CaseState = Literal[
    # of a dispute
    "opened", "looked_into", "corrected", "not_corrected", "closed", "withdrawn",
    # of a review
    "requested", "upheld", "overturned",
    # of a correction
    "begun", "done",
    # of a notice that is due
    "due", "issued", "not_needed",
    # of any
    "erased",
]  # fmt: skip

_OWN: Final = tuple(column.name for column in rights_cases.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsCase:
    """One case as it stands; whose it is and what it is about are left out of the ``repr``.

    Attributes
    ----------
    case_id : str
        Also of its payload in the vault, and of its first audit record.
    kind : {'dispute', 'correction', 'review', 'notice'}
    subject_id : str or None
        None where the member was erased.
    decision_id : str or None
    topic : str
        What is disputed; which notice is due.
    state : str
    version : int
        Whoever changes a case names the version they saw.
    jurisdiction : str
        Whose deadline it is.
    recipient, policy_version : str or None
        Of the decision, where it is about one.
    opened_at_us, due_at_us : int
        Microseconds since 1970-01-01 UTC.
    opened_by_role : str
    opened_by, handler : str or None
        None for the member, and where nobody has taken it.
    extended_at_us, escalated_at_us, ended_at_us : int or None
        ``ended``: nothing is left to do by the deadline.
    mark : {'disputed', 'statement'} or None
        What recipients are told while it stands.
    statement_ref, about_case, result : str or None
        The member's statement, the case it came of, and what came of it (a decision or a notice).
    """

    case_id: str
    kind: CaseKind
    topic: str
    state: CaseState
    version: int
    jurisdiction: str
    opened_at_us: int
    opened_by_role: str
    due_at_us: int
    subject_id: str | None = field(default=None, repr=False)
    decision_id: str | None = field(default=None, repr=False)
    recipient: str | None = None
    policy_version: str | None = None
    opened_by: str | None = None
    handler: str | None = None
    extended_at_us: int | None = None
    escalated_at_us: int | None = None
    ended_at_us: int | None = None
    mark: str | None = None
    statement_ref: str | None = field(default=None, repr=False)
    about_case: str | None = None
    result: str | None = field(default=None, repr=False)

    @property
    def is_open(self) -> bool:
        """Whether something is left to do by the deadline."""
        return self.ended_at_us is None

    def as_dict(self) -> dict[str, Any]:
        """As it may be shown: without the subject id, with moments in ISO 8601."""
        plain = {name: getattr(self, name) for name in _OWN if name not in ("subject_id", "statement_ref", "result")}
        moments = {name: plain.pop(name) for name in list(plain) if name.endswith("_us")}
        return plain | {
            name.removesuffix("_us"): None if at is None else from_microseconds(at).isoformat()
            for name, at in moments.items()
        }


def case_from(row: RowMapping) -> RightsCase:
    """A case out of its row."""
    return RightsCase(**{name: row[name] for name in _OWN})


def is_over(case: RightsCase, now_us: int) -> bool:
    """Whether a case has passed its deadline with something left to do.

    A deadline that is a moment is met at that very moment.
    """
    return case.is_open and now_us > case.due_at_us
