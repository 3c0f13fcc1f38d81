"""A report put into words and pictures, once for HTML and PDF alike."""

from __future__ import annotations

from collections.abc import Iterator

from benne.explain.report import record_sections as records
from benne.explain.report import score_sections as scores
from benne.explain.report.blocks import Document, Section
from benne.explain.report.content import MemberReport
from benne.explain.texts import Texts

__all__ = ["document_of"]


def document_of(report: MemberReport, texts: Texts) -> Document:
    """Everything a report says, in the order it is read.

    Parameters
    ----------
    report : MemberReport
    texts : Texts
        Of the language it is said in; the explanation's own sentences are put into it.
    """
    before, between, after = texts.say("common.page", page="\x00", pages="\x00").split("\x00")
    return Document(
        language=texts.language,
        title=texts.say("report.title"),
        subtitle=texts.say("report.subtitle", day=texts.day(report.made_at), issuer=report.issuer),
        issuer=report.issuer,
        page=(before, between, after),
        sections=tuple(_sections(report, texts)),
    )


def _sections(report: MemberReport, texts: Texts) -> Iterator[Section]:
    said = None if report.explanation is None else report.explanation.in_language(texts.language)
    if said is None:
        yield scores.no_score_section(report, texts)
    else:
        yield scores.score_section(said, texts)
        yield scores.points_section(said, texts)
        yield scores.facts_section(said, texts)
        changes = scores.changes_section(report, said, texts)
        if changes is not None:
            yield changes
        yield records.sources_section(said, texts)
    if report.received is not None:
        yield records.received_section(report.received, texts)
    if report.consents is not None:
        yield records.consents_section(report.consents, report, texts)
    yield records.rights_section(report, texts)
    yield records.how_section(report, texts)
