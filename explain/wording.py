"""Sentences about one score, in the language asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from benne.explain.lines import FeatureLine
from benne.explain.texts import Texts

if TYPE_CHECKING:
    from benne.explain.explanation import MemberExplanation

__all__ = [
    "band_in_words",
    "chance_in_words",
    "feature_in_words",
    "interval_in_words",
    "listed",
    "pattern_in_words",
    "place_in_words",
    "rare_in_words",
    "thin_file_in_words",
]


def feature_in_words(name: str, value: Any, points: tuple[float, int], unit: str | None, texts: Texts) -> FeatureLine:
    """A feature's line.

    Parameters
    ----------
    name : str
    value : float, int or None
    points : (float, int)
        Exact, and as shown.
    unit : str or None
        None where the feature is not registered; it is then named as it is.
    texts : Texts
    """
    known = value is not None and not math.isnan(float(value))
    number = float(value) if known else None
    exact, shown = points
    if unit is None:
        return FeatureLine(name, name, "", number, exact, shown, name, "")
    # Points compare a member with the others, so a reason need not be literally true of a value.
    reason = texts.reason(name, favourable=exact >= 0) if known else ""
    label = texts.label(name)
    sentence = texts.say("explanation.feature", label=label, value=texts.value(name, number))
    return FeatureLine(name, label, unit, number, exact, shown, sentence, reason)


def band_in_words(name: str, texts: Texts) -> str:
    """A band within a sentence; of a scheme that the catalogue does not know, as it is."""
    key = f"explanation.band.{name.replace(' ', '_')}"
    return texts.say(key) if texts.has(key) else name


def chance_in_words(said: MemberExplanation, texts: Texts) -> str:
    """How likely it is that agreements are honoured, as a number of members out of a hundred or a thousand."""
    of = 100 if said.pd >= 0.01 else 1_000
    return texts.say("explanation.chance_in_words", honour=of - round(of * said.pd), of=f"{of:,}")


def interval_in_words(said: MemberExplanation, texts: Texts) -> str:
    """How sure that is."""
    low, high = (_percent(part) for part in (said.pd_low, said.pd_high))
    return texts.say("explanation.interval_in_words", low=low, high=high)


def place_in_words(said: MemberExplanation, texts: Texts) -> str | None:
    """Where the score stands among others; None where those are too few to tell."""
    if said.percentile is None:
        return None
    return texts.say("explanation.place_in_words", percentile=f"{said.percentile:.0f}")


def rare_in_words(said: MemberExplanation, texts: Texts) -> str | None:
    """That there was little like the file to learn from, where that is so."""
    return texts.say("explanation.rare_in_words") if said.rare else None


def thin_file_in_words(said: MemberExplanation, texts: Texts) -> str | None:
    """That little is known; None where enough is."""
    return texts.say("explanation.thin_in_words") if said.thin_file else None


def pattern_in_words(said: MemberExplanation, texts: Texts) -> str:
    """Which categories were used with consent, and which were withheld and counted neither way."""
    used = listed((texts.category(name) for name in said.used), texts)
    withheld = listed((texts.category(name) for name in said.withheld), texts)
    if not said.withheld:
        return texts.say("explanation.pattern_all", used=used)
    return texts.say("explanation.pattern", used=used, withheld=withheld)


def listed(names: Iterable[str], texts: Texts) -> str:
    """Names one after the other, as the language joins them."""
    return texts.say("explanation.list_comma").join(names)


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f}" if share >= 0.001 else f"{100.0 * share:.2f}"
