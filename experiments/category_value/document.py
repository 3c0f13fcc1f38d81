"""The worth of categories as a document about a model, on disk and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benne.experiments.category_value.pictures import drawings
from benne.experiments.category_value.report import CategoryValue, CategoryValueReport
from benne.experiments.measure import Measure
from benne.experiments.report.model_document import AboutDocument, document_of, measured, write_document

__all__ = ["KIND", "categories_document", "category_measures", "write_category_value"]

KIND: Final = "categories"

_NOTES: Final = (
    "Differences are with the category minus without it: of AUC above 0, of log loss below 0, it is better with it.",
    "Intervals are of test members by paired bootstrap; they do not hold what another training sample would change. "
    "Of five categories judged by two figures each, two reports in five show some such interval beside zero by "
    "chance.",
)  # fmt: skip


def category_measures(report: CategoryValueReport) -> dict[str, Measure]:
    """AUC gained by each category, as figures that gates may ask for: ``<category>_auc``."""
    found = {}
    for one in report.values:
        held = one.held if one.verdict.words != "INSUFFICIENT" else None
        ends = {end: None if held is None else held[f"auc_difference{mark}"]
                for end, mark in (("value", ""), ("low", "_low"), ("high", "_high"))}  # fmt: skip
        found[f"{one.category}_auc"] = Measure(**ends, n=one.rows, note=one.verdict.words)
    return found


def categories_document(
    report: CategoryValueReport, about: AboutDocument, *, notices: Sequence[str] = ()
) -> dict[str, Any]:
    """The report in the shape of every document about a model.

    Parameters
    ----------
    report : CategoryValueReport
    about : AboutDocument
    notices : sequence of str
        What must be read first, such as that members are simulated.
    """
    return document_of(KIND, about, {
        "measures": measured(KIND, category_measures(report)),
        "tables": {name: rows for name, rows in _tables(report).items() if rows},
        "notes": [*notices, *_NOTES],
        "folds": report.folds,
        "resamples": report.options.resamples,
        "seed": report.options.seed,
    })  # fmt: skip


def write_category_value(report: CategoryValueReport, document: Mapping[str, Any], folder: str | Path) -> list[Path]:
    """Write ``categories.html`` and ``categories.json``; earlier ones in the folder are replaced."""
    return write_document(
        document, folder, title="Does each category earn its weight?", figures=drawings(report),
        lead="The same model with it and without it, on the same members.",
    )  # fmt: skip


def _tables(report: CategoryValueReport) -> dict[str, list[dict[str, Any]]]:
    values = report.values
    return {
        "verdicts": [_verdict(one) for one in values],
        "under_the_contract": [_named(one) | one.held for one in values if one.held],
        "weights_free": [_named(one) | one.free for one in values if one.free],
        "to_withhold_it": [_named(one) | one.withholding for one in values if one.withholding],
        "who_withholds_it": [_named(one) | one.withheld_by for one in values if one.withheld_by],
        "disparity": [_named(one) | line for one in values for line in one.disparity],
    }


def _named(one: CategoryValue) -> dict[str, Any]:
    return {"category": one.category}


def _verdict(one: CategoryValue) -> dict[str, Any]:
    return {
        "category": one.category, "weight": round(one.weight, 10), "rows": one.rows, "bad": one.bad,
        "verdict": one.verdict.words, "why": one.verdict.why,
    }  # fmt: skip
