"""Reasons and key factors in words."""

from __future__ import annotations

from benne.explain.reason_lines import KeyFactor, Method, Reason, Reasons
from benne.explain.texts import Texts

__all__ = ["effect_in_words", "method_in_words", "reason_in_words"]


def reason_in_words(reason: Reason | KeyFactor, texts: Texts) -> str:
    """What is behind a reason: the registry's words for it, or, where the feature has no value, what that says.

    Parameters
    ----------
    reason : Reason or KeyFactor
    texts : Texts

    Examples
    --------
    >>> from benne.explain.texts import texts_of
    >>> reason_in_words(Reason("ways-of-paying", "cash_share_180d", 1, 9.0, 4.0, known=False), texts_of("en"))
    'Share of cash among movements of 180 days: no payments in the window'
    >>> reason_in_words(Reason("my_own", "my_own", 1, 9.0, 4.0), texts_of("en"))
    'my_own'
    """
    label = texts.label(reason.feature)
    if not reason.known:
        return texts.say("reasons.nothing_known", label=label, means=texts.null_means(reason.feature))
    return texts.reason(reason.feature, favourable=False) or label


def effect_in_words(reason: Reason | KeyFactor, texts: Texts) -> str:
    """How much higher the score would be without it, in whole points."""
    whole = round(reason.effect)
    points = texts.say("reasons.points.one") if whole == 1 else texts.say("reasons.points.many", points=whole)
    return texts.say("reasons.effect", points=points)


def method_in_words(reasons: Reasons, texts: Texts) -> str:
    """With whom the member was compared."""
    return _against(reasons.method, reasons.reference_members, texts)


def _against(method: Method, members: int, texts: Texts) -> str:
    count = f"{members:,}"
    if method.mark is None:
        return texts.say("reasons.method.everybody", members=count)
    return texts.say("reasons.method.just_above", members=count, mark=f"{method.mark:.0f}")
