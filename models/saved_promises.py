"""What a saved model promises, checked again when it is read: fitting checksums say nothing about sense."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benne.errors import ModelDirectoryError
from benne.models.booster_text import check_booster_text
from benne.models.cohorts import SMALLEST_COHORT
from benne.models.consent_patterns import allowed_patterns
from benne.models.histogram_saving import check_histograms
from benne.models.weight_contract import SHARES_HOLD_TO, largest_miss

if TYPE_CHECKING:
    from benne.models.category_layout import CategoryLayout
    from benne.models.pd_interval import PdUncertainty
    from benne.models.persistence import ModelState
    from benne.models.reference_sample import PatternReference
from benne.models.score_function import PatternWeights

__all__ = ["check_promises"]


def check_promises(state: ModelState) -> None:
    """Refuse a model that could not have come out of a fit.

    Raises
    ------
    ModelDirectoryError
        If a weight, multiplier, intercept, pattern, class or share is not as a fit leaves it.
    ParameterError
        If the scale cannot be used.
    """
    layout = state.layout
    _check_layout(layout, state.rules.columns)
    rules = state.rules
    _must(
        not np.isnan([*rules.minimum, *rules.maximum]).any() and all(isinstance(n, bool) for n in rules.nullable),
        "ranges of numbers and yes or no for nulls",
        "others",
    )
    state.scale.check()
    _must(
        len(state.classes) == 2 and bool(state.classes[0] < state.classes[1]), "two classes in sorted order", "others"
    )
    patterns = state.learned.patterns
    _must([p.used for p in patterns] == allowed_patterns(layout), "every allowed pattern of consent once", "others")
    _must(set(state.learned.calibration_reports) == {p.used for p in patterns}, "a report per pattern", "others")
    for booster in state.learned.boosters:
        _check_reference(booster.reference, layout)
        check_booster_text(booster.text, len(layout.column_category))
    _must(
        len(state.learned.boosters[0].reference) == state.learned.contract_report.reference_rows,
        "a reference sample as long as reported",
        "another",
    )
    for pattern in patterns:
        _check_pattern(pattern, layout, len(state.learned.boosters))
        _check_shares(pattern, state)
    _check_references(state)
    if state.histograms is not None:
        bands = [band.name for band in state.scale.bands]
        check_histograms(state.histograms, rules.columns, bands, [pattern.used for pattern in patterns])
    for unknown, edges in zip(state.learned.uncertainty, state.learned.percentiles, strict=True):
        _check_uncertainty(unknown)
        _must(all(map(_is_number, edges)) and list(edges) == sorted(edges), "percentiles in order", "others")


def _check_layout(layout: CategoryLayout, columns: Collection[str]) -> None:
    names, of = layout.names, layout.column_category
    _must(len(set(names)) == len(names) and _all_text(names), "category names that differ", "others")
    _must(
        len(of) == len(columns) == len(set(columns)) and _all_text(columns) and set(of) == set(range(len(names))),
        "one category for every column, and a column for every category",
        "another layout",
    )
    weights = layout.weights
    sound = len(weights) == len(names) and all(_is_number(w) and w > 0 for w in weights)
    _must(sound and abs(math.fsum(weights) - 1.0) < 1e-9, "positive weights that sum to 1", "others")
    kept = all(_is_number(tolerance) and 0.0 <= tolerance <= 1.0 for tolerance in layout.tolerances)
    _must(kept and len(layout.tolerances) == len(names), "a tolerance within [0, 1] for each category", "others")


def _check_reference(reference: npt.NDArray[np.float64], layout: CategoryLayout) -> None:
    _must(
        reference.ndim == 2 and reference.shape[1] == len(layout.names) and reference.size > 0
        and bool(np.isfinite(reference).all()),
        "a reference sample of finite numbers for each booster",
        "another",
    )  # fmt: skip


def _check_references(state: ModelState) -> None:
    """Averages of the reference sample say of each category what the category's own values say."""
    learned, layout = state.learned, state.layout
    _must(len(learned.reference) in (0, len(learned.patterns)), "averages of every pattern of consent", "others")
    for kept, pattern in zip(learned.reference, learned.patterns):  # noqa: B905 - none where an older Benne kept none
        same = pattern.booster > 0 or kept.sha256 == learned.contract_report.reference_sha256
        _must(same, "one hash of its reference sample", "two")
        _check_cohorts(kept, layout)
        if len(kept.members):
            own = learned.boosters[pattern.booster].reference.mean(axis=0) * np.array(pattern.multipliers)
            points = kept.average()[0]
            sums = np.array([points[group].sum() for group in layout.groups])
            agree = np.allclose(sums, -state.scale.points_per_log_odds * own, rtol=0.0, atol=1e-6)
            _must(agree, "averages of features that sum to those of their category", "others")


