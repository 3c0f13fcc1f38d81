"""Every figure that gates ask for, measured on the validator's evidence; what cannot be measured says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pandas as pd

from benne.errors import BenneError, GovernanceError, LabelError
from benne.experiments.measure import Measure, measures_of
from benne.experiments.report.document import records_of
from benne.experiments.report.groups import join_small
from benne.experiments.report.sample import Sample, sample_of
from benne.experiments.validation.candidate import Candidate
from benne.experiments.validation.evidence import Evidence
from benne.experiments.validation.model_figures import (
    calibration_measures,
    discrimination_measures,
    latency,
    pattern_table,
    points_gap,
    ranking_measures,
    stability,
)
from benne.experiments.validation.slope import slope_measures
from benne.features import registry
from benne.models import CalibrationReport, CreditScoreModel, withheld_of
from benne.models.calibration import calibration_report
from benne.scoring.batch import unscorable
from benne.scoring.governance.metrics import METRICS

if TYPE_CHECKING:
    from benne.experiments.fairness import FairnessReport
    from benne.experiments.gaming import GamingReport
    from benne.experiments.labelling import LabelledRows
    from benne.experiments.model_card.card import ModelCard
    from benne.experiments.tracking import Tracking

__all__ = ["STAGES", "Measured", "measure"]

STAGES: Final = ("figures", "patterns", "promises", "fairness", "gaming", "documentation")
Say = Callable[[str], None]
_Report = TypeVar("_Report")
_LEAST_SHARE: Final = 0.01  # told as such: a share of 0 % beside rows that were left out would be wrong


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Parameters
    ----------
    measures : dict of str to Measure
        One for each of :data:`benne.scoring.governance.metrics.METRICS`, and whatever was measured beside them.
    tables : dict of str to list of dict
        No group of fewer than ten.
    calibration : CalibrationReport or None
        Of the rows; None where too few could be scored.
    notes : list of str
    fairness : FairnessReport or None
        None where protected attributes were not given, or could not be used.
    gaming : GamingReport or None
        None where the attacks could not be tried.
    """

    measures: dict[str, Measure]
    tables: dict[str, list[dict[str, Any]]]
    calibration: CalibrationReport | None = field(repr=False)
    notes: list[str]
    fairness: FairnessReport | None = field(default=None, repr=False)
    gaming: GamingReport | None = field(default=None, repr=False)


def measure(
    candidate: Candidate,
    model: CreditScoreModel,
    evidence: Evidence,
    tracking: Tracking | None,
    *,
    cutoffs: Sequence[float] = (),
    on_stage: Say = lambda _: None,
) -> Measured:
    """Measure everything that can be; the rest is INSUFFICIENT, with the reason.

    Parameters
    ----------
    candidate : Candidate
    model : CreditScoreModel
        Loaded from its files.
    evidence : Evidence
        Its rows are of members who were not trained on.
    tracking : Tracking or None
        Where the run's card is, if there is a run.
    cutoffs : sequence of float
        Lowest scores that pass, for fairness; by default the lower ends of all bands but the worst and the best.
    on_stage : callable
        Told each of :data:`STAGES` as it begins.

    Raises
    ------
    LabelError
        If fewer than ten rows can be scored, or all became the same.
    """
    sample, rows = sample_of(model, evidence.rows), _scorable(model, evidence.rows)
    report = calibration_report(sample.log_odds, sample.bad, model.scale_)
    on_stage("figures")
    found = discrimination_measures(sample, evidence.seed, evidence.resamples) | ranking_measures(report)
    on_stage("patterns")
    patterns = pattern_table(model, rows.features, rows.bad)
    found |= calibration_measures(report, patterns)
    found |= slope_measures(sample.log_odds, sample.bad, sample.members, report.slope, report.intercept)
    on_stage("promises")
    found |= _promises(model, sample, rows, evidence)
    on_stage("fairness")
    fairness, of_fairness = _of_part("fairness", lambda: _fairness(model, rows, evidence, cutoffs))
    on_stage("gaming")
    gaming, of_gaming = _of_part("gaming", lambda: _gaming(model, rows, evidence))
    found |= of_fairness | of_gaming
    on_stage("documentation")
    found |= _documentation(candidate, model, tracking) | _labels(rows)
    tables = {"validation.bands": records_of(join_small(report.by_band).rename_axis("band")),
              "validation.patterns": records_of(patterns.rename_axis("pattern"))}  # fmt: skip
    return Measured(found, tables, report, _notes(sample), fairness, gaming)


def _scorable(model: CreditScoreModel, rows: LabelledRows) -> LabelledRows:
    kept = np.flatnonzero(unscorable(model, rows.features, withheld_of(rows.features)) == "")
    return rows.part(kept, rows.left_out)


