from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import pytest
import typst

from benne.errors import EngineUnavailable
from benne.explain.report import FreeReports, MemberReport, Received
from benne.explain.report.blocks import Table
from benne.explain.report.html import report_html
from benne.explain.report.pdf import _template, can_show, report_pdf, typesetting
from benne.explain.report.sections import document_of
from benne.explain.report.style import CONTENT_SECURITY_POLICY, STYLE
from benne.explain.texts import LANGUAGES, texts_of
from tests.explain.conftest import COLUMNS, HOSTILE, NOON, full_about, report, said

PAGE = re.compile(rb"/Type\s*/Page[^s]")
VOID = {"meta", "rect", "path", "line", "polygon", "circle", "polyline", "col"}
FULL = ["score", "points", "facts", "changes", "sources", "received", "consents", "rights", "how"]


@pytest.fixture(scope="module")
def fonts():
    """With Chinese, which the machines of the tests have; it is looked for once."""
    return typst.Fonts()


@pytest.fixture(scope="module")
def latin():
    return typst.Fonts(include_system_fonts=False)


class Reader(HTMLParser):
    """Words of a page by their section, and everything that could do something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.tags, self.attributes, self.open = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def pages_of(pdf: bytes) -> int:
    return len(PAGE.findall(pdf))


def cells_of(made: MemberReport, language: str, fonts) -> str:
    """What Typst has in the cells of tables and in lists, as it says itself."""
    given = {"sys_inputs": typesetting(made, texts_of(language), fonts), "font_paths": fonts}
    return "".join(typst.query(_template(), kind, **given) for kind in ("table", "list"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_report_has_every_section_and_two_pages(language, fonts):
    made = report(language)
    assert [section.key for section in document_of(made, texts_of(language)).sections] == FULL
    pdf = report_pdf(made, texts_of(language), fonts)
    assert pages_of(pdf) == 2
    assert b"/MediaBox [0 0 595.27" in pdf or b"/MediaBox[0 0 595.27" in pdf  # A4
    assert b"pdfuaid" in pdf
    assert b"/MarkInfo" in pdf


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lines_that_are_printed_add_up_to_the_score_that_is_printed(language):
    document = document_of(report(language), texts_of(language))
    (table,) = [block for section in document.sections if section.key == "points" for block in section.blocks
                if isinstance(block, Table)]  # fmt: skip
    column = [row[1].replace("\N{MINUS SIGN}", "-") for row in table.rows]
    numbers = [int(cell) for cell in column if re.fullmatch(r"[+-]?\d+", cell)]
    assert len(numbers) == 6  # base, four categories, score: one is withheld
    assert sum(numbers[:-1]) == numbers[-1]
    assert table.sums
    assert table.rows[-1][3] == "604"


def test_a_score_held_at_the_end_of_the_scale_says_so_and_still_adds_up():
    held = said(940.0, [3.0] * len(COLUMNS), about=full_about())
    document = document_of(report(explanation=held), texts_of("en"))
    (table,) = [block for section in document.sections if section.key == "points" for block in section.blocks
                if isinstance(block, Table)]  # fmt: skip
    numbers = [int(row[1].replace("\N{MINUS SIGN}", "-")) for row in table.rows]
    assert "Held at the end of the scale" in [row[0] for row in table.rows]
    assert (sum(numbers[:-1]), numbers[-1]) == (950, 950)


def test_the_same_report_is_the_same_bytes_and_another_moment_is_not(fonts):
    texts = texts_of("en")
    assert report_pdf(report(), texts, fonts) == report_pdf(report(), texts, fonts)
    assert report_html(report(), texts) == report_html(report(), texts)
    later = report(made_at=NOON.replace(hour=13))
    assert report_pdf(later, texts, fonts) != report_pdf(report(), texts, fonts)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_are_shown_and_never_read(text, latin):
    hostile = report(
        issuer=text or "x", changes=(text,), statements=(text,),
        received=(Received(recipient=text, purpose=text, told="band", times=1, first=NOON, last=NOON),),
        routes=replace(report().routes, complaint=text),
    )  # fmt: skip
    assert report_pdf(hostile, texts_of("en"), latin).startswith(b"%PDF-1.7")
    reader = Reader(report_html(hostile, texts_of("en")))
    assert reader.open == []
    assert {"script", "img", "iframe", "link", "a"}.isdisjoint(reader.tags)
    assert not [name for name, _ in reader.attributes if name.startswith("on") or name in ("style", "href", "src")]
    assert text.replace("\x00", "�") in "".join(reader.words).replace("\x00", "�")


@pytest.mark.parametrize("text", [*HOSTILE[:2], "'\"&<>"])
def test_typst_has_hostile_strings_letter_by_letter(text, latin):
    found = cells_of(report(changes=(text,)), "en", latin)
    assert json.dumps(text, ensure_ascii=False)[1:-1] in found


def test_long_words_are_broken_and_marks_of_direction_are_taken_out(latin):
    given = json.loads(typesetting(report(changes=("a" * 400, "\u202eabc")), texts_of("en"), latin)["report"])
    items = next(section for section in given["sections"] if section["key"] == "changes")["blocks"][0]["items"]
    assert max(map(len, items[-2].split("\u200b"))) <= 24
    assert items[-2].replace("\u200b", "") == "a" * 400
    assert items[-1] == "\N{REPLACEMENT CHARACTER}abc"


def test_letters_that_no_font_has_cost_the_claim_of_accessibility_and_not_the_report(latin):
    pdf = report_pdf(report(changes=("信用分",)), texts_of("en"), latin)
    assert b"pdfuaid" not in pdf
    assert b"/MarkInfo" in pdf
    assert pages_of(pdf) == 2


def test_without_chinese_letters_a_chinese_pdf_is_english_and_says_so(latin):
    assert not can_show("zh", latin)
    assert not can_show("zh", None)
    assert can_show("en", None)
    given = json.loads(typesetting(report("zh"), texts_of("zh"), latin)["report"])
    assert given["notice"].startswith("You asked for this report in Chinese.")
    assert (given["language"], given["title"]) == ("en", "Your credit report")
    assert report_pdf(report("zh"), texts_of("zh")).startswith(b"%PDF")


def test_with_chinese_letters_a_chinese_pdf_is_chinese(fonts):
    assert can_show("zh", fonts)
    given = json.loads(typesetting(report("zh"), texts_of("zh"), fonts)["report"])
    assert (given["notice"], given["title"]) == (None, "您的信用报告")
    assert b"pdfuaid" in report_pdf(report("zh"), texts_of("zh"), fonts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("why", ["no_decision", "no_consent", "model_retired", "unreadable", "erased"])
def test_a_report_without_a_score_says_why_and_keeps_the_rest(language, why, fonts):
    made = report(language, explanation=None, no_score=why)
    document = document_of(made, texts_of(language))
    assert [section.key for section in document.sections] == ["score", "received", "consents", "rights", "how"]
    assert texts_of(language).say(f"report.no_score.{why}") in report_html(made, texts_of(language))
    assert pages_of(report_pdf(made, texts_of(language), fonts)) == 1


def test_what_is_not_known_is_not_said():
    bare = MemberReport(made_at=NOON, issuer="me", explanation=said())
    page = report_html(bare, texts_of("en"))
    assert "Nobody has received anything" not in page
    assert "You have agreed to nothing" not in page
    assert "Others, least" not in page
    assert [section.key for section in document_of(bare, texts_of("en")).sections] == [
        "score", "points", "facts", "sources", "rights", "how",
    ]  # fmt: skip
    assert report_pdf(bare, texts_of("en")).startswith(b"%PDF")


def test_nobody_received_anything_is_said_where_it_is_known():
    page = report_html(report(received=(), consents=()), texts_of("en"))
    assert "Nobody has received anything." in page
    assert "You have agreed to nothing at present." in page


def test_a_page_holds_only_the_style_that_its_policy_names():
    page = report_html(report(), texts_of("en"))
    assert page.count("<style>") == 1
    assert f"<style>{STYLE}</style>" in page
    assert "style-src 'sha256-" in CONTENT_SECURITY_POLICY
    assert "script" not in CONTENT_SECURITY_POLICY
    assert "https://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_rights_routes_and_free_reports_are_said():
    page = report_html(report(), texts_of("en"))
    for told in (
        "/me/consents",
        "/me/disputes",
        "/me/reviews",
        "complaints@platform.example",
        "before this one: 1. 2 a year are free.",
    ):
        assert told in page
    assert "so is every other" in report_html(report(free_reports=FreeReports(3, None)), texts_of("en"))


def test_that_a_decision_may_rest_on_the_score_alone_is_said_only_where_it_may():
    consents = report().consents
    sole = (replace(consents[0], reliance="sole"), *consents[1:])
    ended = (replace(consents[0], reliance="sole", standing=False), *consents[1:])
    said_so = "a decision may rest on it alone"
    assert said_so in report_html(report(consents=sole), texts_of("en"))
    assert said_so not in report_html(report(consents=ended), texts_of("en"))
    assert said_so not in report_html(report(), texts_of("en"))


def test_reasons_say_their_effect_and_what_can_be_done():
    page = report_html(report(), texts_of("en"))
    assert "Without this, the score would be about 20 points higher." in page
    assert "Compared with the average of 1,000 members" in page


def test_that_a_model_knows_no_reasons_is_said_of_a_decision():
    without = replace(full_about(), reasons=None)
    page = report_html(report(explanation=said(about=without)), texts_of("en"))
    assert "No reasons can be given for this score" in page
    assert "Compared with the average" not in page


def test_without_typst_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'benne\[pdf\]'"):
        report_pdf(report(), texts_of("en"))


def test_a_report_with_neither_score_nor_word_why_is_refused():
    with pytest.raises(ValueError, match="must have a score or say why"):
        MemberReport(made_at=NOON, issuer="me", explanation=None)
    with pytest.raises(ValueError, match="timezone-aware"):
        MemberReport(made_at=datetime(2026, 1, 1), issuer="me", explanation=said())  # noqa: DTZ001
