"""An explanation as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benne.explain.lines import CategoryLine
from benne.explain.texts import Texts
from benne.explain.wording import band_in_words, listed, pattern_in_words
from benne.models.scale import SCORE_MAX, SCORE_MIN

if TYPE_CHECKING:
    from benne.explain.explanation import MemberExplanation

__all__ = ["text_lines"]


def text_lines(said: MemberExplanation, features: int) -> Iterator[str]:
    """Head, points that add up, and how sure they are.

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
