"""A fairness audit as the document that is filed about a model, and as files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benne.experiments.fairness.alternatives import Alternatives
from benne.experiments.fairness.assessing import FairnessReport
from benne.experiments.fairness.measures import fairness_measures
from benne.experiments.fairness.pictures import audit_drawings, front_drawing
from benne.experiments.report.document import records_of
from benne.experiments.report.model_document import AboutDocument, document_of, measured, section, write_document
from benne.features.quality.documents import write_whole

__all__ = ["CANDIDATES", "KIND", "AboutAudit", "fairness_document", "write_fairness_report"]

KIND: Final = "fairness"
CANDIDATES: Final = "alternatives.csv"

_MOST_NAMED: Final = 12

_PASSES: Final = (
    "Selection rate: share of a group whose score reaches the cut-off. Adverse impact ratio: that rate over the "
    "reference's; 1 is equal.",
    "Equal opportunity: share of those who stayed good that pass, less the reference's. False positive: the same of "
    "those who became bad; false negative: share of the good who do not pass, less the reference's. Calibration gap: "
    "observed less predicted bad rate of those who pass.",
)
_MEANS: Final = (
    "Standardised mean difference: mean score less the reference's, in pooled standard deviations. Calibration gap: "
    "observed less predicted bad rate, of the group and in each band of it; above 0, the score favours the group.",
)
_PROXIES: Final = (
    "How well inputs of the model tell a protected attribute, on members that were not learned from: all together, "
    "then the five that tell most. AUC 0.5 and R2 0 are chance.",
)
_FLIPS: Final = ("Scores that changed when nothing but a protected attribute did. None may.",)
_SEARCHED: Final = (
    "Other models fitted on the same members and measured on others, reference points for a decision that people make. "
    "Changes are from the model as given, with 95 % intervals, both in the same resamples of whole members. Each was "
    "kept on the front or rejected: contract impossible, performance or equal opportunity worse beyond what was "
    "declared, no less disparity beyond chance, or another candidate no worse in both.",
    "INSUFFICIENT recommends nothing, and so does what lies within chance.",
)


@dataclass(frozen=True, kw_only=True)
class AboutAudit(AboutDocument):
    """What an audit says of itself.

    Parameters
    ----------
    model_id, config_hash, made_at, by, trained_on
        See :class:`benne.experiments.report.model_document.AboutDocument`.
    purpose : str
        For which the protected attributes were read; empty where none was stated.
    """

    purpose: str = ""

    def head(self) -> dict[str, Any]:
        """With the purpose."""
        return {**AboutDocument.head(self), "purpose": self.purpose}


def fairness_document(
    report: FairnessReport, about: AboutAudit, *, alternatives: Alternatives | None = None
) -> dict[str, Any]:
    """The audit as plain JSON: the same figures, the same bytes."""
    found, searched = report.disparities, alternatives is not None
    return document_of(KIND, about, {
        "cutoffs": list(report.cutoffs),
        "seed": report.seed,
        "rows": report.rows,
        "members": report.members,
        "left_out": report.left_out,
        "options": _options(report),
        "protected_inputs": list(report.protected_inputs),
        "measures": measured(KIND, fairness_measures(report)),
        "tables": {
            "groups": [_found_first(line) for line in records_of(found.by_group)],
            "cutoffs": [_found_first(_whole(line)) for line in records_of(found.by_cutoff)],
            "bands": records_of(found.by_band), "proxies": records_of(report.proxies),
            "flips": records_of(report.flips),
            **({"alternatives": alternatives.as_records()} if alternatives is not None else {}),
        },
        **({"search": _declared(alternatives)} if alternatives is not None else {}),
        "sections": [
            section("passes", "Who passes each cut-off", _PASSES, "cutoffs"),
            section("means", "What a score means for each group", _MEANS, "groups", "bands"),
            section("proxies", "What tells a protected attribute", _PROXIES, "proxies"),
            section("flips", "Flip test", _FLIPS, "flips"),
            *([section("alternatives", "Less discriminatory alternatives", _SEARCHED, "alternatives")] * searched),
        ],
        "notes": [*about.reservations(), *_notes(report)],
    })  # fmt: skip


def write_fairness_report(
    report: FairnessReport, folder: str | Path, about: AboutAudit, *, alternatives: Alternatives | None = None
) -> list[Path]:
    """Write an audit for people and for programs.

    Returns
    -------
    list of Path
        ``fairness.html`` and ``fairness.json``, and ``alternatives.csv`` where there was a search: the same bytes for
        the same audit and ``about``.
    """
    drawn = audit_drawings(report.disparities, report.options.review_below)
    if alternatives is not None:
        drawn["What fairer models would cost"] = front_drawing(alternatives.table)
    lead = f"{report.rows:,} rows of {report.members:,} members{about.unseen}."
    document = fairness_document(report, about, alternatives=alternatives)
    written = write_document(document, folder, title="Fairness audit", lead=lead, figures=drawn)
    if alternatives is not None:
        csv = alternatives.table.to_csv(index=False, float_format="%.10g")
        written.append(write_whole(csv.encode(), Path(folder) / CANDIDATES))
    return written


def _found_first(line: dict[str, Any]) -> dict[str, Any]:
    """What was found stands beside whom it is of: behind all figures nobody would see it."""
    whom = {key: line[key] for key in ("attribute", "group", "cutoff") if key in line}
    return whom | {"finding": line["finding"]} | line


def _options(report: FairnessReport) -> dict[str, Any]:
    told = dataclasses.asdict(report.options)
    told["edges"] = {name: list(edges) for name, edges in told["edges"].items()}
    return told | {"reference": dict(told["reference"]), "intersections": [list(p) for p in told["intersections"]]}


def _declared(found: Alternatives) -> dict[str, Any]:
    return {**dataclasses.asdict(found.search), "train_rows": found.train_rows, "test_rows": found.test_rows}


def _notes(report: FairnessReport) -> list[str]:
    at, notes = report.disparities.by_cutoff, []
    if review := _named(at[at["finding"] == "review"]):
        least = report.options.review_below
        notes.append(f"Review: of two groups, one passes at less than {least:g} of the other's rate: {review}.")
    if few := _named(at[at["finding"] == "INSUFFICIENT"]):
        notes.append(f"INSUFFICIENT, which is no pass: {few}.")
    told = report.proxies[report.proxies["finding"] == "review"] if len(report.proxies) else report.proxies
    if len(told):
        names = dict.fromkeys(f"{row.attribute} {row.group} by {row.features}".replace("  ", " ")
                              for row in told.itertuples())  # fmt: skip
        notes.append(f"Proxies to look at: {'; '.join(names)}.")
    if changed := int(report.flips["changed"].sum()):
        notes.append(f"The flip test found {changed:,} scores that change with a protected attribute. No model may.")
    if report.protected_inputs:
        notes.append(f"Inputs about something protected: {', '.join(report.protected_inputs)}. Take them out.")
    left = ", ".join(f"{reason}: {count:,}" for reason, count in report.left_out.items() if count)
    return [*notes, f"Rows set apart: {left}."] if left else notes


def _named(table: Any) -> str:
    names = [f"{row.attribute} {row.group} at {row.cutoff:g}" for row in table.itertuples()]
    more = [f"and {len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return "; ".join([*names[:_MOST_NAMED], *more])


def _whole(line: dict[str, Any]) -> dict[str, Any]:
    """A cut-off of 600 points is read as 600."""
    return line | {"cutoff": int(line["cutoff"])} if line["cutoff"] == int(line["cutoff"]) else line
