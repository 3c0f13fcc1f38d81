"""What is measured between a group and its reference, each in words and in symbols.

``S`` is the score, ``c`` a cut-off, ``Y`` the outcome (1 is bad), ``p`` the predicted probability of bad, ``g`` a group
and ``r`` its reference. Whoever has ``S >= c`` is selected. Every function takes counts or sums, of one group or of
many in arrays that broadcast, and gives NaN where it would divide by nothing: that is no figure, and never a zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "adverse_impact_ratio",
    "calibration_gap",
    "difference",
    "false_negative_rate",
    "false_positive_rate",
    "selection_rate",
    "standardised_mean_difference",
    "true_positive_rate",
    "variance",
]

Floats = npt.NDArray[np.float64]


def selection_rate(selected: Floats, rows: Floats) -> Floats:
    """Share of a group that is selected: ``P(S >= c | g)``.

    Examples
    --------
    >>> selection_rate(np.array([3.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.75, nan]
    """
    return _ratio(selected, rows)


def adverse_impact_ratio(rate: Floats, reference_rate: Floats) -> Floats:
    """Selection rate of a group over that of its reference: ``P(S >= c | g) / P(S >= c | r)``; 1 is equal.

    References
    ----------
    29 CFR 1607.4(D) and 1607.16(B): below four fifths is generally regarded as evidence of adverse impact.
    """
    return _ratio(rate, reference_rate)


def true_positive_rate(selected_good: Floats, good: Floats) -> Floats:
    """Share of the good of a group who are selected: ``P(S >= c | Y = 0, g)``.

    Its difference from the reference's is the equal-opportunity difference (Hardt, Price and Srebro, NeurIPS 2016):
    below 0, good members of the group are passed over more often.
    """
    return _ratio(selected_good, good)


def false_negative_rate(selected_good: Floats, good: Floats) -> Floats:
    """Share of the good of a group who are not selected: ``P(S < c | Y = 0, g)``."""
    return _ratio(good - selected_good, good)


def false_positive_rate(selected_bad: Floats, bad: Floats) -> Floats:
    """Share of the bad of a group who are selected: ``P(S >= c | Y = 1, g)``."""
    return _ratio(selected_bad, bad)


def difference(value: Floats, reference_value: Floats) -> Floats:
    """A group's figure less its reference's; 0 is equal."""
    return np.asarray(value - reference_value, dtype=np.float64)


def variance(rows: Floats, total: Floats, squares: Floats) -> Floats:
    """Sample variance from the number, the sum and the sum of squares of some values."""
    centred = np.maximum(squares - _ratio(total, rows) * total, 0.0)
    return _ratio(centred, rows - 1.0)


def standardised_mean_difference(
    mean: tuple[Floats, Floats], variances: tuple[Floats, Floats], rows: tuple[Floats, Floats]
) -> Floats:
    """Mean score of a group less its reference's, in pooled standard deviations; of each pair the group comes first.

    ``(mean_g - mean_r) / sqrt(((n_g - 1) var_g + (n_r - 1) var_r) / (n_g + n_r - 2))``; below 0 the group scores lower.

    References
    ----------
    Cohen, "Statistical power analysis for the behavioral sciences", 1988, chapter 2 (d).

    Examples
    --------
    >>> one, two = np.array(1.0), np.array(3.0)
    >>> float(standardised_mean_difference((one, two), (np.array(4.0), np.array(4.0)), (np.array(9.0), np.array(9.0))))
    -1.0
    """
    spread = (rows[0] - 1.0) * variances[0] + (rows[1] - 1.0) * variances[1]
    pooled = _ratio(spread, rows[0] + rows[1] - 2.0)
    return _ratio(mean[0] - mean[1], np.sqrt(pooled))


def calibration_gap(bad: Floats, predicted: Floats, rows: Floats) -> Floats:
    """Observed bad rate of a group less the mean predicted: ``mean(Y | g) - mean(p | g)``.

    Above 0, more of the group turn bad than their scores say, so the score favours them.
    """
    return _ratio(bad - predicted, rows)


def _ratio(above: Floats, below: Floats) -> Floats:
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    found: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return found
