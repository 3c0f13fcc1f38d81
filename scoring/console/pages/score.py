"""A score as pages show it: the explanation of a decision, or what is in the way of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import select

from benne.errors import DecisionUnknown, ModelDirectoryError, VaultError
from benne.explain import MemberExplanation
from benne.explain.charts import category_bars, gauge
from benne.explain.lines import FeatureLine
from benne.explain.reason_words import effect_in_words, method_in_words, reason_in_words
from benne.explain.reasons import Reasons
from benne.explain.texts import Texts
from benne.explain.wording import (
    chance_in_words,
    interval_in_words,
    pattern_in_words,
    place_in_words,
    rare_in_words,
    thin_file_in_words,
)
from benne.scoring.console.visit import Visit
from benne.scoring.store.member_tables import member_payloads
from benne.scoring.store.schema import decisions

__all__ = ["ReasonShown", "ScoreShown", "in_pictures", "score_shown"]

_STRENGTHS: Final = 3


@dataclass(frozen=True, slots=True)
class ReasonShown:
    """A reason in words, what the score would be without it, and what can be done about it."""

    text: str
    effect: str
    action: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreShown:
    """A decision with its explanation in words and pictures, or why there is none.

    Attributes
    ----------
    decision_id : str
    recipient, purpose : str
        Who asked for it and for what.
    explanation : MemberExplanation or None
    trouble : str
        ``none_yet``, ``damaged`` or ``model_retired``; empty where there is an explanation.
    gauge, bars : str
        SVG.
    chance, interval, place, thin, rare, pattern : str or None
    reasons : sequence of ReasonShown
    method : str
        With whom the member was compared.
    strengths : sequence of FeatureLine
        What gave most.
    has_reach : bool
        Whether it is known what others have.
    """

    decision_id: str = ""
    recipient: str = ""
    purpose: str = ""
    explanation: MemberExplanation | None = None
    trouble: str = ""
    gauge: str = ""
    bars: str = ""
    chance: str = ""
    interval: str = ""
    place: str | None = None
    thin: str | None = None
    rare: str | None = None
    pattern: str = ""
    reasons: Sequence[ReasonShown] = ()
    method: str = ""
    strengths: Sequence[FeatureLine] = field(default=())
    has_reach: bool = False


def score_shown(visit: Visit, decision_id: str | None = None) -> ScoreShown:
    """The explanation of a decision about the page's member, by default the newest; in the page's language."""
    try:
        found, explanation = visit.service.explanations.explain(visit.subject_id, visit.doing, decision_id)
    except ModelDirectoryError:
        return ScoreShown(trouble="model_retired")
    except (DecisionUnknown, VaultError) as error:
        if decision_id is not None and isinstance(error, DecisionUnknown):
            raise
        return ScoreShown(trouble="damaged" if _is_any_kept(visit) else "none_yet")
    shown = in_pictures(found, explanation.in_language(visit.texts.language), visit.texts)
    recipient, purpose = _asked(visit, found)
    return replace(shown, recipient=recipient, purpose=purpose)


def _asked(visit: Visit, decision_id: str) -> tuple[str, str]:
    """By whom a score was asked for, and for what."""
    columns = decisions.c
    query = select(columns.recipient, columns.purpose).where(columns.decision_id == decision_id)
    with visit.service.store.read() as connection:
        found = connection.execute(query).one_or_none()
    return ("", "") if found is None else (found.recipient or "", found.purpose or "")


def in_pictures(decision_id: str, said: MemberExplanation, texts: Texts) -> ScoreShown:
    """An explanation with its pictures and sentences."""
    return ScoreShown(
        decision_id=decision_id,
        explanation=said,
        gauge=gauge(said.score, texts, said.about.bands),
        bars=category_bars(said.categories, texts),
        chance=chance_in_words(said, texts),
        interval=interval_in_words(said, texts),
        place=place_in_words(said, texts),
        thin=thin_file_in_words(said, texts),
        rare=rare_in_words(said, texts),
        pattern=pattern_in_words(said, texts),
        reasons=_reasons(said, texts),
        method=_method(said, texts),
        strengths=[line for line in said.features() if line.shown > 0][:_STRENGTHS],
        has_reach=any(category.reach for category in said.categories),
    )


def _reasons(said: MemberExplanation, texts: Texts) -> list[ReasonShown]:
    given = said.about.reasons
    return [] if given is None else [
        ReasonShown(reason_in_words(one, texts), effect_in_words(one, texts), texts.action(one.feature))
        for one in given.reasons
    ]  # fmt: skip


def _method(said: MemberExplanation, texts: Texts) -> str:
    given = said.about.reasons
    return method_in_words(given, texts) if isinstance(given, Reasons) else ""


def _is_any_kept(visit: Visit) -> bool:
    columns = member_payloads.c
    query = select(columns.seq).where(columns.subject_id == visit.subject_id, columns.kind == "decision").limit(1)
    with visit.service.store.read() as connection:
        return connection.execute(query).one_or_none() is not None
