"""Taking over the history of consents that another system has kept."""

from __future__ import annotations

import pandas as pd

from benne.errors import ConsentRecordError
from benne.features.events.keys import SubjectKey
from benne.features.frames import key_member_ids
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.record import Capture
from benne.scoring.consent.terms_file import TermsFile

__all__ = ["import_history"]

_COLUMNS = ("purpose", "recipient", "category", "event", "time")
_WHO = ["subject_id", "category"]


def import_history(
    ledger: ConsentLedger,
    history: pd.DataFrame,
    terms: TermsFile,
    capture: Capture,
    *,
    key: SubjectKey | None = None,
) -> int:
    """Record every consent of a history that was given under these terms.

    Parameters
    ----------
    ledger : ConsentLedger
    history : DataFrame
        One row per act: ``subject_id`` (or ``member_id`` and a key), ``purpose``, ``recipient``,
        ``category``, ``event`` (``given`` or ``withdrawn``) and ``time`` (timezone-aware). Rows
        of other purposes and recipients are left alone.
    terms : TermsFile
        What the members were shown.
    capture : Capture
        What they did.
    key : SubjectKey, optional

    Returns
    -------
    int
        Records written.

    Raises
    ------
    ConsentRecordError
        If a column is missing, an event unknown, a time naive or to come, or no row is left.
    """
    missing = [name for name in _COLUMNS if name not in history.columns]
    if missing:
        raise ConsentRecordError(f"A consent history must have {', '.join(_COLUMNS)}; add {', '.join(missing)}.")
    if not set(history["event"]) <= {"given", "withdrawn"}:
        raise ConsentRecordError("Events of a consent history must be given or withdrawn, got another. Map them first.")
    asked = terms.terms
    chosen = history[(history["purpose"] == asked.purpose) & (history["recipient"] == asked.recipient)]
    if chosen.empty:
        raise ConsentRecordError(
            f"A consent history must hold acts for {asked.purpose} and {asked.recipient}, got none. Check the terms."
        )
    chosen = key_member_ids(chosen, key) if "member_id" in chosen.columns else chosen
    ledger.register_notice(terms.notice)
    return ledger.import_periods(_periods(chosen), asked, capture)


def _periods(acts: pd.DataFrame) -> pd.DataFrame:
    """A period lasts from its giving to the next act on the same category."""
    ordered = acts.sort_values([*_WHO, "time"], kind="stable")
    until = ordered.groupby(_WHO, sort=False)["time"].shift(-1)
    periods = ordered.assign(granted_until=until).rename(columns={"time": "granted_from"})
    given = periods[periods["event"] == "given"]
    return given[[*_WHO, "granted_from", "granted_until"]].reset_index(drop=True)
