"""What goes wrong, as a page in the reader's language that says what to do; never what an error itself said."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, TypeVar

from starlette.responses import HTMLResponse

from benne import errors
from benne.scoring.api.problems import problem_of
from benne.scoring.console.forms import FormRefused
from benne.scoring.console.visit import PageMissing, Visit

__all__ = ["failure_page", "told_in_the_form", "trouble_page"]

T = TypeVar("T")
_log = logging.getLogger("benne.console")

_SERVERS_OWN: Final = 500
_TOLD_IN_THE_FORM: Final[dict[type[Exception], str]] = {
    errors.StateChanged: "console.refused.changed_meanwhile",
    errors.ReviewerNotIndependent: "console.refused.not_independent",
    errors.DeadlineNotExtendable: "console.refused.not_extendable",
    errors.DeadlinePassed: "console.refused.deadline_passed",
    errors.RightsError: "console.refused.not_possible",
    errors.EventSchemaError: "console.refused.rows",
    errors.EventValueError: "console.refused.rows",
    errors.DecisionUnknown: "console.refused.no_such_decision",
    errors.Erased: "console.refused.erased",
    errors.WhatIfNotPossible: "console.refused.what_if",
    errors.ChangeNotSplit: "console.refused.not_split",
}
"""Errors that leave a form standing, with its text in it; the nearest listed parent of an error counts."""
_PAGES: Final[dict[type[Exception], tuple[str, int]]] = {
    PageMissing: ("not-found", 404),
    errors.CaseUnknown: ("not-found", 404),
    errors.ModelDirectoryError: ("model-retired", 503),
    errors.StateChanged: ("changed-meanwhile", 409),
    errors.RightsError: ("general", 409),
    errors.Erased: ("erased", 410),
    errors.VaultError: ("damaged", 503),
    errors.ConsentRequired: ("consent-required", 403),
    errors.EngineUnavailable: ("engine", 503),
}
"""Errors with a page of their own; every other is told by the problem it is."""


def told_in_the_form(error: Exception) -> FormRefused | None:
    """What to show beside a form of which this came; None where the form cannot go on."""
    if isinstance(error, errors.CaseUnknown):
        return None
    key = _nearest(_TOLD_IN_THE_FORM, error)
    return None if key is None else FormRefused(key)


def _nearest(table: Mapping[type[Exception], T], error: Exception) -> T | None:
    return next((table[parent] for parent in type(error).__mro__ if parent in table), None)


def failure_page(visit: Visit, error: Exception) -> HTMLResponse:
    """The page of an error; what was typed stands on it, so that nothing is lost."""
    page = _nearest(_PAGES, error)
    if page is not None:
        return trouble_page(visit, *page)
    kind = problem_of(error).kind
    if kind.status >= _SERVERS_OWN:
        _log.error("%s: %s", kind.slug, type(error).__name__)  # its text may quote what was sent
    return trouble_page(visit, kind.slug, kind.status)


def trouble_page(visit: Visit, slug: str, status: int) -> HTMLResponse:
    """What is wrong and what to do about it, by slug; of a slug without words of its own, in general."""
    known = slug if visit.texts.has(f"console.trouble.{slug}.title") else "general"
    typed = [(name, value) for name, value in visit.form.typed() if len(value) > 1]
    if visit.by_htmx:
        return visit.show("fragment", status, trouble=known)
    return visit.show("trouble", status, trouble=known, typed=typed)
