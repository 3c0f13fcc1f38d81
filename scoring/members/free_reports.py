"""How many reports a member has asked for within a year, and how many of them are free where the service is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from benne.explain.report import FreeReports
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.jurisdictions import Profile
from benne.scoring.store.audit_tables import audit_records
from benne.scoring.store.vault import MemberVault

__all__ = ["FreeReportCount", "ReportsGiven", "reports_given"]

_R: Final = audit_records.c


@dataclass(frozen=True, slots=True)
class ReportsGiven:
    """Reports of a year.

    Attributes
    ----------
    given : int
        To the member themselves; what staff look up for their work does not count.
    free : int or None
        How many a year are free where the deployment is; None: every reasonable one.
    """

    given: int
    free: int | None

    @property
    def beyond_free(self) -> bool:
        """Whether more were given than are free; they are given all the same, and a fee may be asked for."""
        return self.free is not None and self.given > self.free


def reports_given(
    connection: Connection, vault: MemberVault, subject_id: str, profile: Profile, now_us: int
) -> ReportsGiven:
    """Count the reports on record that a member was given in the year before a moment."""
    return ReportsGiven(_given(connection, vault, subject_id, now_us), profile.free_reports_a_year)


@dataclass(frozen=True, slots=True)
class FreeReportCount:
    """The same count as a member's report shows it, against how many a year are free.

    Parameters
    ----------
    vault : MemberVault
    a_year : int or None
        None: every reasonable request is free.
    """

    vault: MemberVault
    a_year: int | None

    def __call__(self, connection: Connection, subject_id: str, now_us: int) -> FreeReports:
        """Reports the member asked for themselves in the year before a moment."""
        return FreeReports(_given(connection, self.vault, subject_id, now_us), self.a_year)


def _given(connection: Connection, vault: MemberVault, subject_id: str, now_us: int) -> int:
    key = vault.keys_of(connection, [subject_id], create=False, now_us=now_us).get(subject_id)
    if key is None:
        return 0
    asked = select(func.count()).where(
        _R.subject_hmac == key.audit_subject(), _R.type == "report_given", _R.actor_role == "member",
        _R.time_us > _a_year_before(now_us), _R.time_us <= now_us,
    )  # fmt: skip
    return int(connection.execute(asked).scalar_one())


def _a_year_before(now_us: int) -> int:
    now = from_microseconds(now_us)
    leap_day = now.month == 2 and now.day == 29
    return to_microseconds(now.replace(year=now.year - 1, day=28 if leap_day else now.day), "A year")
