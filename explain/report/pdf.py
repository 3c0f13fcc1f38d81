"""A member's report as PDF, typeset by Typst: tagged for screen readers, the same bytes for the same report."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol, cast

from benne.errors import EngineUnavailable
from benne.explain.report.content import MemberReport
from benne.explain.report.sections import document_of
from benne.explain.texts import Texts, texts_of

__all__ = ["FontBook", "can_show", "report_pdf", "typesetting"]

_LATIN: Final = "Libertinus Serif"  # within Typst's wheel, so every machine has it
_CHINESE: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Noto Serif CJK SC", "Noto Serif SC",
    "Source Han Serif SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "Microsoft YaHei", "SimSun",
)  # fmt: skip
"""Families with simplified Chinese, the best first."""

_LONG_WORD: Final = re.compile(r"[^\s​]{24}(?=[^\s​])")
_NOT_SHOWN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and those that turn the direction of everything after them."""


class FontBook(Protocol):
    """Fonts to typeset with; :class:`typst.Fonts` is one."""

    def families(self) -> list[str]: ...


def can_show(language: str, fonts: FontBook | None) -> bool:
    """Whether there are letters for a language: for English always, for Chinese where a font for it is found."""
    return language != "zh" or _chinese(fonts) is not None


def report_pdf(report: MemberReport, texts: Texts, fonts: FontBook | None = None) -> bytes:
    """A member's report in PDF.

    Parameters
    ----------
    report : MemberReport
    texts : Texts
        Of the language it should be in. Chinese needs a font for it; without one the report is in English and says so.
    fonts : FontBook, optional
        By default those within Typst, which have no Chinese.

    Returns
    -------
    bytes
        PDF 1.7, tagged, on A4; PDF/UA-1 unless some name has a letter that no font has. The same report and fonts
        give the same bytes.

    Raises
    ------
    EngineUnavailable
        If Typst is not installed.
    """
    typst = _typst()
    asked = {
        "input": _template(), "format": "pdf", "sys_inputs": typesetting(report, texts, fonts), "root": None,
        "font_paths": fonts or _embedded(), "ignore_system_fonts": True, "timestamp": int(report.made_at.timestamp()),
    }  # fmt: skip
    try:
        return cast("bytes", typst.compile(**asked, pdf_standards="ua-1"))
    except typst.TypstError as error:
        if "could not be displayed" not in error.message:
            raise
    return cast("bytes", typst.compile(**asked))


def typesetting(report: MemberReport, texts: Texts, fonts: FontBook | None = None) -> dict[str, str]:
    """What Typst is given besides its template: one JSON text, whose strings it shows and never reads as its own."""
    notice = None
    if not can_show(texts.language, fonts):
        texts, notice = texts_of("en"), texts_of("en").say("report.chinese_unavailable")
    chinese = _chinese(fonts)
    page = document_of(report, texts).as_dict()
    # Chinese letters first in a Chinese report, so that its figures are of the same kind.
    families = [_LATIN] if chinese is None else [chinese, _LATIN] if texts.language == "zh" else [_LATIN, chinese]
    return {"report": json.dumps(_fit(page) | {"notice": notice, "fonts": families})}


def _fit(value: Any) -> Any:
    """Strings that can be broken at the end of a line, and do nothing but stand there."""
    if isinstance(value, dict):
        return {key: part if key == "svg" else _fit(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_fit(part) for part in value]
    if isinstance(value, str):
        return _LONG_WORD.sub(
            lambda found: found.group() + "\u200b", _NOT_SHOWN.sub("\N{REPLACEMENT CHARACTER}", value)
        )
    return value


def _chinese(fonts: FontBook | None) -> str | None:
    known = set() if fonts is None else set(fonts.families())
    return next((family for family in _CHINESE if family in known), None)


@cache
def _template() -> bytes:
    return files("benne.explain.report").joinpath("report.typ").read_bytes()


@cache
def _embedded() -> Any:
    return _typst().Fonts(include_system_fonts=False)


def _typst() -> Any:
    try:
        import typst
    except ModuleNotFoundError:
        raise EngineUnavailable(
            "Typst must be installed to make a PDF, got none. Install it: pip install 'benne[pdf]', or take the HTML."
        ) from None
    return typst
