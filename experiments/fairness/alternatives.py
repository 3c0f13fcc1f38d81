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
from benne.experiments.fairness.alternative_search import AlternativeSearch
from benne.experiments.fairness.alternative_verdicts import ON_THE_FRONT, judged
from benne.experiments.fairness.assessing import disparities_of
from benne.experiments.fairness.by_cutoff import INSUFFICIENT
from benne.experiments.fairness.candidates import Candidate, candidates_of, unfitted
from benne.experiments.fairness.groups import groupings_of
from benne.experiments.fairness.measures import disparity_measures
from benne.experiments.fairness.options import FairnessOptions, checked_cutoffs
from benne.experiments.fairness.paired_change import CHANGED, common_rows, paired_changes
from benne.experiments.fairness.proxies import proxies_in_order
from benne.experiments.fairness.scored_members import (
    ScoredMembers,
    attributes_of,
    checked_outcomes,
    scored_members,
)
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

_CHANGES: Final = tuple(f"{name}_change{end}" for name in CHANGED for end in ("", "_low", "_high"))
_FEW_RESAMPLES: Final = 20  # of intervals of a candidate's own figures, which are not shown; those of changes are


@dataclass(frozen=True)
class Alternatives:
    """Every candidate, what it does, and why it was kept or rejected.

    Parameters
    ----------
    search : AlternativeSearch
    train_rows, test_rows : int
    table : DataFrame
        One row per candidate, the model as given first: ``candidate``, ``dropped``, ``tolerance``, the booster's
        options; ``rows`` it was measured on, figures on these held-out members, and the change of each from the model
        as given with its paired 95 % interval (null where it could not be fitted or compared); ``verdict``
        (``on the front``, ``rejected``, ``INSUFFICIENT``; ``as given``) and ``why``.
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

    Raises
    ------
    FairnessError
        If the model as given cannot be fitted on the training part, or what is passed is not as it must be.

    Notes
    -----
    A candidate is rejected if its contract has no solution, if it loses more performance than declared, if it widens
    the equal-opportunity gap by more than declared, if it does not even out more than the model as given (in the
    adverse impact ratio or the standardised mean difference, and the other no worse), or if another candidate is at
    least as good in AUC and in both of these, and better in one. What is left is the Pareto front. Each of these is
    judged by the paired bootstrap interval of the change over whole members, see
    :func:`benne.experiments.fairness.alternative_verdicts.judged`. With too little known to compare the verdict is
    INSUFFICIENT, and nothing is recommended.

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
    lines: list[dict[str, Any]] = []
    given = None
    for candidate in candidates_of(model, trial.proxies(), search.seed, search.draws):
        tell(candidate)
        line, scored = trial.line(candidate, given)
        if given is None:
            given = _fitted_or_refused(line, scored)
        lines.append(line)
    table = pd.DataFrame(judged(lines, search))
    return Alternatives(search, len(trial.split.train.bad), len(trial.split.test.bad), table)


def _fitted_or_refused(line: dict[str, Any], given: ScoredMembers | None) -> ScoredMembers:
    if given is None:
        raise FairnessError(
            f"The model as given must fit on the training part of these rows, got {line['why']} Add rows."
        )
    return given


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

    def line(self, candidate: Candidate, given: ScoredMembers | None) -> tuple[dict[str, Any], ScoredMembers | None]:
        """What the candidate is, what it does beside the model as given, and its scores; where it cannot be fitted why.

        Of the model as given itself (no other to compare with) nothing is a change.
        """
        booster = {name: getattr(candidate.booster, name)
                   for name in ("max_depth", "l2", "rows_in_leaf", "column_share", "row_share")}  # fmt: skip
        line: dict[str, Any] = {
            "candidate": candidate.name, "dropped": ", ".join(candidate.dropped), "tolerance": str(candidate.tolerance),
            **booster, "rows": 0, **dict.fromkeys((*CHANGED, *_CHANGES), np.nan), "why": "",
        }  # fmt: skip
        try:
            fitted = self._fitted(candidate)
        except ModelError as refusal:
            return line | {"why": f"contract impossible: {refusal}"}, None
        scored = self._scored(fitted, candidate)
        line |= self._figures(fitted, scored)
        if given is not None:
            both = common_rows(given, scored)
            line["rows"] = len(both[0].bad)
            line["why"] = line["why"] or self._too_few(both[0].bad)
            line |= paired_changes(*both, self.cutoffs, self.options, self.search.seed)
        return line, scored

    def _fitted(self, candidate: Candidate) -> CreditScoreModel:
        train = self.split.train
        rows = dataclasses.replace(train, features=train.features.drop(columns=list(candidate.dropped)))
        inputs = list(split_mask(train.features)[0].columns)
        return dataclasses.replace(self.split, train=rows).fit(unfitted(self.model, candidate, inputs))

    def _scored(self, fitted: CreditScoreModel, candidate: Candidate) -> ScoredMembers:
        test = self.split.test
        rows = test.features.drop(columns=list(candidate.dropped))
        return scored_members(fitted, rows, test.bad, self.protected)

    def _figures(self, fitted: CreditScoreModel, scored: ScoredMembers) -> dict[str, Any]:
        few = dataclasses.replace(self.options, resamples=_FEW_RESAMPLES)
        groupings = groupings_of(scored.protected, scored.members, few)
        found = disparity_measures(
            disparities_of(scored, groupings, self.cutoffs, fitted.scale_, few, self.search.seed)
        )
        ones = np.ones(len(scored.bad))
        figures = metrics_of(scored.log_odds, scored.bad, ones)
        told = {name: one.value for name, one in found.items() if name in CHANGED}
        lacking = [name for name, value in told.items() if value is None]
        return {
            "rows": len(scored.bad), "auc": figures["auc"], "brier": figures["brier"],
            "ece": CalibrationError(scored.log_odds, scored.bad).under(ones),
            **{name: np.nan if value is None else value for name, value in told.items()},
            "why": self._too_few(scored.bad) or (f"{INSUFFICIENT}: {', '.join(lacking)}" if lacking else ""),
        }  # fmt: skip

    def _too_few(self, bad: Floats) -> str:
        few, count = self.search.fewest_bad, bad.sum()
        for kind, there in (("bad", count), ("good", len(bad) - count)):
            if there < few:
                return f"{INSUFFICIENT}: fewer than {few} {kind} rows to measure on"
        return ""


def _split(features: pd.DataFrame, bad: npt.ArrayLike, search: AlternativeSearch) -> TrainingSplit:
    outcomes = features.index.to_frame(index=False).assign(bad=checked_outcomes(bad, len(features)))
    return split_labelled(label_rows(features, outcomes), Splitting("member", search.test_share, search.seed))
