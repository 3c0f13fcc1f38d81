"""An explanation as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benne.explain.lines import CategoryLine
from benne.explain.reason_words import effect_in_words, method_in_words, reason_in_words
from benne.explain.texts import Texts
from benne.explain.wording import band_in_words, listed, pattern_in_words
from benne.models.scale import SCORE_MAX, SCORE_MIN

if TYPE_CHECKING:
    from benne.explain.explanation import MemberExplanation

__all__ = ["text_lines"]


def text_lines(said: MemberExplanation, features: int) -> Iterator[str]:
    """Head, points that add up, how sure they are, and why they are not more.

    Parameters
    ----------
    said : MemberExplanation
    features : int
        How many features to name in each category.
    """
    texts = said.texts
    yield texts.say(
        "explanation.head", score=said.shown, lowest=f"{SCORE_MIN:.0f}", highest=f"{SCORE_MAX:.0f}",
        band=band_in_words(said.band, texts),
    )  # fmt: skip
    yield f"  {said.base_shown:>6d}  {texts.say('explanation.base')}"
    for category in said.categories:
        yield from _category(category, features, texts)
    if said.clipped_shown:
        yield f"  {said.clipped_shown:>+6d}  {texts.say('explanation.clipped')}"
    yield f"  {said.shown:>6d}  {texts.say('common.score')}"
    yield from _outlook(said, texts)
    yield from _reasons(said, texts)
    yield from _circumstances(said, texts)


def _category(category: CategoryLine, features: int, texts: Texts) -> Iterator[str]:
    mark = texts.say("explanation.withheld_mark") if category.withheld else ""
    yield f"  {category.shown:>+6d}  {category.label}{mark}"
    strongest = sorted(category.features, key=lambda f: -abs(f.points))[:features]
    yield from (f"      {f.shown:>+6d}  {f.sentence}" for f in strongest if f.shown)
    rest = category.shown - sum(f.shown for f in strongest)
    if rest:
        yield f"      {rest:>+6d}  {texts.say('explanation.all_others')}"


def _outlook(said: MemberExplanation, texts: Texts) -> Iterator[str]:
    """How likely, how sure, and where among others."""
    chance, low, high = (f"{100.0 * part:.1f}" for part in (said.pd, said.pd_low, said.pd_high))
    yield texts.say("explanation.chance", chance=chance, low=low, high=high)
    if said.percentile is not None:
        yield texts.say("explanation.place", percentile=f"{said.percentile:.0f}")
    if said.thin_file:
        yield texts.say("explanation.thin")
    if said.rare:
        yield texts.say("explanation.rare")


def _reasons(said: MemberExplanation, texts: Texts) -> Iterator[str]:
    """Why the score is not higher, and compared with whom; nothing where no reasons were asked for."""
    found = said.about.reasons
    if found is None:
        if said.about.decision_id is not None:  # of a decision they are always looked for
            yield texts.say("reasons.unknown")
        return
    yield texts.say("explanation.reasons", heading=texts.say("reasons.heading"))
    for one in found.reasons:
        told = (texts.say("report.changes.reason", reason=reason_in_words(one, texts)), effect_in_words(one, texts))
        yield f"  {one.rank}. {texts.say('report.sentences').join(told)}"
    if not found.reasons:
        yield f"  {texts.say('reasons.none')}"
    elif found.held_at_end:
        yield f"  {texts.say('reasons.held_at_end')}"
    yield f"  {method_in_words(found, texts)}"


def _circumstances(said: MemberExplanation, texts: Texts) -> Iterator[str]:
    """What was used, from where and when."""
    yield pattern_in_words(said, texts)
    sources = dict.fromkeys(source for category in said.categories for source in category.sources)
    if sources:
        names = listed((texts.say(f"explanation.source.{source}") for source in sources), texts)
        yield texts.say("explanation.sources", sources=names)
    if said.about.as_of is not None:
        yield texts.say("explanation.as_of", day=texts.day(said.about.as_of))
    if said.about.model_id is not None:
        yield texts.say("explanation.model", model=said.about.model_id)