def _promises(model: CreditScoreModel, sample: Sample, rows: LabelledRows, evidence: Evidence) -> dict[str, Measure]:
    contract = model.contract_report_
    return {
        "stability.psi": stability(sample),
        "contract.largest_miss": Measure(value=float(contract.largest_miss), n=len(contract.shares)),
        "points.largest_gap": points_gap(model, rows.features),
        "latency.one_row_ms": latency(model, rows.features, evidence.seconds),
    }


def _of_part(
    part: str, measured: Callable[[], tuple[_Report, Mapping[str, Measure]]]
) -> tuple[_Report | None, dict[str, Measure]]:
    """A part's report and figures; where it refuses there is none, and each of its figures says why."""
    names = [name for name in METRICS if name.startswith(f"{part}.")]
    try:
        report, figures = measured()
    except BenneError as error:
        return None, {name: Measure(value=None, n=0, note=str(error)) for name in names}
    missing = Measure(value=None, n=0, note="not measured")
    return report, dict.fromkeys(names, missing) | measures_of({part: figures})


def _fairness(
    model: CreditScoreModel, rows: LabelledRows, evidence: Evidence, cutoffs: Sequence[float]
) -> tuple[FairnessReport, Mapping[str, Measure]]:
    protected = evidence.attributes_of(rows)
    if protected is None:
        raise LabelError("No protected attributes were given. Name them: --protected")
    from benne.experiments.fairness import assess_fairness, fairness_measures

    passing = cutoffs or [band.lowest for band in model.scale_.bands[1:-1]]
    report = assess_fairness(model, rows.features, rows.bad, protected, cutoffs=passing, seed=evidence.seed)
    return report, fairness_measures(report)


def _gaming(
    model: CreditScoreModel, rows: LabelledRows, evidence: Evidence
) -> tuple[GamingReport, Mapping[str, Measure]]:
    from benne.experiments.gaming import GamingOptions, gaming_measures, spending_test, stress_test

    options = GamingOptions() if evidence.costs is None else GamingOptions(costs=evidence.costs)
    report = stress_test(model, rows.features, rows.bad, options=options, seed=evidence.seed)
    if evidence.events is not None:
        spending = spending_test(model, evidence.events, rows.features, seed=evidence.seed)
        report = replace(report, spending=spending)
    return report, gaming_measures(report)


def _documentation(candidate: Candidate, model: CreditScoreModel, tracking: Tracking | None) -> dict[str, Measure]:
    def found() -> tuple[ModelCard, dict[str, Measure]]:
        card = _card(candidate, tracking)
        return card, {"card_complete": card.card_complete}

    card, figures = _of_part("documentation", found)
    said = set() if card is None else _reasoned(card)
    names = [str(name) for name in model.feature_names_in_]
    known = {name for name in names if name in registry and registry[name].rationale.strip()}
    without = [name for name in names if name not in known | said]
    told = Measure(value=float(len(without)), n=len(names), note=", ".join(without[:3]))
    return figures | {"documentation.without_rationale": told}


def _card(candidate: Candidate, tracking: Tracking | None) -> ModelCard:
    if tracking is None or candidate.run_id is None:
        raise LabelError("A folder has no card. Validate the run, whose card was logged with it.")
    from benne.experiments.model_card.registered import card_of_run

    card = card_of_run(tracking, candidate.run_id)
    if card.config_hash != candidate.config_hash:
        raise GovernanceError("The run's card must be about the model's own files, got one about others. Train again.")
    return card


def _reasoned(card: ModelCard) -> set[str]:
    """Features of which the card says why they are in the model."""
    lines = card.sections["features"].tables.get("features", []) if "features" in card.sections else []
    return {str(line["feature"]) for line in lines if str(line.get("rationale") or "").strip()}


def _labels(rows: LabelledRows) -> dict[str, Measure]:
    from benne.experiments.report.label_influence import LabelInfluence, influence_measures

    flags = np.full(len(rows.bad), np.nan) if rows.influenced is None else rows.influenced
    none = pd.DataFrame()
    known = LabelInfluence(
        rows=len(flags), known=int((~np.isnan(flags)).sum()), influenced=int(np.nansum(flags)), offered=None,
        without_outcome=None, refused_by_score=None, parts=none, by_band=none,
    )  # fmt: skip
    share = influence_measures(known)["influenced_share"]
    told = share.note if share.value is None else "of the outcomes that were validated on"
    return {"labels.influenced_share": replace(share, note=told)}


def _notes(sample: Sample) -> list[str]:
    if not sample.not_scored:
        return []
    share = sample.not_scored / (sample.not_scored + len(sample.bad))
    told = "Fewer than 1%" if share < _LEAST_SHARE else f"{share:.0%}"
    return [f"{told} of the rows could not be scored, and are in no figure."]
