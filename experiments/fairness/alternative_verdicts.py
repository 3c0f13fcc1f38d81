"""Why an alternative is kept or rejected: what it changes beyond chance, beside what was declared."""

from __future__ import annotations

import math
from typing import Any, Final

from benne.experiments.fairness.alternative_search import AlternativeSearch
from benne.experiments.fairness.by_cutoff import INSUFFICIENT
from benne.experiments.fairness.paired_change import CHANGED

__all__ = ["AS_GIVEN", "GIVEN_ON_THE_FRONT", "ON_THE_FRONT", "REJECTED", "judged"]

ON_THE_FRONT: Final = "on the front"
AS_GIVEN: Final = "as given"
GIVEN_ON_THE_FRONT: Final = f"{AS_GIVEN}, {ON_THE_FRONT}"
REJECTED: Final = "rejected"

_CALLED: Final = {
    "auc": "AUC", "brier": "Brier", "ece": "ECE", "adverse_impact_ratio": "ratio",
    "equal_opportunity_gap": "equal-opportunity gap", "standardised_mean_difference": "standardised mean difference",
}  # fmt: skip
_RATIO, _DIFFERENCE = "adverse_impact_ratio", "standardised_mean_difference"
_LARGER_IS_BETTER: Final = ("auc", _RATIO)


def judged(lines: list[dict[str, Any]], search: AlternativeSearch) -> list[dict[str, Any]]:
    """Lines of candidates with a verdict each.

    Parameters
    ----------
    lines : list of dict
        The model as given first. Each with ``candidate``, figures, their changes (see
        :func:`benne.experiments.fairness.paired_change.paired_changes`) and ``why`` it could not be compared, if so.
    search : AlternativeSearch

    Returns
    -------
    list of dict
        With ``verdict`` and ``why``: what decided, with its interval; of what is kept, all that it changes.

    Notes
    -----
    A candidate loses too much where the near end of the 95 % interval of a loss is beyond what was declared: no noise
    rejects it. It evens out more where the ratio or the standardised mean difference is better by the least gain, the
    near end of that gain is above 0, and the other figure is not worse by the least gain, be it by chance: no noise
    recommends it.
    """
    given = lines[0]
    rejected = {k: _why_not(line, given, search) for k, line in enumerate(lines) if k}
    left = [k for k in range(len(lines)) if not rejected.get(k)]
    told = []
    for k, line in enumerate(lines):
        verdict, why = AS_GIVEN, str(given["why"])
        if not why or k:
            why = rejected.get(k) or _beaten(line, [lines[other] for other in left if other != k])
            verdict = _verdict(k == 0, why)
        if verdict == ON_THE_FRONT:
            why = _all_changes(line, search)
        told.append({name: value for name, value in line.items() if name != "why"} | {"verdict": verdict, "why": why})
    return told


def _verdict(is_given: bool, why: str) -> str:
    if is_given:
        return AS_GIVEN if why else GIVEN_ON_THE_FRONT
    if why.startswith(INSUFFICIENT):
        return INSUFFICIENT
    return REJECTED if why else ON_THE_FRONT


def _why_not(line: dict[str, Any], given: dict[str, Any], search: AlternativeSearch) -> str:
    """Why a candidate is not taken further, by itself."""
    if line["why"]:
        return str(line["why"])
    if given["why"]:
        return f"{given['why']}, of the model as given"
    if lacking := [_CALLED[name] for name in CHANGED if not all(map(math.isfinite, _loss(line, name)))]:
        return f"{INSUFFICIENT}: no change of {', '.join(lacking)} can be told"
    for name, allowed, of_what in (
        ("auc", search.auc_tolerance, "performance"), ("brier", search.brier_tolerance, "performance"),
        ("ece", search.ece_tolerance, "performance"),
        ("equal_opportunity_gap", search.equal_opportunity_tolerance, "equal opportunity"),
    ):  # fmt: skip
        loss, near, far = _loss(line, name)
        if near > allowed:
            return (f"{of_what}: {_CALLED[name]} worse by {loss:.4f} ({near:.4f} to {far:.4f}), "
                    f"where {allowed:g} was allowed")  # fmt: skip
    return _no_gain(line, search)


def _no_gain(line: dict[str, Any], search: AlternativeSearch) -> str:
    losses = [_loss(line, name) for name in (_RATIO, _DIFFERENCE)]
    told = f"{_change(line, _RATIO)}, {_change(line, _DIFFERENCE)}"
    if not any(-loss >= search.least_gain and far < 0.0 for loss, _, far in losses):
        return f"no less disparity beyond chance: {told}"
    if any(loss > search.least_gain for loss, _, _ in losses):
        return f"less disparity in one figure and more in the other: {told}"
    return ""


def _loss(line: dict[str, Any], name: str) -> tuple[float, float, float]:
    """How much worse, and the near and the far end of it; below 0 it is better."""
    value, low, high = (float(line[f"{name}_change{end}"]) for end in ("", "_low", "_high"))
    return (-value, -high, -low) if name in _LARGER_IS_BETTER else (value, low, high)


def _change(line: dict[str, Any], name: str) -> str:
    value, low, high = (line[f"{name}_change{end}"] for end in ("", "_low", "_high"))
    return f"{_CALLED[name]} {value:+.4f} ({low:+.4f} to {high:+.4f})"


def _all_changes(line: dict[str, Any], search: AlternativeSearch) -> str:
    """What is kept is kept with all its prices, those that chance alone allows among them."""
    allowed = {"auc": search.auc_tolerance, "brier": search.brier_tolerance, "ece": search.ece_tolerance,
               "equal_opportunity_gap": search.equal_opportunity_tolerance}  # fmt: skip
    unsure = [_CALLED[name] for name, most in allowed.items() if _loss(line, name)[2] > most]
    more = f"; may cost more than was allowed: {', '.join(unsure)}" if unsure else ""
    return ", ".join(_change(line, name) for name in CHANGED) + more


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
