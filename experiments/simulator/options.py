"""What a simulated world looks like, in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from benne.errors import SimulationError

__all__ = ["RECIPIENT", "SCORING_PURPOSE", "TRAINING_PURPOSE", "SimulatorOptions"]

SCORING_PURPOSE: Final = "lending"
TRAINING_PURPOSE: Final = "model_training"
RECIPIENT: Final = "platform"

_SHARES = ("unbanked_share", "quiet_share", "late_share", "correction_share", "minor_share", "score_feedback")


@dataclass(frozen=True)
class SimulatorOptions:
    """A simulated platform: its calendar, its people, its records.

    Parameters
    ----------
    as_of : tuple of datetime
        Moments of observation, timezone-aware, in increasing order.
    history_months : int
        Months of events before the last ``as_of``; at least 6.
    tail_months : int
        Months of events after it, so that a feature which looks ahead finds something there.
    extracted_at : datetime or None
        When the tables were taken out of the platform, after the last ``as_of`` and within these months: nothing known
        later is in them. By default where the months end.
    horizon_days : int
        Length of the outcome window.
    community_size : int
        Members are made community by community, and friendships stay within one: the unit of
        work and of memory.
    base_log_odds : float
        Log odds of bad of a member with average ability and willingness.
    unbanked_share, quiet_share : float
        Thin files: members without bank account, loan or card; members who hardly do anything.
    late_share : float
        Share of records that reach the platform days or weeks after the event.
    correction_share : float
        Share of money records that a later row supersedes.
    minor_share : float
        Share of members not attested to be adults.
    consent_depends_on_risk : bool
        Whether riskier members withhold more.
    score_feedback : float
        Share of observations about which an earlier score decided, so that their labels are of its making: whom it
        granted credit turns bad more often, whom it refused has no outcome.
    currency : str
        ISO 4217 code of every amount.

    Raises
    ------
    SimulationError
        If a value is out of its range.

    Examples
    --------
    >>> SimulatorOptions(consent_depends_on_risk=False).history_months
    30
    """

    as_of: tuple[datetime, ...] = (datetime(2025, 7, 1, tzinfo=UTC),)
    history_months: int = 30
    tail_months: int = 2
    extracted_at: datetime | None = None
    horizon_days: int = 365
    community_size: int = 5_000
    base_log_odds: float = -3.15
    unbanked_share: float = 0.08
    quiet_share: float = 0.10
    late_share: float = 0.04
    correction_share: float = 0.003
    minor_share: float = 0.0
    consent_depends_on_risk: bool = True
    score_feedback: float = 0.0
    currency: str = "EUR"

    def __post_init__(self) -> None:
        _check_calendar(self)
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise SimulationError(f"{name} must be between 0 and 1, got {getattr(self, name)}. Pass a share.")
        if self.community_size < 10:
            raise SimulationError(f"community_size must be at least 10, got {self.community_size}. Enlarge it.")


def _check_calendar(options: SimulatorOptions) -> None:
    moments = options.as_of
    if not moments or any(moment.tzinfo is None for moment in moments):
        raise SimulationError("as_of must hold at least one timezone-aware datetime. Add tzinfo=UTC.")
    if options.extracted_at is not None and options.extracted_at.tzinfo is None:
        raise SimulationError("extracted_at must be a timezone-aware datetime. Add tzinfo=UTC.")
    if any(later <= earlier for earlier, later in pairwise(moments)):
        raise SimulationError("as_of must be in increasing order without repeats. Sort the moments.")
    for name, least, most in (("history_months", 6, 120), ("tail_months", 1, 24), ("horizon_days", 1, 3660)):
        if not least <= getattr(options, name) <= most:
            raise SimulationError(f"{name} must be from {least} to {most}, got {getattr(options, name)}. Change it.")
    if (moments[-1] - moments[0]).days > 30 * (options.history_months - 6):
        raise SimulationError(
            f"as_of must leave six of the {options.history_months} months of history before the first "
            "moment. Raise history_months."
        )
