"""The search for a less discriminatory alternative: what else could be used, what it would cost, and why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.errors import FairnessError, ModelError
from benne.experiments.fairness.assessing import disparities_of
from benne.experiments.fairness.candidates import Candidate, candidates_of, unfitted
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.measures import disparity_measures
from benne.experiments.fairness.options import FairnessOptions, checked_cutoffs
from benne.experiments.fairness.proxies import proxies_in_order
from benne.experiments.fairness.scored_members import attributes_of, checked_outcomes, scored_members
from benne.experiments.figures import CalibrationError
from benne.experiments.labelling import label_rows
from benne.experiments.members import members_of
from benne.experiments.report.document import records_of
from benne.experiments.splitting import Splitting
from benne.experiments.training import TrainingSplit, split_labelled
from benne.features import split_mask
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel
from benne.models.resampling import metrics_of

__all__ = ["ON_THE_FRONT", "AlternativeSearch", "Alternatives", "search_alternatives"]

Floats = npt.NDArray[np.float64]

ON_THE_FRONT: Final = "on the front"
_GIVEN: Final = "as given"
_FIGURES: Final = (
    "auc", "brier", "ece", "adverse_impact_ratio", "equal_opportunity_gap", "standardised_mean_difference",
)  # fmt: skip
_FEW_RESAMPLES: Final = 20  # of intervals, which are not shown here


@dataclass(frozen=True, kw_only=True)
class AlternativeSearch:
    """How much is tried, and how much performance may be given for it: both declared before.

    Parameters
    ----------
    draws : int, default=20
        Candidates beside the model as given.
    seed : int, default=0
        Of the split and of what is drawn.
    test_share : float, default=0.3
        Share of members that candidates are measured on.
    auc_tolerance, brier_tolerance, ece_tolerance : float
        How much worse than the model as given a candidate may be.
    least_gain : float, default=0.005
        By how much the adverse impact ratio, or the standardised mean difference, must be better, or worse, to count.
    """

    draws: int = 20
    seed: int = 0
    test_share: float = 0.3
    auc_tolerance: float = 0.01
    brier_tolerance: float = 0.003
    ece_tolerance: float = 0.01
    least_gain: float = 0.005

    def check(self) -> None:
        """Refuse what is out of its domain.

        Raises
        ------
        FairnessError
        """
        if self.draws < 1:
            raise FairnessError(f"A search must try at least one alternative, got {self.draws!r}. Take 20.")
        for name in ("auc_tolerance", "brier_tolerance", "ece_tolerance", "least_gain"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise FairnessError(f"{name} must be from 0 to below 1, got {getattr(self, name)!r}. Take a small one.")


@dataclass(frozen=True)
class Alternatives:
    """Every candidate, what it does, and why it was kept or rejected.

    Parameters
    ----------
    search : AlternativeSearch
    train_rows, test_rows : int
    table : DataFrame
        One row per candidate, the model as given first: ``candidate``, ``dropped``, ``tolerance``, the booster's
        options, figures on held-out members (null where it could not be fitted or compared), ``verdict``, ``why``.
    """

    search: AlternativeSearch
    train_rows: int
    test_rows: int
    table: pd.DataFrame = field(repr=False)

    def as_records(self) -> list[dict[str, Any]]:
        """Lines for JSON."""
        return records_of(self.table)


def search_alternatives(
    model: CreditScoreModel,
    features: pd.DataFrame,
    bad: npt.ArrayLike,
    protected: pd.DataFrame,
    *,
    cutoffs: Sequence[float],
    search: AlternativeSearch | None = None,
    options: FairnessOptions | None = None,
    on_candidate: Callable[[Candidate], None] | None = None,
) -> Alternatives:
    """Fit and measure other models on the same rows: reference points for a decision that people make.

    Parameters
    ----------
    model : CreditScoreModel
        Its parameters are the start; it is not changed. The model as given is fitted again on the training part, so
        that it and the candidates have learned from the same members.
    features, bad, protected, cutoffs, options
        As :func:`benne.experiments.fairness.assess_fairness`; rows whose outcome is not known are left out.
    search : AlternativeSearch, optional
    on_candidate : callable, optional
        Told each candidate before it is fitted.

    Returns
    -------
    Alternatives
        The same for the same rows, parameters and seeds.

    Notes
    -----
    A candidate is rejected if its contract has no solution, if too little is known to compare it (INSUFFICIENT), if it
    loses more performance than declared, if it does not even out more than the model as given (in the adverse impact
    ratio or the standardised mean difference, and the other no worse), or if another candidate is at least as good in
    AUC and in both of these, and better in one. What is left is the Pareto front.

    References
    ----------
    Gillis, Meursault and Ustun, "Operationalizing the search for less discriminatory alternatives in fair lending",
    FAccT 2024; 12 CFR 1002.6(a), comment 2 (until July 2026).
    """
    search, options, passing = search or AlternativeSearch(), options or FairnessOptions(), checked_cutoffs(cutoffs)
    search.check()
    options.check()
    trial = _Trial(model, _split(features, bad, search), protected, passing, options, search)
    tell = on_candidate or (lambda _: None)
    lines = []
    for candidate in candidates_of(model, trial.proxies(), search.seed, search.draws):
        tell(candidate)
        lines.append(trial.line(candidate))
    table = pd.DataFrame(_judged(lines, search))
    return Alternatives(search, len(trial.split.train.bad), len(trial.split.test.bad), table)


@dataclass(frozen=True)
class _Trial:
    """What every candidate is fitted and measured on."""

    model: CreditScoreModel
    split: TrainingSplit
    protected: pd.DataFrame
    cutoffs: tuple[float, ...]
    options: FairnessOptions
    search: AlternativeSearch

    def proxies(self) -> list[str]:
        """Inputs, the strongest proxy first, on the training rows."""
        rows = self.split.train.features
        attributes = attributes_of(rows, self.protected)[0].reset_index(drop=True)
        members = members_of(rows)
        groupings = groupings_of(attributes, members, self.options)
        inputs = rows[[name for name in rows.columns if name not in MASK_COLUMNS.values()]]
        return proxies_in_order(inputs, attributes, groupings, members, self.options, self.search.seed)

    def line(self, candidate: Candidate) -> dict[str, Any]:
        """What the candidate is, and what it does; no figures and why where it cannot be fitted."""
        booster = {name: getattr(candidate.booster, name)
                   for name in ("max_depth", "l2", "rows_in_leaf", "column_share", "row_share")}  # fmt: skip
        line: dict[str, Any] = {
            "candidate": candidate.name, "dropped": ", ".join(candidate.dropped), "tolerance": str(candidate.tolerance),
            **booster, **dict.fromkeys(_FIGURES, np.nan), "why": "",
        }  # fmt: skip
        try:
            fitted = self._fitted(candidate)
        except ModelError as refusal:
            return line | {"why": f"contract impossible: {refusal}"}
        return line | self._figures(fitted, candidate)

    def _fitted(self, candidate: Candidate) -> CreditScoreModel:
        train = self.split.train
        rows = dataclasses.replace(train, features=train.features.drop(columns=list(candidate.dropped)))
        inputs = list(split_mask(train.features)[0].columns)
        return dataclasses.replace(self.split, train=rows).fit(unfitted(self.model, candidate, inputs))

    def _figures(self, fitted: CreditScoreModel, candidate: Candidate) -> dict[str, Any]:
        test = self.split.test
        rows = test.features.drop(columns=list(candidate.dropped))
        scored = scored_members(fitted, rows, test.bad, self.protected)
        few = dataclasses.replace(self.options, resamples=_FEW_RESAMPLES)
        groupings = groupings_of(scored.protected, scored.members, few)
        found = disparity_measures(
            disparities_of(scored, groupings, self.cutoffs, fitted.scale_, few, self.search.seed)
        )
        ones = np.ones(len(scored.bad))
        figures = metrics_of(scored.log_odds, scored.bad, ones)
        told = {name: one.value for name, one in found.items() if name in _FIGURES}
        lacking = [name for name, value in told.items() if value is None]
        return {
            "auc": figures["auc"], "brier": figures["brier"],
            "ece": CalibrationError(scored.log_odds, scored.bad).under(ones),
            **{name: np.nan if value is None else value for name, value in told.items()},
            "why": f"INSUFFICIENT: {', '.join(lacking)}" if lacking else "",
        }  # fmt: skip


def _split(features: pd.DataFrame, bad: npt.ArrayLike, search: AlternativeSearch) -> TrainingSplit:
    outcomes = features.index.to_frame(index=False).assign(bad=checked_outcomes(bad, len(features)))
    return split_labelled(label_rows(features, outcomes), Splitting("member", search.test_share, search.seed))


def _judged(lines: list[dict[str, Any]], search: AlternativeSearch) -> list[dict[str, Any]]:
    given = lines[0]
    if given["why"]:
        raise FairnessError(f"The model as given must fit and be compared on these rows, got {given['why']} Add rows.")
    rejected = {k: _why_not(line, given, search) for k, line in enumerate(lines) if k}
    left = [k for k in range(len(lines)) if not rejected.get(k)]
    judged = []
    for k, line in enumerate(lines):
        why = rejected.get(k) or _beaten(line, [lines[other] for other in left if other != k])
        kept = f"{_GIVEN}, {ON_THE_FRONT}" if k == 0 else ON_THE_FRONT
        told = (_GIVEN if k == 0 else "rejected") if why else kept
        judged.append({name: value for name, value in line.items() if name != "why"} | {"verdict": told, "why": why})
    return judged


def _why_not(line: dict[str, Any], given: dict[str, Any], search: AlternativeSearch) -> str:
    """Why a candidate is not taken further, by itself."""
    if line["why"]:
        return str(line["why"])
    for name, allowed, sign in (
        ("auc", search.auc_tolerance, -1.0), ("brier", search.brier_tolerance, 1.0), ("ece", search.ece_tolerance, 1.0),
    ):  # fmt: skip
        worse = sign * (line[name] - given[name])
        if worse > allowed:
            return f"performance: {name} worse by {worse:.4f}, where {allowed:g} was allowed"
    gain = line["adverse_impact_ratio"] - given["adverse_impact_ratio"]
    closer = given["standardised_mean_difference"] - line["standardised_mean_difference"]
    told = f"ratio {gain:+.4f}, standardised mean difference {-closer:+.4f}"
    if max(gain, closer) < search.least_gain:
        return f"no less disparity: {told}"
    if min(gain, closer) < -search.least_gain:
        return f"less disparity in one figure and more in the other: {told}"
    return ""


def _beaten(line: dict[str, Any], others: list[dict[str, Any]]) -> str:
    mine = _aims(line)
    for other in others:
        theirs = _aims(other)
        if theirs != mine and all(their >= own for their, own in zip(theirs, mine, strict=True)):
            return f"{other['candidate']} is no worse in AUC and evens out no less"
    return ""


def _aims(line: dict[str, Any]) -> tuple[float, float, float]:
    """What is to be large."""
    return line["auc"], line["adverse_impact_ratio"], -line["standardised_mean_difference"]
