"""What differs from one jurisdiction to the next: deadlines and defaults, as data in one table.

Engineering defaults drawn from rules, not legal advice. A profile moves deadlines and defaults and can never
weaken what Benne holds to everywhere: consent before anything is computed, an adult's own act, withdrawal at
once, review by a person, adverse items gone after five years. There is no field that could.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final

from benne.errors import ConsentRecordError
from benne.features.categories import SOCIAL
from benne.scoring.consent.vocabulary import JURISDICTIONS, Jurisdiction, PurposeClass

__all__ = ["PROFILES", "Limit", "Profile", "barred_categories", "profile_of"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How long something may take, in days and calendar months.

    Parameters
    ----------
    days, months : int
        Both count from the same moment; months first.

    Examples
    --------
    A month from the 31st ends with the next month (Regulation 1182/71, Art. 3(2)(c)):

    >>> from datetime import UTC, datetime
    >>> Limit(months=1).after(datetime(2026, 1, 31, 12, tzinfo=UTC))
    datetime.datetime(2026, 2, 28, 12, 0, tzinfo=datetime.timezone.utc)
    >>> Limit(days=20).after(datetime(2026, 1, 31, 12))
    Traceback (most recent call last):
    ...
    benne.errors.ConsentRecordError: A deadline must begin at a timezone-aware moment, got a naive one. ...
    """

    days: int = 0
    months: int = 0

    def after(self, moment: datetime) -> datetime:
        """When it is over, counted from ``moment``.

        Raises
        ------
        ConsentRecordError
            If the moment carries no time zone.
        """
        if moment.tzinfo is None:
            raise ConsentRecordError(
                "A deadline must begin at a timezone-aware moment, got a naive one. Attach a zone."
            )
        years, month = divmod(moment.month - 1 + self.months, 12)
        last = calendar.monthrange(moment.year + years, month + 1)[1]
        moved = moment.replace(year=moment.year + years, month=month + 1, day=min(moment.day, last))
        return moved + timedelta(days=self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The defaults and deadlines of one jurisdiction.

    Attributes
    ----------
    code : str
    longest_validity : timedelta
        A consent must be asked for anew at the latest after this.
    minimum_age : int
        Years; members below are not scored.
    free_reports_a_year : int or None
        None: every reasonable request is free.
    dispute, dispute_extension : Limit
        To answer a dispute in writing, and how much longer where more is looked into; no extension is ``Limit()``.
    adverse_action, adverse_action_after_counter_offer : Limit
        To tell a member of a refusal, and where an offer other than the one asked for was not accepted.
    reasons_asked_within, reasons_answered : Limit
        How long a member may ask for the reasons, and how long answering may take.
    rights, rights_extension : Limit
        To answer access, correction and erasure, and how much longer with notice.
    decisions_kept, logs_kept : Limit
        How long decisions and logs must be kept at least.
    adverse_items : Limit
        From the end of the conduct until an adverse item is gone.
    correction_live : Limit
        From an obligation met, or a correction, until scores have it.
    barred : mapping of str to frozenset of str
        Categories that are never read, by class of the purpose.
    """

    code: Jurisdiction
    longest_validity: timedelta
    minimum_age: int
    free_reports_a_year: int | None
    dispute: Limit
    dispute_extension: Limit
    adverse_action: Limit
    adverse_action_after_counter_offer: Limit
    reasons_asked_within: Limit
    reasons_answered: Limit
    rights: Limit
    rights_extension: Limit
    decisions_kept: Limit
    logs_kept: Limit
    adverse_items: Limit
    correction_live: Limit
    barred: Mapping[PurposeClass, frozenset[str]]


_NOTHING_BARRED: Final[Mapping[PurposeClass, frozenset[str]]] = MappingProxyType({})

# Where no rule of a place was found, its column holds the default's; the default's is the shortest of the others
# for what Benne owes, and the longest for what members may take. How long a consent may last is no rule of any place
# but must have an end; where a deployment says no place, simulated histories of many years are kept as well.
_DEFAULT: Final = Profile(
    code="default",
    longest_validity=timedelta(days=20 * 365),
    minimum_age=18,
    free_reports_a_year=2,
    dispute=Limit(days=20),
    dispute_extension=Limit(),
    adverse_action=Limit(days=30),
    adverse_action_after_counter_offer=Limit(days=30),
    reasons_asked_within=Limit(days=60),
    reasons_answered=Limit(days=30),
    rights=Limit(months=1),
    rights_extension=Limit(),
    decisions_kept=Limit(months=25),
    logs_kept=Limit(months=6),
    adverse_items=Limit(months=60),
    correction_live=Limit(days=3),
    barred=_NOTHING_BARRED,
)

PROFILES: Final[Mapping[Jurisdiction, Profile]] = MappingProxyType(
    {
        "default": _DEFAULT,
        "cn": replace(
            _DEFAULT,
            code="cn",
            longest_validity=timedelta(days=2 * 365),
            dispute=Limit(days=20),  # Credit Reporting Regulation 2013, Art. 25
            free_reports_a_year=2,  # Art. 17
            adverse_items=Limit(months=60),  # Art. 16
        ),
        "eu": replace(
            _DEFAULT,
            code="eu",
            longest_validity=timedelta(days=365),
            free_reports_a_year=None,  # GDPR 12(5)
            dispute=Limit(months=1),  # GDPR 12(3), 16
            dispute_extension=Limit(months=2),
            adverse_action=Limit(days=1),  # "without undue delay" (CCD 2023/2225, Art. 19(6)); a day is our reading
            adverse_action_after_counter_offer=Limit(days=1),
            rights=Limit(months=1),  # GDPR 12(3)
            rights_extension=Limit(months=2),
            logs_kept=Limit(months=6),  # AI Act 26(6)
            barred=MappingProxyType({"credit": frozenset({SOCIAL})}),  # CCD 2023/2225, Art. 18(3)
        ),
        "us": replace(
            _DEFAULT,
            code="us",
            longest_validity=timedelta(days=2 * 365),
            free_reports_a_year=1,  # FCRA 612(a)
            dispute=Limit(days=30),  # FCRA 611(a)(1)
            dispute_extension=Limit(days=15),
            adverse_action=Limit(days=30),  # Reg B 1002.9(a)(1)
            adverse_action_after_counter_offer=Limit(days=90),
            reasons_asked_within=Limit(days=60),  # Reg B 1002.9(a)(2)
            reasons_answered=Limit(days=30),
            decisions_kept=Limit(months=25),  # Reg B 1002.12(b)
            # FCRA 605 would let adverse items stay for seven years; Benne keeps five everywhere.
        ),
    }
)
"""Every jurisdiction and its profile."""


def profile_of(jurisdiction: Jurisdiction) -> Profile:
    """The profile of a jurisdiction.

    Raises
    ------
    ConsentRecordError
        If there is none.

    Examples
    --------
    >>> profile_of("cn").dispute
    Limit(days=20, months=0)
    >>> profile_of("moon")
    Traceback (most recent call last):
    ...
    benne.errors.ConsentRecordError: A jurisdiction must be one of cn, eu, us, default, got another. ...
    """
    if jurisdiction not in PROFILES:
        raise ConsentRecordError(
            f"A jurisdiction must be one of {', '.join(JURISDICTIONS)}, got another. Take default where none fits."
        )
    return PROFILES[jurisdiction]


@cache
def barred_categories(jurisdictions: frozenset[Jurisdiction], purpose_class: PurposeClass) -> frozenset[str]:
    """Categories never read for a class of purposes where any of these jurisdictions applies.

    Examples
    --------
    >>> barred_categories(frozenset({"us", "eu"}), "credit"), barred_categories(frozenset({"us"}), "credit")
    (frozenset({'social'}), frozenset())
    """
    return frozenset().union(*(profile_of(each).barred.get(purpose_class, frozenset()) for each in jurisdictions))
