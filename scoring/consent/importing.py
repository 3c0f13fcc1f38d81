"""Taking over the history of consents that another system has kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from benne.errors import ConsentRecordError
from benne.features.categories import CATEGORIES
from benne.features.events.keys import SubjectKey
from benne.features.frames import key_member_ids
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.provenance import method_of
from benne.scoring.consent.record import Capture, validate_subject_id
from benne.scoring.consent.taking_over import Act, Imported
from benne.scoring.consent.terms_file import TermsFile

__all__ = ["import_history"]

_COLUMNS = ("purpose", "recipient", "category", "event", "time")


def import_history(
    ledger: ConsentLedger,
    history: pd.DataFrame,
    terms: Sequence[TermsFile],
    capture: Capture,
    *,
    key: SubjectKey | None = None,
) -> tuple[Imported, ...]:
    """Record every act of a history under the terms it was done under: all of them, or none.

    Parameters
    ----------
    ledger : ConsentLedger
    history : DataFrame
        One row per act: ``subject_id`` (or ``member_id`` and a key), ``purpose``, ``recipient``,
        ``category``, ``event`` (``given`` or ``withdrawn``) and ``time`` (timezone-aware). Rows
        of other purposes and recipients are left alone. It may be the whole history or only what
        is new: a withdrawal ends what stands in the ledger, and what is there already adds nothing.
        Where it says more about how consent came about, that is held to: see Notes.
    terms : sequence of TermsFile
        What the members were shown, once for each purpose and recipient to take over.
    capture : Capture
        What they did.
    key : SubjectKey, optional

    Returns
    -------
    tuple of Imported
        What was added under each of the terms.

    Raises
    ------
    ConsentRecordError
        If a column is missing, an event or category unknown, a time null, naive or to come, no
        row is left for one of the terms, or consent was not an adult's own act.

    Notes
    -----
    ``capture_method`` must be one act of members' for all that was given, and is what is recorded. A
    column named for what is no act, such as ``pre_ticked`` or ``implied``, must hold for no row that
    was given, nor ``minor``; ``age_years`` must be 18 or more.
    """
    missing = [name for name in _COLUMNS if name not in history.columns]
    if missing:
        raise ConsentRecordError(f"A consent history must have {', '.join(_COLUMNS)}; add {', '.join(missing)}.")
    if not history["event"].map(lambda event: event in ("given", "withdrawn")).all():
        raise ConsentRecordError("Events of a consent history must be given or withdrawn, got another. Map them first.")
    chosen = [(one, _under(one, history)) for one in terms]
    given = [rows[rows["event"] == "given"] for _, rows in chosen]
    method = method_of(pd.concat(given)) if given else None
    done = capture if method is None else replace(capture, method=method)
    return ledger.import_acts([(one, _acts(rows, key)) for one, rows in chosen], done)


def _under(terms: TermsFile, history: pd.DataFrame) -> pd.DataFrame:
    asked = terms.terms
    chosen = history[(history["purpose"] == asked.purpose) & (history["recipient"] == asked.recipient)]
    if chosen.empty:
        raise ConsentRecordError(
            f"A consent history must hold acts for {asked.purpose} and {asked.recipient}, got none. Check the terms."
        )
    return chosen


def _acts(rows: pd.DataFrame, key: SubjectKey | None) -> list[Act]:
    rows = key_member_ids(rows, key) if "member_id" in rows.columns else rows
    if "subject_id" not in rows.columns:
        raise ConsentRecordError("A consent history must have subject_id, or member_id and a key, got neither. Add it.")
    for subject_id in set(rows["subject_id"].map(_text)):
        validate_subject_id(subject_id)
    if not rows["category"].map(lambda category: category in CATEGORIES).all():
        raise ConsentRecordError(f"Categories of a history must be among {', '.join(CATEGORIES)}, got another.")
    withdraws = (rows["event"] == "withdrawn").tolist()
    columns = (rows["subject_id"].tolist(), rows["category"].tolist(), _moments(rows["time"]), withdraws)
    return [Act(*row) for row in zip(*columns, strict=True)]


def _text(subject_id: object) -> str:
    """Anything but a text is no subject id; an empty text is none either."""
    return subject_id if isinstance(subject_id, str) else ""


def _moments(times: pd.Series[Any]) -> list[int]:
    """Microseconds since 1970."""
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise ConsentRecordError(f"time must be timezone-aware timestamps, got {times.dtype}. Localize to UTC.")
    if times.isna().any():
        raise ConsentRecordError("time must never be null in a consent history, got null. Drop those rows.")
    moments: list[int] = times.dt.tz_convert("UTC").dt.as_unit("us").astype("int64").tolist()
    return moments
