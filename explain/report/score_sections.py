"""The first page of a report: the score, its points, the facts that weighed most, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benne.explain.charts import category_bars, gauge
from benne.explain.explanation import MemberExplanation
from benne.explain.lines import CategoryLine
from benne.explain.reason_words import effect_in_words, method_in_words, reason_in_words
from benne.explain.report.blocks import Block, Items, Paragraph, Picture, Section, Table
from benne.explain.report.content import MemberReport
from benne.explain.texts import Texts
from benne.explain.wording import (
    chance_in_words,
    interval_in_words,
    place_in_words,
    rare_in_words,
    thin_file_in_words,
)
from benne.models.scale import SCORE_MAX, SCORE_MIN

__all__ = ["changes_section", "facts_section", "no_score_section", "points_section", "score_section"]

_FACTS: Final = 3  # for, and as many against


def score_section(said: MemberExplanation, texts: Texts) -> Section:
    """The score on its scale, what it means, and how sure it is."""
    head = texts.say(
        "explanation.head", score=said.shown, lowest=f"{SCORE_MIN:.0f}", highest=f"{SCORE_MAX:.0f}",
        band=texts.band(said.band),
    )  # fmt: skip
    picture = Picture(gauge(said.score, texts, said.about.bands), head, 0.4)
    words = tuple(Paragraph(text) for text in _meaning(said, texts))
    return Section("score", texts.say("report.score.heading"), (picture, Paragraph(head, "strong"), *words), True)


def _meaning(said: MemberExplanation, texts: Texts) -> Iterator[str]:
    yield texts.say("report.sentences").join(filter(None, (texts.band_means(said.band), chance_in_words(said, texts))))
    yield interval_in_words(said, texts)
    told = (place_in_words(said, texts), thin_file_in_words(said, texts), rare_in_words(said, texts))
    yield from filter(None, told)
    moments = []
    if said.about.decided_at is not None:
        moments.append(texts.say("report.score.made", day=texts.day(said.about.decided_at)))
    if said.about.as_of is not None:
        moments.append(texts.say("explanation.as_of", day=texts.day(said.about.as_of)))
    if moments:
        yield texts.say("report.sentences").join(moments)


def no_score_section(report: MemberReport, texts: Texts) -> Section:
    """Why there is no score."""
    heading, why = texts.say("report.no_score.heading"), texts.say(f"report.no_score.{report.no_score}")
    return Section("score", heading, (Paragraph(why, "strong"), Paragraph(texts.say("report.no_score.rest"))))


def points_section(said: MemberExplanation, texts: Texts) -> Section:
    """The five categories as bars, and the sum that makes the score."""
    known = any(line.reach for line in said.categories)
    picture = Picture(category_bars(said.categories, texts), texts.say("report.points.picture"), 0.74)
    rows = [_row(texts.say("explanation.base"), str(said.base_shown), known)]
    rows += [_category_row(line, known, texts) for line in said.categories]
    if said.clipped_shown:
        rows.append(_row(texts.say("explanation.clipped"), texts.points(said.clipped_shown), known))
    average = said.about.average_score
    others = ("", "" if average is None else str(round(average)), "") if known else ()
    rows.append((texts.say("common.score"), str(said.shown), *others))
    head = [texts.say("report.points.category"), texts.say("report.points.yours")]
    head += [texts.say(f"report.points.{name}") for name in ("least", "average", "most")] if known else []
    table = Table(tuple(head), tuple(rows), len(head) - 1, True)
    intro = Paragraph(texts.say("report.points.intro"))
    return Section("points", texts.say("report.points.heading"), (intro, picture, table))


def _row(name: str, points: str, known: bool) -> tuple[str, ...]:
    return (name, points, "", "", "") if known else (name, points)


def _category_row(line: CategoryLine, known: bool, texts: Texts) -> tuple[str, ...]:
    if line.withheld:
        return _row(line.label, texts.say("common.withheld"), known)
    row = _row(line.label, texts.points(line.shown), known)
    if line.reach is None:
        return row
    return (*row[:2], *(texts.points(round(part)) for part in (line.reach.least, line.reach.average, line.reach.most)))


def facts_section(said: MemberExplanation, texts: Texts) -> Section:
    """The facts that weighed most, for and against."""
    lines = [line for line in said.features() if line.shown]
    blocks: list[Block] = []
    for name, chosen in (
        ("for", [line for line in lines if line.shown > 0][:_FACTS]),
        ("against", [line for line in lines if line.shown < 0][:_FACTS]),
    ):
        if chosen:
            head = (texts.say(f"report.facts.{name}"), texts.say("common.points"))
            blocks.append(Table(head, tuple((line.sentence, texts.points(line.shown)) for line in chosen), 1))
    return Section("facts", texts.say("report.facts.heading"), tuple(blocks or [_nothing(texts)]))


def _nothing(texts: Texts) -> Paragraph:
    return Paragraph(texts.say("report.facts.none"))


def changes_section(report: MemberReport, said: MemberExplanation, texts: Texts) -> Section | None:
    """Reasons by their effect, and what would change the score; None where there is nothing to say."""
    items = [*_reasons(said, texts), *report.changes]
    blocks: list[Block] = [Items(tuple(items))] if items else []
    if said.about.reasons is None and said.about.decision_id is not None:  # of a decision they are always looked for
        blocks.append(Paragraph(texts.say("reasons.unknown"), "note"))
    elif said.about.reasons is not None and said.about.reasons.reasons:
        blocks.append(Paragraph(method_in_words(said.about.reasons, texts), "note"))
    return Section("changes", texts.say("report.changes.heading"), tuple(blocks)) if blocks else None


def _reasons(said: MemberExplanation, texts: Texts) -> Iterator[str]:
    for reason in said.about.reasons.reasons if said.about.reasons else ():
        told = texts.say("report.changes.reason", reason=reason_in_words(reason, texts))
        action = texts.action(reason.feature)
        do = () if action is None else (texts.say("report.changes.reason", reason=action),)
        parts = (told, effect_in_words(reason, texts), *do)
        yield texts.say("report.sentences").join(parts)
