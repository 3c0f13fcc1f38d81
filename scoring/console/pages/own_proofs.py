"""Signed statements about one's own score, to show to somebody Benne never met."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, cast, get_args

from starlette.responses import Response

from benne.errors import ProofError
from benne.models import SCORE_MAX, SCORE_MIN
from benne.scoring.console.forms import Form, FormRefused
from benne.scoring.console.pages.own import refusal_in_words
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import Visit
from benne.scoring.decisions.request import Refusal
from benne.scoring.proof.statement import ProofAsked, StatementKind

__all__ = ["PAGES"]

_KINDS: Final = get_args(StatementKind)
_WITH_A_MARK: Final = ("at_least", "below")
_MINUTES: Final = 15


def show(visit: Visit) -> Response:
    """What may be stated, and to whom."""
    return visit.show("proofs", kinds=_KINDS, proof=None, minutes=_MINUTES)


def issue(visit: Visit) -> Response:
    """Sign a statement; nothing else is in it."""
    asked = _asked(visit.form)
    try:
        proof = visit.service.proving.prove(visit.own, asked, visit.doing)
    except ProofError:
        raise FormRefused("member.refused.not_so") from None
    if isinstance(proof, Refusal):
        raise FormRefused(refusal_in_words(visit, proof))
    return visit.show("proofs", kinds=_KINDS, proof=proof, minutes=_MINUTES)


def _asked(form: Form) -> ProofAsked:
    kind = cast(StatementKind, form.one_of("kind", _KINDS))
    audience, nonce = form.text("audience", longest=200), form.text("nonce", longest=128)
    try:
        return ProofAsked(
            kind=kind, mark=_mark(form) if kind in _WITH_A_MARK else None, audience=audience, nonce=nonce,
            purpose=None, lifetime=timedelta(minutes=_MINUTES),
        )  # fmt: skip
    except (ProofError, ValueError):
        raise FormRefused("member.refused.proof", "nonce") from None


def _mark(form: Form) -> int:
    text = form.get("mark")
    if not (text.isascii() and text.isdigit()) or not SCORE_MIN <= int(text[:4]) <= SCORE_MAX:
        raise FormRefused("member.refused.mark", "mark", low=f"{SCORE_MIN:.0f}", high=f"{SCORE_MAX:.0f}")
    return int(text)


PAGES = (
    Page("GET", "/me/proofs", show, entry="member.navigation.proofs"),
    Page("POST", "/me/proofs", issue, again=show),
)
