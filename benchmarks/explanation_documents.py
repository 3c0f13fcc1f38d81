"""A member's full report of every registered feature, as object, page and PDF; for :mod:`explanation_jobs`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from benne.explain import About, MemberExplanation, explain_member
from benne.explain.reason_lines import Method, Reason, Reasons
from benne.explain.report import ConsentGiven, MemberReport, Received, Routes
from benne.explain.report.html import report_html
from benne.explain.report.pdf import can_show, report_pdf
from benne.explain.texts import texts_of
from benne.features import CATEGORIES, registry
from benne.models import Explanation
from benne.models.reference_sample import CategoryRange
from benne.scoring.members.fonts import system_fonts

__all__ = ["documents"]

_NOW: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
_SECONDS: Final = 3.0
_MEMBERS: Final = 200
_GROUPS: Final = {category: registry.columns(category) for category in CATEGORIES}
_PAGE: Final = re.compile(rb"/Type\s*/Page[^s]")


def documents(folder: str) -> dict[str, Any]:
    """Reports a second; each is of another member, so that nothing is made twice."""
    rows, values = zip(*(_member(seed) for seed in range(_MEMBERS)), strict=True)
    reports = [_report(_said(*one)) for one in zip(rows, values, strict=True)]
    texts, fonts = texts_of("en"), system_fonts()
    page, pdf = report_html(reports[0], texts), report_pdf(reports[0], texts, fonts)
    chinese = "not without a font"
    if can_show("zh", fonts):
        chinese = f"{_rate(lambda k: report_pdf(reports[k % _MEMBERS], texts_of('zh'), fonts)):,.0f} PDFs/s"
    return {
        "features": len(registry),
        "explanations": _rate(lambda k: _said(rows[k % _MEMBERS], values[k % _MEMBERS])),
        "html": _rate(lambda k: report_html(reports[k % _MEMBERS], texts)),
        "pdf": _rate(lambda k: report_pdf(reports[k % _MEMBERS], texts, fonts)),
        "html_kb": len(page.encode()) / 1e3,
        "pdf_kb": len(pdf) / 1e3,
        "pages": len(_PAGE.findall(pdf)),
        "zh": chinese,
    }


def _rate(work: Callable[[int], object]) -> float:
    """A second of one core, whoever else uses the machine."""
    done, begin = 0, time.process_time()
    while (taken := time.process_time() - begin) < _SECONDS:
        work(done)
        done += 1
    return done / taken


def _said(rows: Explanation, values: pd.DataFrame) -> MemberExplanation:
    return explain_member(rows, 0, values, _GROUPS, registry, _about(list(values.columns)))


def _member(seed: int) -> tuple[Explanation, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    columns = [name for names in _GROUPS.values() for name in names]
    points = pd.DataFrame([rng.normal(0.0, 4.0, len(columns))], columns=columns)
    totals = pd.DataFrame({category: points[names].sum(axis=1) for category, names in _GROUPS.items()})
    before = 612.0 + float(points.to_numpy().sum())
    score = min(max(before, 350.0), 950.0)
    rows = Explanation(
        np.array([612.0]), points, totals, np.array([score - before]), np.array([score]), np.array(["good"]),
        np.array([0.04]), np.array([0.02]), np.array([0.08]), np.array([40.0]), np.array([False]), (frozenset(),),
    )  # fmt: skip
    values = pd.DataFrame([[max(registry[name].minimum, 0.0) for name in columns]], columns=columns)
    return rows, values


def _about(columns: list[str]) -> About:
    reasons = tuple(Reason(name, name, k + 1, 20.0 - 4 * k, 9.0) for k, name in enumerate(columns[::25][:4]))
    return About(
        as_of=_NOW, decided_at=_NOW, decision_id="0190d8f3-0000-7000-8000-000000000000", model_id="benne/0123",
        ranges={category: CategoryRange(-60.0, 3.0, 45.0) for category in CATEGORIES},
        reasons=Reasons(Method("everybody"), "ab" * 32, 1_000, reasons, ()),
    )  # fmt: skip


def _report(said: MemberExplanation) -> MemberReport:
    agreed = {"granularity": "exact", "reliance": "advisory", "given_at": _NOW, "standing": True}
    until = _NOW + timedelta(days=365)
    consents = [
        ConsentGiven(purpose=purpose, recipient="shop", categories=CATEGORIES, valid_until=until, **agreed)
        for purpose in ("lending", "own_report", "rental")
    ]
    received = Received(recipient="shop", purpose="lending", told="exact", times=3, first=_NOW, last=_NOW)
    return MemberReport(
        made_at=_NOW, issuer="Example Platform", explanation=said, routes=Routes(withdraw="/me/consents"),
        received=tuple(replace(received, recipient=f"shop {k}") for k in range(4)), consents=tuple(consents),
    )  # fmt: skip
