"""Reasons and key factors of scores, found by re-scoring and held against the score before anybody sees them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from benne.errors import ExplanationError, ParameterError
from benne.explain.reason_choice import Choice, chosen_groups
from benne.explain.reason_groups import ReasonGroups, reason_groups
from benne.explain.reason_lines import KeyFactor, Method, Reason, Reasons
from benne.features import registry as features
from benne.features.specification import FeatureSpec
from benne.models import Explanation
from benne.models.consent_patterns import Withheld
from benne.models.neutralising import Neutralised
from benne.models.reference_sample import ReferenceAverage, ReferenceSample

__all__ = ["Explains", "KeyFactor", "Method", "Reason", "Reasons", "key_factors_of", "reasons_of"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_ADDS_UP_TO: Final = 1e-9


class Explains(Protocol):
    """What giving reasons needs of a model; :class:`benne.models.CreditScoreModel` has it."""

    @property
    def reference_(self) -> ReferenceSample: ...
    def explain(self, X: Any, withheld: Withheld = ...) -> Explanation: ...
    def predict_score(self, X: Any, withheld: Withheld = ...) -> Floats: ...
    def neutralised(self, X: Any, groups: Sequence[Collection[str]], withheld: Withheld = ...) -> Neutralised: ...


def reasons_of(
    model: Explains,
    X: Any,
    withheld: Withheld = (),
    *,
    method: Method,
    registry: Mapping[str, FeatureSpec] = features,
    explanation: Explanation | None = None,
) -> list[Reasons]:
    """Why each score is not higher.

    Parameters
    ----------
    model : Explains
    X : table, shape (n, features)
    withheld : set of str, or one set per row
    method : Method
        Whom members are compared with.
    registry : mapping of str to FeatureSpec
        For reason groups; a feature that is not in it is a group of its own.
    explanation : Explanation, optional
        Of the same rows, where it is at hand.

    Returns
    -------
    list of Reasons, length n

    Raises
    ------
    ExplanationError
        If points do not add up to the score, the rows do not score again what was explained, or
        neutralising everything does not give the base.
    ParameterError
        If the method is no :class:`Method`.
    ReferenceUnknown
        If too little is known of the reference sample.

    Notes
    -----
    Candidates for a reason are the reason groups whose points fall short of the average of the members compared with.
    Each is neutralised: the row is scored again with nothing known of the group. Reasons are the candidates whose
    neutralising raises the score by more than half a point, the strongest first. Key factors are chosen by that effect
    alone, among all groups, whether or not others have more. Effects are those on the score before it is held at 350
    or 950.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from benne.models import CreditScoreModel
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"late_days": rng.gamma(2.0, 5.0, 600), "savings": rng.gamma(2.0, 1.0, 600)})
    >>> y = (rng.random(600) < 1 / (1 + np.exp(2 + X["savings"] - X["late_days"] / 5))).astype(int)
    >>> model = CreditScoreModel(categories={"paid": ["late_days"], "means": ["savings"]},
    ...                          weights={"paid": 0.6, "means": 0.4}).fit(X, y)
    >>> late = pd.DataFrame({"late_days": [40.0], "savings": [9.0]})
    >>> [reason.code for reason in reasons_of(model, late, method=Method("everybody"))[0].reasons]
    ['late_days']
    >>> reasons_of(model, late, method=Method("somebody"))
    Traceback (most recent call last):
    ...
    benne.errors.ParameterError: A method must be against everybody or just_above, got another. Take one of these.
    """
    if not isinstance(method, Method):
        raise ParameterError(f'method must be a Method, got {type(method).__name__}. Pass Method("everybody").')
    explanation = model.explain(X, withheld) if explanation is None else explanation
    groups, neutral = _verified(model, X, withheld, explanation, registry)
    averages = {out: model.reference_.average_points(out, method.mark) for out in set(explanation.withheld)}
    shortfalls = _shortfalls(explanation, averages)
    by_group = groups.sums(shortfalls)
    choice = chosen_groups(neutral.effect[:, :-1], by_group > _ADDS_UP_TO)
    furthest = groups.largest(np.where(neutral.used, shortfalls, -np.inf))
    code, feature, known = _named(choice, furthest, groups, explanation, neutral)
    short = choice.of(by_group).tolist()
    lines = choice.by_row(
        list(map(Reason, code, feature, choice.rank.tolist(), choice.of(neutral.effect).tolist(), short, known))
    )
    factors, held = _key_factors(groups, explanation, neutral), (explanation.clipped != 0.0).tolist()
    compared = {out: (method, model.reference_.hash(out), average.members) for out, average in averages.items()}
    of_rows = zip(explanation.withheld, lines, factors, held, strict=True)
    return [Reasons(*compared[out], *given) for out, *given in of_rows]


def key_factors_of(
    model: Explains,
    X: Any,
    withheld: Withheld = (),
    *,
    registry: Mapping[str, FeatureSpec] = features,
    explanation: Explanation | None = None,
) -> list[tuple[KeyFactor, ...]]:
    """What most takes from each score; arguments and errors as of :func:`reasons_of`, of which it is a part.

    Needs nothing to be known of the reference sample.
    """
    explanation = model.explain(X, withheld) if explanation is None else explanation
    groups, neutral = _verified(model, X, withheld, explanation, registry)
    return _key_factors(groups, explanation, neutral)


def _key_factors(groups: ReasonGroups, explanation: Explanation, neutral: Neutralised) -> list[tuple[KeyFactor, ...]]:
    choice = chosen_groups(neutral.effect[:, :-1])
    weakest = groups.largest(np.where(neutral.used, -explanation.points.to_numpy(), -np.inf))
    code, feature, known = _named(choice, weakest, groups, explanation, neutral)
    effect = choice.of(neutral.effect).tolist()
    return choice.by_row(list(map(KeyFactor, code, feature, choice.rank.tolist(), effect, known)))


def _named(
    choice: Choice, strongest: Indices, groups: ReasonGroups, explanation: Explanation, neutral: Neutralised
) -> tuple[list[str], list[str], list[bool]]:
    """Code and strongest feature of each chosen group, and whether that feature has a value."""
    codes, names = np.array(groups.codes, dtype=object), explanation.points.columns.to_numpy(dtype=object)
    feature = choice.of(strongest)
    return codes[choice.group].tolist(), names[feature].tolist(), neutral.known[choice.row, feature].tolist()


def _shortfalls(explanation: Explanation, averages: Mapping[frozenset[str], ReferenceAverage]) -> Floats:
    """Points of each feature that those compared with have and each row has not, shape (n, features)."""
    sets = list(averages)
    table = np.array([list(averages[out].points.values()) for out in sets])
    place = {out: k for k, out in enumerate(sets)}
    return np.asarray(table[[place[out] for out in explanation.withheld]] - explanation.points.to_numpy())


def _verified(
    model: Explains, X: Any, withheld: Withheld, explanation: Explanation, registry: Mapping[str, FeatureSpec]
) -> tuple[ReasonGroups, Neutralised]:
    """The reason groups, each neutralised, the last being all of them; once everything agrees with the score."""
    names = list(explanation.points.columns)
    groups = reason_groups(names, registry)
    wanted = [[names[place] for place in own] for own in groups.columns]
    neutral = model.neutralised(X, [*wanted, names], withheld)
    again = model.predict_score(X, withheld)
    if len(again) != len(explanation.score):
        raise ExplanationError(
            f"Reasons must be of the rows that were explained, got {len(again)} rows and an explanation of "
            f"{len(explanation.score)}. Pass the same rows."
        )
    gaps = {
        "points that add up to the score": explanation.largest_gap,
        "a score that comes out again": _largest(again - explanation.score),
        "a base that remains when nothing is known": _largest(neutral.unclipped[:, -1] - explanation.base),
    }
    for what, gap in gaps.items():
        if not gap <= _ADDS_UP_TO:
            raise ExplanationError(f"Reasons must come from {what}, got a gap of {gap:.3g} points. Nothing is shown.")
    return groups, neutral


def _largest(differences: Floats) -> float:
    return float(np.abs(differences).max(initial=0.0))
