"""Boston mortgages of 1990: how much of a gap in denials is left between applicants who are otherwise alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from benne.errors import FairnessError
from benne.experiments.datasets.originals import Original, Originals, data_folder
from benne.experiments.fairness import metrics

__all__ = ["Adjusted", "Denials", "adjusted_for", "read_boston"]

Floats = npt.NDArray[np.float64]

_DOWNLOAD: Final = "It is data set HMDA of the R package AER, as CSV. Put AER_HMDA.csv there."
_FILE: Final = Original(
    ("AER_HMDA.csv",), ("f9d08dafe0114925d2f72017f5dc0e2d9c44b084247717e5ee7f0d5a6d8a6d63",)
)  # fmt: skip
_STEPS: Final = 50
_SETTLED: Final = 1e-10


@dataclass(frozen=True)
class Denials:
    """Denials of two groups before anything is held equal.

    Parameters
    ----------
    group, reference : float
        Share that was denied.
    """

    group: float
    reference: float

    @property
    def denial_ratio(self) -> float:
        """Denial rate over that of the reference."""
        return self.group / self.reference

    @property
    def adverse_impact_ratio(self) -> float:
        """Approval rate over that of the reference."""
        return float(metrics.adverse_impact_ratio(np.array(1.0 - self.group), np.array(1.0 - self.reference)))


@dataclass(frozen=True)
class Adjusted:
    """The gap that is left where controls are held equal.

    Parameters
    ----------
    linear : float
        Of a linear probability model: share of denials more.
    logit, logit_error : float
        Coefficient of a logistic regression, and its robust standard error.
    at_means : float
        What the coefficient is in denials for an applicant of average controls.
    average : float
        The same averaged over all applicants.
    """

    linear: float
    logit: float
    logit_error: float
    at_means: float
    average: float


def read_boston(folder: str | Path | None = None) -> tuple[Floats, Floats, pd.DataFrame]:
    """Whether denied, whether black, and the controls of Stock and Watson's table 11.2, 2,380 applications.

    Raises
    ------
    DatasetError
        If the file is missing or is not the known original.
    """
    rows = Originals(data_folder(folder), "hmda_boston", _DOWNLOAD).read(_FILE)
    controls = pd.DataFrame({
        "payment_to_income": rows["pirat"], "housing_to_income": rows["hirat"],
        "medium_loan_to_value": rows["lvrat"].between(0.8, 0.95), "high_loan_to_value": rows["lvrat"] > 0.95,
        "consumer_credit": rows["chist"], "mortgage_credit": rows["mhist"], "public_record": rows["phist"] == "yes",
        "denied_insurance": rows["insurance"] == "yes", "self_employed": rows["selfemp"] == "yes",
    }).astype(np.float64)  # fmt: skip
    denied, black = (np.asarray(rows[name] == "yes", dtype=np.float64) for name in ("deny", "afam"))
    return denied, black, controls


def adjusted_for(denied: Floats, group: Floats, controls: pd.DataFrame) -> tuple[Denials, Adjusted]:
    """Compare a group with everybody else, as it is and with controls held equal.

    Parameters
    ----------
    denied, group : ndarray of float64, shape (n,)
        1 or 0.
    controls : DataFrame, shape (n, controls)

    Raises
    ------
    FairnessError
        If there is no group, nobody else, or the regression has no solution.

    References
    ----------
    Munnell, Tootell, Browne and McEneaney, "Mortgage lending in Boston: interpreting HMDA data", American Economic
    Review 86, 1996: about 8 points more denials after controls. Stock and Watson, "Introduction to econometrics",
    table 11.2: linear 0.084, logit 0.688, 6.0 points at the means.

    Examples
    --------
    >>> nobody = np.zeros(4)
    >>> adjusted_for(nobody, nobody, pd.DataFrame(index=range(4)))
    Traceback (most recent call last):
    ...
    benne.errors.FairnessError: Both the group and the others must be there, denied and not, got one kind. Add rows.
    """
    if len(np.unique(group)) < 2 or len(np.unique(denied)) < 2:
        raise FairnessError("Both the group and the others must be there, denied and not, got one kind. Add rows.")
    X = np.column_stack([np.ones(len(denied)), group, controls.to_numpy(dtype=np.float64)])
    linear = np.linalg.lstsq(X, denied, rcond=None)[0]
    beta, error = _logistic(X, denied)
    without, having = (np.where(np.arange(X.shape[1]) == 1, there, X) for there in (0.0, 1.0))
    means = [expit(rows.mean(axis=0) @ beta) for rows in (without, having)]
    average = float((expit(having @ beta) - expit(without @ beta)).mean())
    raw = Denials(float(denied[group == 1].mean()), float(denied[group == 0].mean()))
    return raw, Adjusted(float(linear[1]), float(beta[1]), float(error[1]), float(means[1] - means[0]), average)


def _logistic(X: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Coefficients by Newton's method, without any penalty, and standard errors robust to a wrong model (HC1)."""
    beta = np.zeros(X.shape[1])
    for _ in range(_STEPS):
        p = expit(X @ beta)
        information = X.T @ (X * (p * (1.0 - p))[:, None])
        try:
            step = np.linalg.solve(information, X.T @ (y - p))
        except np.linalg.LinAlgError:
            break
        beta = beta + step
        if np.abs(step).max() < _SETTLED:
            return beta, _robust_errors(X, y - p, information)
    raise FairnessError("A logistic regression must have a solution, got none: controls tell it all. Leave some out.")


def _robust_errors(X: Floats, left: Floats, information: Floats) -> Floats:
    """White's sandwich, with the correction for the number of coefficients."""
    bread = np.linalg.inv(information)
    filling = X.T @ (X * (left**2)[:, None])
    correction = len(left) / (len(left) - X.shape[1])
    return np.asarray(np.sqrt(np.diag(bread @ filling @ bread) * correction))
