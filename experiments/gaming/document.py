"""A gaming report as the document that is filed about a model, and as files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benne.experiments.gaming.costs import EASES
from benne.experiments.gaming.measures import gaming_measures
from benne.experiments.gaming.pictures import gaming_drawings
from benne.experiments.gaming.report import AttackResult, GamingReport
from benne.experiments.report.document import records_of
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.experiments.report.model_document import AboutDocument, document_of, measured, section, write_document

__all__ = ["KIND", "gaming_document", "write_gaming_report"]

KIND: Final = "gaming"
_LINES: Final = 12

_ATTACKS: Final = (
    "Each member spends a budget of small efforts on the moves that better their own score most for what they cost; "
    "every candidate is scored by the model itself. Nobody is pushed beyond what a tenth of others have.",
    "Cheap: moves of high ease. Burst: only what shows within two weeks. Collusion: social moves, shared in a ring.",
)
_DAMAGE: Final = (
    "Predicted PD falls, the true one does not: actual over predicted above 1 means that risk is understated. AUC "
    "where a share of members games: anybody, or those of the lowest scores, who need points most.",
)
_HOW: Final = (
    "Points by category and by feature add up to the gain. PD fall, actual over predicted, and AUC lost are of that "
    "category's or feature's moves alone, made by everybody, with all other moves of the attack left out; they need "
    "not add up. Nothing is told where fewer than ten members moved; features that did not move are among the others.",
)
_WITHHOLDING: Final = (
    "Every pattern of consent scored for everybody whose consent covers it, of up to ten times as many members as are "
    "attacked. It cannot be forbidden without making withholding evidence, which is refused; watch actual against "
    "predicted by the pattern really used.",
    "Actual and its 95 % interval are of those who choose a pattern because it is best for them: Wilson's interval of "
    "a bad rate, or a bootstrap over members where the PD is known. A pattern that predicts fewer than ten bad "
    "members of them is INSUFFICIENT.",
)
_SPENDING: Final = (
    "Real events with more spent on the platform, features built again by the same engine, all else as reported. "
    "No score may rise. By feature: what each does alone.",
)


def gaming_document(report: GamingReport, about: AboutDocument) -> dict[str, Any]:
    """The report as plain JSON: the same figures, the same bytes. No line is of fewer than ten members."""
    options = report.options
    return document_of(KIND, about, {
        "seed": report.seed,
        "rows": report.rows,
        "left_out": report.left_out,
        "options": {
            "costs": options.costs.version, "rungs": list(options.costs.rungs), "members": options.members,
            "fewest": options.fewest, "shares": list(options.shares),
        },
        "measures": measured(KIND, gaming_measures(report)),
        "tables": {name: records_of(table) for name, table in _tables(report).items()},
        "sections": [
            section("attacks", "What attacks win", _ATTACKS, "attacks", "cutoffs"),
            section("damage", "What they do", _DAMAGE, "pd", "ranks"),
            section("how", "How it is won, and what does the damage", _HOW, "moves", "categories", "features"),
            section("withholding", "Withholding what is best withheld", _WITHHOLDING, "withholding"),
            section("spending", "Spending on the platform", _SPENDING, "spending_ways", "spending_features"),
            section("costs", "What moves cost, as declared", (), "efforts"),
        ],
        "notes": [*about.reservations(), *_notes(report)],
    })  # fmt: skip


def write_gaming_report(report: GamingReport, folder: str | Path, about: AboutDocument) -> list[Path]:
    """Write a report for people and for programs.

    Returns
    -------
    list of Path
        ``gaming.html`` and ``gaming.json``: the same bytes for the same report and ``about``.
    """
    lead = (
        f"{report.rows:,} members{about.unseen} attacked who stay what they are. "
        f"Costs of version {report.options.costs.version}."
    )
    figures = gaming_drawings(report)
    return write_document(
        gaming_document(report, about), folder, title="Gaming stress test", lead=lead, figures=figures
    )


def _tables(report: GamingReport) -> dict[str, pd.DataFrame]:
    attacks, spending = report.attacks, report.spending
    efforts = report.options.costs.eases
    return {
        "attacks": pd.DataFrame([{"attack": one.name, **one.figures(), "effort": one.spent} for one in attacks]),
        "cutoffs": pd.DataFrame(
            [{"attack": one.name} | {f"over {cut:g}": share for cut, share in one.crossing.items()} for one in attacks]
        ),
        "pd": pd.DataFrame([_pd_line(one) for one in attacks]),
        "ranks": pd.DataFrame(
            [{"attack": one.name, "who": r.who, "share": r.share, "auc_before": r.auc_before, "auc": r.auc,
              "lost": r.lost} for one in attacks for r in one.ranks]
        ),
        "moves": _joined([_moves(one, report.rows) for one in attacks]),
        "categories": _joined([_named(_told(one.by_category.rename_axis("category")), one.name) for one in attacks]),
        "features": _joined([_named(_of_features(one), one.name) for one in attacks]),
        "withholding": pd.DataFrame() if report.withholding is None else report.withholding.table,
        "spending_ways": pd.DataFrame() if spending is None else _hidden(spending.ways),
        "spending_features": pd.DataFrame() if spending is None else _hidden(spending.features),
        "efforts": pd.DataFrame(
            [{"ease": ease, "cost": efforts[ease].cost, "days": efforts[ease].days, "why": efforts[ease].why}
             for ease in EASES]
        ),
    }  # fmt: skip


def _pd_line(one: AttackResult) -> dict[str, Any]:
    damage = one.pd_damage
    return {
        "attack": one.name, "predicted_before": damage.before, "predicted_after": damage.after,
        "actual": damage.actual, "is": damage.truth, "actual_to_predicted": damage.actual_to_predicted,
        "error": damage.error,
    }  # fmt: skip


def _moves(one: AttackResult, rows: int) -> pd.DataFrame:
    """The most rewarding moves; those of fewer than ten members are one line without their number."""
    many = one.moves[one.moves["made"] * rows >= SMALLEST_GROUP - 1e-9]
    shown, rest = many.head(_LINES), one.moves.drop(index=many.index[:_LINES])
    if len(rest):
        shown = pd.concat([shown, pd.DataFrame({"points": [rest["points"].sum()], "made": [np.nan]}, index=["others"])])
    return _named(shown.rename_axis("move"), one.name)


def _told(table: pd.DataFrame) -> pd.DataFrame:
    """Without the points of what fewer than ten members moved."""
    return table.assign(points=table["points"].mask(table["moved"].isna()))


def _of_features(one: AttackResult) -> pd.DataFrame:
    """Features that ten members or more moved; the others are one line, with their points and no more.

    One that did not move is worth more or less for a sibling in the same trees that did.
    """
    table = one.by_feature
    shown, rest = table[table["moved"] > 0], table[~(table["moved"] > 0)]
    if not len(rest):
        return shown
    return pd.concat([shown, pd.DataFrame({"points": rest["points"].sum()}, index=["others"])]).rename_axis("feature")


def _named(table: pd.DataFrame, attack: str) -> pd.DataFrame:
    named = table.reset_index()
    named.insert(0, "attack", attack)
    return named


def _hidden(table: pd.DataFrame) -> pd.DataFrame:
    """What is said of fewer than ten members is not said; that there are some is."""
    few = (table["raised"] > 0) & (table["raised"] < SMALLEST_GROUP)
    shown = table.assign(raised=table["raised"].astype("float64").mask(few, np.nan), few=few)
    for column in ("share", "largest"):
        if column in shown:
            shown[column] = shown[column].mask(few, np.nan)
    return shown.rename(columns={"few": "fewer_than_ten"})


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    kept = [table for table in tables if len(table)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()


def _notes(report: GamingReport) -> Iterator[str]:
    yield from report.notes
    spending, withholding = report.spending, report.withholding
    if withholding is not None and len(withholding.points) != report.rows:
        yield f"Best patterns are of {len(withholding.points):,} members."
    if report.state == "INSUFFICIENT":
        yield "INSUFFICIENT, which is no pass: no attack was measured."
    if spending is None:
        yield "Spending was not tested: no events were given."
    elif spending.raised:
        names = ", ".join(map(str, spending.features.index))
        yield f"Spending more on the platform raises scores, which none may. Features that do it alone: {names}."
    if report.left_out:
        yield f"Rows without a score were left out: {report.left_out:,}."