def _check_cohorts(kept: PatternReference, layout: CategoryLayout) -> None:
    cohorts, numbers = len(kept.members), (kept.score, kept.points, kept.least, kept.most)
    ends = len(layout.names) if cohorts else 0
    _must(
        kept.score.shape == (cohorts,) and kept.points.shape == (cohorts, len(layout.column_category))
        and kept.least.shape == kept.most.shape == (ends,) and all(np.isfinite(part).all() for part in numbers)
        and bool((kept.members >= SMALLEST_COHORT).all()) and bool((np.diff(kept.score) >= 0).all())
        and (kept.members.sum() == kept.rows if cohorts else kept.rows < SMALLEST_COHORT),
        f"averages over {SMALLEST_COHORT} members or more",
        "others",
    )  # fmt: skip


def _check_uncertainty(unknown: PdUncertainty) -> None:
    errors = (*unknown.error, *unknown.thin_error, unknown.spread or 0.0, unknown.thin_spread or 0.0)
    _must(
        all(_is_number(e) and e >= 0 for e in errors)
        and all(map(_is_number, unknown.edges))
        and len(unknown.error) == len(unknown.thin_error) == len(unknown.edges) + 1,
        "an error for every range of log odds",
        "others",
    )


def _check_pattern(pattern: PatternWeights, layout: CategoryLayout, boosters: int) -> None:
    given = pattern.multipliers
    _must(
        len(given) == len(layout.names)
        and all(_is_number(a) and a >= 0 for a in given)
        and all(a == 0 for name, a in zip(layout.names, given, strict=True) if name not in pattern.used),
        "a finite multiplier, not negative, for each category, and zero for what is withheld",
        "others",
    )
    _must(_is_number(pattern.intercept), "a finite intercept for each pattern", "another")
    _must(type(pattern.booster) is int and 0 <= pattern.booster < boosters, "a booster for each pattern", "none")


def _check_shares(pattern: PatternWeights, state: ModelState) -> None:
    """Recompute the pattern's shares on the reference sample: a saved promise is checked, not trusted."""
    contract = state.layout.contract_over(pattern.used)
    if not any(pattern.multipliers):
        _must(not contract.binds, "multipliers that carry the weights", "zeros")
        return
    inside = [name in pattern.used for name in state.layout.names]
    reference = state.learned.boosters[pattern.booster].reference
    missed = largest_miss(contract, (reference * np.array(pattern.multipliers))[:, inside])
    if not missed <= SHARES_HOLD_TO:
        raise ModelDirectoryError(
            f"Shares on the reference sample must be within {SHARES_HOLD_TO:g} of what the contract allows, "
            f"got {missed:g} off. Fit anew."
        )


def _all_text(names: Collection[Any]) -> bool:
    return all(isinstance(name, str) for name in names)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _must(holds: bool, what: str, got: str) -> None:
    if not holds:
        raise ModelDirectoryError(f"A saved model must have {what}, got {got}. Restore it, or fit anew.")
