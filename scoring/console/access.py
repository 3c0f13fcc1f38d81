"""The authorisation table of pages: which role may open which page, in the manner of :mod:`benne.scoring.api.access`.

Deny by default: a page that is not in the table is not served, and a role that is not named may not open it. The tests
walk every page with every role.
"""

from __future__ import annotations

from typing import Final, Literal

from benne.scoring.access.principal import Role

__all__ = ["AREAS", "PAGES_OF", "Area", "Roles", "area_of", "may_open"]

Area = Literal["console", "me"]
"""``console`` is for staff, ``me`` for a member; each has its own cookie, which the browser sends nowhere else."""

Roles = frozenset[Role]
AREAS: Final[dict[Area, str]] = {"console": "/console", "me": "/me"}

_STAFF: Final[Roles] = frozenset({"compliance"})
_OPERATIONS: Final[Roles] = frozenset({"compliance", "admin"})
_GOVERNANCE: Final[Roles] = frozenset({"compliance", "admin", "data_scientist"})
_MEMBER: Final[Roles] = frozenset({"member"})

PAGES_OF: Final[dict[tuple[str, str], Roles | None]] = {
    ("GET", "/console/sign-in"): None,
    ("POST", "/console/sign-in"): None,
    ("GET", "/console/static/{file}"): None,
    ("POST", "/console/sign-out"): _GOVERNANCE,
    ("GET", "/console"): _GOVERNANCE,
    ("GET", "/console/queue"): _STAFF,
    ("GET", "/console/members"): _STAFF,
    ("POST", "/console/members"): _STAFF,
    ("GET", "/console/members/{member}"): _STAFF,
    ("GET", "/console/members/{member}/what-if"): _STAFF,
    ("POST", "/console/members/{member}/what-if"): _STAFF,
    ("GET", "/console/members/{member}/history"): _STAFF,
    ("GET", "/console/members/{member}/consents"): _STAFF,
    ("GET", "/console/members/{member}/consents/{record_id}/receipt"): _STAFF,
    ("GET", "/console/members/{member}/disputes"): _STAFF,
    ("POST", "/console/members/{member}/disputes"): _STAFF,
    ("GET", "/console/members/{member}/reviews"): _STAFF,
    ("POST", "/console/members/{member}/reviews"): _STAFF,
    ("GET", "/console/members/{member}/notices"): _STAFF,
    ("GET", "/console/members/{member}/notices/{notice_id}"): _STAFF,
    ("POST", "/console/members/{member}/notices/{notice_id}"): _STAFF,
    ("GET", "/console/members/{member}/report"): _STAFF,
    ("GET", "/console/duties/{case_id}"): _STAFF,
    ("POST", "/console/duties/{case_id}"): _STAFF,
    ("GET", "/console/disputes/{case_id}"): _STAFF,
    ("POST", "/console/disputes/{case_id}"): _STAFF,
    ("GET", "/console/reviews/{case_id}"): _STAFF,
    ("POST", "/console/reviews/{case_id}"): _STAFF,
    ("GET", "/console/event-tables"): _STAFF,
    ("GET", "/console/audit"): _OPERATIONS,
    ("POST", "/console/audit"): _OPERATIONS,
    ("GET", "/console/decisions"): _STAFF,
    ("POST", "/console/decisions"): _STAFF,
    ("GET", "/console/model"): _GOVERNANCE,
    ("GET", "/console/models/{config_hash}"): _GOVERNANCE,
    ("GET", "/console/models/{config_hash}/{filing_id}"): _GOVERNANCE,
    ("GET", "/console/monitoring"): _GOVERNANCE,
    ("GET", "/console/rollout"): _GOVERNANCE,
    ("GET", "/console/policies"): _OPERATIONS,
    ("GET", "/console/{rest:path}"): None,
    ("GET", "/me/sign-in"): None,
    ("POST", "/me/sign-in"): None,
    ("POST", "/me/sign-out"): _MEMBER,
    ("GET", "/me"): _MEMBER,
    ("POST", "/me"): _MEMBER,
    ("GET", "/me/what-if"): _MEMBER,
    ("POST", "/me/what-if"): _MEMBER,
    ("GET", "/me/consents"): _MEMBER,
    ("POST", "/me/consents"): _MEMBER,
    ("POST", "/me/consents/withdraw"): _MEMBER,
    ("GET", "/me/consents/{record_id}/receipt"): _MEMBER,
    ("GET", "/me/history"): _MEMBER,
    ("GET", "/me/report"): _MEMBER,
    ("GET", "/me/export"): _MEMBER,
    ("GET", "/me/disputes"): _MEMBER,
    ("POST", "/me/disputes"): _MEMBER,
    ("GET", "/me/disputes/{case_id}"): _MEMBER,
    ("POST", "/me/disputes/{case_id}"): _MEMBER,
    ("POST", "/me/reviews"): _MEMBER,
    ("GET", "/me/notices"): _MEMBER,
    ("GET", "/me/notices/{notice_id}"): _MEMBER,
    ("GET", "/me/proofs"): _MEMBER,
    ("POST", "/me/proofs"): _MEMBER,
    ("GET", "/me/erase"): _MEMBER,
    ("POST", "/me/erase"): _MEMBER,
    ("GET", "/me/{rest:path}"): None,
}
"""Roles of each page; None where nobody need have signed in and no member is concerned."""


def area_of(path: str) -> Area:
    """Whose page it is.

    Examples
    --------
    >>> area_of("/me/consents"), area_of("/console/queue")
    ('me', 'console')
    """
    return "me" if path == "/me" or path.startswith("/me/") else "console"


def may_open(role: str, method: str, page: str) -> bool:
    """Whether a role may open a page that asks for credentials.

    Examples
    --------
    >>> may_open("compliance", "GET", "/console/queue"), may_open("admin", "GET", "/console/queue")
    (True, False)
    >>> may_open("compliance", "GET", "/console/nothing-like-this")
    False
    """
    return role in (PAGES_OF.get((method, page)) or frozenset())
