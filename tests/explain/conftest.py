"""Explanations and reports to look at, made from figures one can set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.explain import About, MemberExplanation, explain_member
from benne.explain.reason_lines import Method, Reason, Reasons
from benne.explain.report import ConsentGiven, FreeReports, MemberReport, Received, Routes
from benne.features import CATEGORIES, registry
from benne.models import Explanation
from benne.models.reference_sample import CategoryRange

GROUPS = {category: registry.columns(category)[:4] for category in CATEGORIES}
COLUMNS = [column for columns in GROUPS.values() for column in columns]
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
HOSTILE = (
    '#panic("no")',
    "] $x$ \\ @ref <label> *bold* _it_ `raw`", "</td><script>alert(1)</script>", "{{ 7 * 7 }} {% raw %}",
    "a" * 400, "\u202eright to left\u202c العربية עברית", "\N{PILE OF POO} \N{WOMAN}\u200d\N{PERSONAL COMPUTER}",
    "\x00\x07 nul and bell", "'\"&<>", "信用分", "",
)  # fmt: skip


def model_rows(base: float, points: Sequence[Sequence[float]], withheld: frozenset[str] = frozenset()) -> Explanation:
    """What a model says of some rows, held within 350 and 950."""
    gone = {column for category in withheld for column in GROUPS[category]}
    table = pd.DataFrame(points, columns=COLUMNS).mul([0.0 if column in gone else 1.0 for column in COLUMNS])
    totals = pd.DataFrame({category: table[columns].sum(axis=1) for category, columns in GROUPS.items()})
    unclipped = base + table.to_numpy().sum(axis=1)
    score, count = np.clip(unclipped, 350.0, 950.0), len(table)
    return Explanation(
        np.full(count, base), table, totals, score - unclipped, score, np.full(count, "good"), np.full(count, 0.04),
        np.full(count, 0.02), np.full(count, 0.0831), np.full(count, 40.0), np.full(count, False), (withheld,) * count,
    )  # fmt: skip


def said(
    base: float = 600.0,
    points: Sequence[float] | None = None,
    withheld: Sequence[str] = (),
    about: About | None = None,
    **outlook: Any,
) -> MemberExplanation:
    """One member's explanation."""
    given = [(7.3, -4.2, 2.6, -1.1)[k % 4] * (1 + k % 3) for k in range(len(COLUMNS))] if points is None else points
    rows = replace(model_rows(base, [given], frozenset(withheld)), **outlook)
    features = pd.DataFrame([[float(k % 5) for k in range(len(COLUMNS))]], columns=COLUMNS)
    return explain_member(rows, 0, features, GROUPS, registry, about)


def full_about(language: Any = "en", withheld: Sequence[str] = ()) -> About:
    """Everything there is to know beside the points."""
    reasons = tuple(Reason(f"code-{k}", COLUMNS[4 * k], k + 1, 20.4 - 4 * k, 12.0, known=k != 2) for k in range(4))
    return About(
        language=language, as_of=NOON - timedelta(hours=30), decided_at=NOON - timedelta(hours=3),
        decision_id="0190d8f3-0000-7000-8000-000000000000", model_id="benne/0123456789abcdef",
        weights=dict(zip(CATEGORIES, (0.35, 0.25, 0.2, 0.15, 0.05), strict=True)),
        ranges={c: CategoryRange(-60.0 - 10 * k, 3.0 + k, 45.0 + 8 * k)
                for k, c in enumerate(CATEGORIES) if c not in withheld},
        average_score=604.4,
        reasons=Reasons(Method("everybody"), "ab" * 32, 1_000, reasons, ()),
    )  # fmt: skip


def report(language: Any = "en", **changes: Any) -> MemberReport:
    """A full report: every section there is."""
    withheld = ("social",)
    agreed = {"granularity": "exact", "reliance": "advisory", "given_at": NOON - timedelta(days=100),
              "valid_until": NOON + timedelta(days=265), "standing": True}  # fmt: skip
    four = tuple(category for category in CATEGORIES if category not in withheld)
    given = {
        "made_at": NOON,
        "issuer": "Example Platform",
        "explanation": said(withheld=withheld, about=full_about(language, withheld), thin=np.array([True])),
        "received": (
            Received(recipient="shop", purpose="lending", told="exact", times=3, first=NOON - timedelta(90),
                     last=NOON - timedelta(3)),
            Received(recipient="landlord", purpose="rental", told="band", times=1, first=NOON - timedelta(40),
                     last=NOON - timedelta(40)),
            Received(recipient="bikes", purpose="deposit_waiver", told="threshold", times=2,
                     first=NOON - timedelta(60), last=NOON - timedelta(50)),
        ),
        "consents": (
            ConsentGiven(purpose="lending", recipient="shop", categories=four, **agreed),
            ConsentGiven(purpose="own_report", recipient="platform", categories=four, **agreed),
            ConsentGiven(purpose="rental", recipient="landlord", categories=four, **agreed | {"standing": False}),
        ),
        "routes": Routes(withdraw="/me/consents", dispute="/me/disputes", review="/me/reviews",
                         complaint="complaints@platform.example"),
        "changes": ("Pay the next three instalments on time: about 14 points more by 1 March 2027.",),
        "free_reports": FreeReports(1, 2),
    }  # fmt: skip
    return MemberReport(**given | changes)


@pytest.fixture
def make_said() -> Callable[..., MemberExplanation]:
    return said


@pytest.fixture
def make_report() -> Callable[..., MemberReport]:
    return report
