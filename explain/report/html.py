"""A member's report as one page that needs nothing else."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from benne.explain.report.content import MemberReport
from benne.explain.report.sections import document_of
from benne.explain.report.style import STYLE
from benne.explain.texts import Texts

__all__ = ["report_html"]


def report_html(report: MemberReport, texts: Texts) -> str:
    """A member's report in HTML: no script, one style sheet within, and it prints on A4.

    Parameters
    ----------
    report : MemberReport
    texts : Texts
        Of the language it is said in.

    Returns
    -------
    str
        The same for the same report. Serve it with
        :data:`~benne.explain.report.style.CONTENT_SECURITY_POLICY`.
    """
    page = document_of(report, texts)
    # The style is a constant; pictures come from benne.explain.charts, which escape whatever is in them.
    return _template().render(page=page.as_dict(), style=Markup(STYLE), picture=Markup)  # noqa: S704


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("benne.explain.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2")
