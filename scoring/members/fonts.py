"""Fonts of this machine, for what is typeset here."""

from __future__ import annotations

from benne.explain.report.pdf import FontBook

__all__ = ["system_fonts"]


def system_fonts() -> FontBook | None:
    """Every font that is installed, and those within Typst; None where Typst is not installed."""
    try:
        import typst
    except ModuleNotFoundError:
        return None
    fonts: FontBook = typst.Fonts(include_system_fonts=True)
    return fonts
