"""How consents in another system's history came about, as far as the history says: only an adult's own act is taken."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benne.errors import ConsentRecordError
from benne.scoring.consent.record import ADULT
from benne.scoring.consent.vocabulary import CAPTURE_METHODS, REFUSED_CAPTURES, CaptureMethod

__all__ = ["method_of"]


def method_of(given: pd.DataFrame) -> CaptureMethod | None:
    """The one act that all of these consents were given by; None where the history does not say.

    Parameters
    ----------
    given : DataFrame
        The rows of a history in which something was given. Looked at, where they are there: ``capture_method``,
        columns named for what is no act of a member (:data:`~benne.scoring.consent.vocabulary.REFUSED_CAPTURES`),
        ``minor`` and ``age_years``.

    Raises
    ------
    ConsentRecordError
        If a consent was no act of the member, acts of several kinds are mixed, or a member is a minor.

    Examples
    --------
    >>> method_of(pd.DataFrame({"capture_method": ["checkbox_ticked", "checkbox_ticked"]}))
    'checkbox_ticked'
    >>> method_of(pd.DataFrame({"pre_ticked": [False, True]}))
    Traceback (most recent call last):
    ...
    benne.errors.ConsentRecordError: A consent in a history must be an act of the member, got pre_ticked. ...
    """
    for name in sorted(REFUSED_CAPTURES & set(given.columns)):
        if _any(given[name]):
            raise _no_act(name)
    if ("minor" in given.columns and _any(given["minor"])) or _too_young(given):
        raise ConsentRecordError("A consent in a history must be an adult's, got a minor's. Leave those members out.")
    if "capture_method" not in given.columns:
        return None
    found = given["capture_method"].unique().tolist()
    for method in found:
        if method not in CAPTURE_METHODS:
            raise _no_act(method if method in REFUSED_CAPTURES else "something else")
    if len(found) > 1:
        raise ConsentRecordError(
            "A history must hold consents given by one kind of act, got several. Import those of each by themselves."
        )
    return next((method for method in found), None)


def _no_act(got: str) -> ConsentRecordError:
    return ConsentRecordError(
        f"A consent in a history must be an act of the member, got {got}. "
        "It is none: leave those rows out, and ask the members."
    )


def _any(marks: pd.Series[Any]) -> bool:
    """Whether a mark is set anywhere; anything but a plain no counts as set, an empty cell as not set."""
    return any(str(mark).strip().lower() not in ("false", "0", "0.0", "no", "") for mark in marks.dropna())


def _too_young(given: pd.DataFrame) -> bool:
    return "age_years" in given.columns and not bool(
        (pd.to_numeric(given["age_years"], errors="coerce") >= ADULT).all()
    )
