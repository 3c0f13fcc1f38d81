"""The second page of a report: where the data come from, who received what, consents, rights, and how it is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from benne.explain.about import About
from benne.explain.explanation import MemberExplanation
from benne.explain.report.blocks import Block, Items, Paragraph, Section, Table
from benne.explain.report.content import ConsentGiven, MemberReport, Received
from benne.explain.texts import Texts
from benne.explain.wording import listed, pattern_in_words
from benne.models.scale import SCORE_MAX, SCORE_MIN

__all__ = ["consents_section", "how_section", "received_section", "rights_section", "sources_section"]

_RIGHTS: Final = ("dispute", "review", "complaint", "export", "erasure")


def sources_section(said: MemberExplanation, texts: Texts) -> Section:
    """What was used, from where, and as of when."""
    rows = tuple(
        (line.label, listed((texts.say(f"explanation.source.{one}") for one in line.sources), texts))
        for line in said.categories
        if line.sources
    )
    blocks: list[Block] = [Paragraph(pattern_in_words(said, texts))]
    if rows:
        blocks.append(
            Table((texts.say("report.points.category"), texts.say("report.sources.from")), rows, widths=(25, 75))
        )
    blocks.append(Paragraph(texts.say("report.sources.never"), "note"))
    return Section("sources", texts.say("report.sources.heading"), tuple(blocks), new_page=True)


def received_section(received: Sequence[Received], texts: Texts) -> Section:
    """Who received the score, for what, and when."""
    heading = texts.say("report.received.heading")
    if not received:
        return Section("received", heading, (Paragraph(texts.say("report.received.nobody")),))
    names = ("recipient", "purpose", "told", "when")
    head = tuple(texts.say(f"report.received.{name}") for name in names)
    rows = tuple(
        (
            one.recipient,
            _purpose(one.purpose, texts),
            texts.say(f"common.granularity.{one.told}"),
            _when(one, texts),
        )
        for one in received
    )
    return Section("received", heading, (Table(head, rows, widths=(20, 25, 25, 30)),))


def _when(one: Received, texts: Texts) -> str:
    first, last = texts.day(one.first), texts.day(one.last)
    if one.times == 1:
        return last
    if first == last:
        return texts.say("report.received.times_on", times=one.times, day=last)
    return texts.say("report.received.times", times=one.times, first=first, last=last)


def consents_section(consents: Sequence[ConsentGiven], report: MemberReport, texts: Texts) -> Section:
    """What the member consents to, and how to take it back."""
    standing = [one for one in consents if one.standing]
    blocks: list[Block] = []
    if standing:
        head = tuple(texts.say(f"report.consents.{name}") for name in ("what", "categories", "valid"))
        blocks.append(Table(head, tuple(_consent(one, texts) for one in standing), widths=(30, 40, 30)))
    else:
        blocks.append(Paragraph(texts.say("report.consents.none")))
    ended = len(consents) - len(standing)
    if ended:
        blocks.append(Paragraph(texts.say("report.consents.ended", count=ended)))
    blocks.append(Paragraph(_routed("withdraw", report.routes.withdraw, texts)))
    return Section("consents", texts.say("report.consents.heading"), tuple(blocks))


def _consent(one: ConsentGiven, texts: Texts) -> tuple[str, ...]:
    what = texts.say("report.consents.to", purpose=_purpose(one.purpose, texts), recipient=one.recipient)
    until = texts.say("report.consents.until", given=texts.day(one.given_at), until=texts.day(one.valid_until))
    return what, listed((texts.category(name) for name in one.categories), texts), until


def rights_section(report: MemberReport, texts: Texts) -> Section:
    """What a member may do about it, where, and for how much."""
    items = [*report.statements]
    items += [_routed(name, getattr(report.routes, name), texts) for name in _RIGHTS]
    items += [*_free_reports(report, texts)]
    return Section("rights", texts.say("report.rights.heading"), (Items(tuple(items)),))


def _free_reports(report: MemberReport, texts: Texts) -> Iterator[str]:
    free = report.free_reports
    if free is None:
        return
    if free.a_year is None:
        yield texts.say("report.rights.free_always")
    else:
        yield texts.say("report.rights.free", given=free.given, a_year=free.a_year)


def how_section(report: MemberReport, texts: Texts) -> Section:
    """How a score is made, in outline, and that a machine makes it."""
    consents = report.consents or ()
    sole = any(one.standing and one.reliance == "sole" for one in consents)
    known = "machine" if report.consents is None else "sole" if sole else "automated"
    automated = texts.say(f"report.how.{known}")
    said = report.explanation
    told = [Paragraph(_logic(About() if said is None else said.about, texts)), Paragraph(automated)]
    if said is not None and said.about.model_id is not None:
        told.append(Paragraph(texts.say("explanation.model", model=said.about.model_id), "note"))
    if said is not None and said.about.decision_id is not None:
        told.append(Paragraph(texts.say("report.how.decision", decision=said.about.decision_id), "note"))
    return Section("how", texts.say("report.how.heading"), tuple(told))


def _logic(about: About, texts: Texts) -> str:
    shares = listed(
        (
            texts.say("report.how.weight", category=texts.category(name), share=f"{100.0 * share:.4g}")
            for name, share in about.weights.items()
        ),
        texts,
    )
    return texts.say(
        "report.how.logic", weights=texts.say("report.how.weights", weights=shares) if shares else "",
        lowest=f"{SCORE_MIN:.0f}", highest=f"{SCORE_MAX:.0f}", doubling=f"{about.scale.pdo:.4g}",
    )  # fmt: skip


def _routed(name: str, route: str | None, texts: Texts) -> str:
    told = texts.say(f"report.rights.{name}")
    return told if route is None else texts.say("report.rights.where", right=told, route=route)


def _purpose(name: str, texts: Texts) -> str:
    key = f"common.purpose_name.{name}"
    return texts.say(key) if texts.has(key) else name
