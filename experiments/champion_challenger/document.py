"""A comparison as the document that is filed about the challenger, and as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import pandas as pd

from benne.experiments.champion_challenger.comparing import ModelComparison
from benne.experiments.champion_challenger.pictures import (
    as_png,
    change_figure,
    drawings,
    parts_figure,
    swap_figure,
)
from benne.experiments.measure import Measure
from benne.experiments.report.document import records_of
from benne.experiments.report.groups import SMALLEST_GROUP
from benne.experiments.report.model_document import AboutDocument, document_of, measured, section, write_document
from benne.features.quality.documents import write_whole

__all__ = ["KIND", "AboutComparison", "comparison_document", "comparison_measures", "write_comparison"]

KIND: Final = "comparison"

_FIGURES: Final = ("auc", "ks", "brier", "log_loss", "ece")
_ACCURACY: Final = (
    "The same rows, with 95 % bootstrap intervals over members. A difference is challenger minus champion with its "
    "paired interval: above 0 the challenger's AUC and KS are better, below 0 its Brier score, log loss and ECE are.",
)
_SWAPS: Final = (
    "Who is let in at each cut-off by both models, by the challenger alone (swapped in), by the champion alone "
    "(swapped out), by neither; first at the same score, then where the challenger lets in as many as the champion. "
    "It earns its place where those it swaps in turn bad less often than those it swaps out.",
)
_WHY: Final = ("Mean change of each part of the score among those who are swapped; the parts sum to the change.",)
_SHIFT: Final = (
    "Challenger minus champion, in points. Base, categories and clipping add up to the change of every score exactly; "
    "share of movement is of the mean absolute changes.",
)
_MATRIX: Final = ("Rows by band of the champion (down) and of the challenger (across), on the champion's bands.",)
_GROUPS: Final = ("Of groups by protected attributes, which are no input and were read for this comparison only.",)


@dataclass(frozen=True, kw_only=True)
class AboutComparison(AboutDocument):
    """What a comparison says of itself, which is a document about the challenger.

    Parameters
    ----------
    model_id, config_hash, made_at, by, trained_on
        See :class:`benne.experiments.report.model_document.AboutDocument`.
    champion : tuple of str
        Model id and configuration hash of the model it is held against, from
        :func:`benne.scoring.decisions.served_model.identity_of`.
    """

    champion: tuple[str, str]

    _which: ClassVar[str] = "one of the models"
    _unseen: ClassVar[str] = " that neither model was trained on"

    def head(self) -> dict[str, Any]:
        """With the champion beside the model."""
        champion = dict(zip(("model_id", "config_hash"), self.champion, strict=True))
        head = AboutDocument.head(self)
        return {"model": head.pop("model"), "champion": champion, **head}


def comparison_measures(found: ModelComparison) -> dict[str, Measure]:
    """Figures that a gate may ask for, the challenger's minus the champion's."""
    measures = {
        f"{name}_difference": _difference(found, name) for name in _FIGURES
    } | {
        "mean_change": Measure(value=found.summary["mean"], n=found.rows, note="points"),
        "mean_absolute_change": Measure(value=found.summary["mean_absolute"], n=found.rows, note="points"),
    }  # fmt: skip
    swapped = found.swaps[found.swaps["set"].str.startswith("swapped") & (found.swaps["at"] == "same score")]
    shares = {float(str(cutoff)): float(own["share"].sum()) for cutoff, own in swapped.groupby("cutoff")
              if own["share"].notna().all()}  # fmt: skip
    worst = max(shares, key=lambda cutoff: shares[cutoff], default=None)
    measures["swapped"] = Measure(
        value=None if worst is None else shares[worst], n=found.rows,
        note="too few are swapped to be told" if worst is None else f"at {worst:g}",
    )  # fmt: skip
    return measures


def comparison_document(found: ModelComparison, about: AboutComparison) -> dict[str, Any]:
    """The comparison as plain JSON: the same figures, the same bytes."""
    differences = [
        {"figure": name.upper() if name in ("auc", "ks", "ece") else name.replace("_", " "), **_line(found, name)}
        for name in _FIGURES
        if len(found.figures)
    ]
    tables = {
        "figures": differences, **_by_rule("swaps", found.swaps), **_by_rule("swap_parts", found.swap_parts),
        "movers": records_of(found.movers), "parts": records_of(found.parts), "features": records_of(found.features),
        "bands": records_of(found.matrix), "histogram": records_of(found.histogram),
        **_by_rule("groups", found.groups),
    }  # fmt: skip
    return document_of(KIND, about, {
        "cutoffs": [int(mark) for mark in found.cutoffs],
        "seed": found.seed,
        "rows": found.rows,
        "members": found.members,
        "known": found.known,
        "summary": {name: round(value, 10) for name, value in found.summary.items()},
        "measures": measured(KIND, comparison_measures(found)),
        "tables": tables,
        "sections": [
            section("accuracy", "Is it more accurate?", _ACCURACY, "figures"),
            section("swaps", "Who would be treated otherwise", _SWAPS, *_both("swaps")),
            section("why", "Why they are swapped", _WHY, *_both("swap_parts")),
            section("shift", "Who moves, and why", _SHIFT, "movers", "parts", "features"),
            section("bands", "From band to band", _MATRIX, "bands"),
            *([section("groups", "Groups", _GROUPS, *_both("groups"))] if len(found.groups) else []),
        ],
        "notes": [*about.reservations(), *_notes(found)],
    })  # fmt: skip


def write_comparison(found: ModelComparison, folder: str | Path, about: AboutComparison) -> list[Path]:
    """Write a comparison for people and for programs.

    Returns
    -------
    list of Path
        ``comparison.html``, ``comparison.json`` and the pictures as PNG: the same bytes for the same comparison and
        ``about``.
    """
    rows = f"{found.rows:,} rows of {found.members:,} members{about.unseen}."
    lead = f"{about.model_id} against {about.champion[0]}: {rows}"
    document, title = comparison_document(found, about), "Challenger against champion"
    written = write_document(document, folder, title=title, lead=lead, figures=drawings(found))
    figures = {"change.png": change_figure(found.histogram), "parts.png": parts_figure(found.parts)}
    if found.swaps["bad_rate"].notna().any():
        figures["swaps.png"] = swap_figure(found.swaps)
    return [*written, *(write_whole(as_png(figure), Path(folder) / name) for name, figure in figures.items())]


def _by_rule(name: str, table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """A table for each way of putting the challenger's cut-off beside the champion's."""
    if not len(table):
        return {full: [] for full in _both(name)}
    return {
        full: records_of(table[table["at"] == at].drop(columns="at"))
        for full, at in zip(_both(name), ("same score", "equal approval"), strict=True)
    }


def _both(name: str) -> tuple[str, str]:
    return f"{name}.at_the_same_score", f"{name}.where_as_many_are_let_in"


def _difference(found: ModelComparison, name: str) -> Measure:
    if not len(found.figures):
        return Measure(value=None, n=found.known, note="too few outcomes, or of one kind")
    line = _line(found, name)
    return Measure(value=line["difference"], low=line["difference_low"], high=line["difference_high"], n=found.known)


def _line(found: ModelComparison, name: str) -> dict[str, Any]:
    def of(who: str, column: str) -> float:
        return float(found.figures[column].loc[who])

    line = {f"{who}{end}": of(who, f"{name}{end}") for who in ("champion", "challenger")
            for end in ("", "_low", "_high")}  # fmt: skip
    line |= {f"difference{end}": of("champion", f"{name}_difference{end}") for end in ("", "_low", "_high")}
    return records_of(pd.DataFrame([line]))[0]


def _notes(found: ModelComparison) -> list[str]:
    notes = []
    if not len(found.figures):
        notes.append("Accuracy is not compared: outcomes are not known, too few, or of one kind.")
    refused = {who: n for who, n in found.left_out.items() if n}
    if refused:
        told = ", ".join(f"{who}: {'fewer than ten' if n < SMALLEST_GROUP else f'{n:,}'}" for who, n in refused.items())
        notes.append(f"Rows left out because a model refuses them, by whom: {told}.")
    notes.append("No figure rests on fewer than ten rows; where there were fewer, it is left out.")
    return notes
