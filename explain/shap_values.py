"""Points as ``shap.Explanation``, for a data scientist's plots: they are Shapley values already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benne.errors import EngineUnavailable, FeatureColumnsError
from benne.models import Explanation
from benne.models.inputs import float_matrix, read_table

if TYPE_CHECKING:
    import shap

    from benne.explain.explanation import MemberExplanation

__all__ = ["shap_explanation", "shap_of_member"]


def shap_explanation(explanation: Explanation, features: Any) -> shap.Explanation:
    """All rows of a model's explanation, as beeswarm and its like take them.

    Parameters
    ----------
    explanation : Explanation
        From ``CreditScoreModel.explain``; n rows.
    features : table
        The rows that were explained, with at least the model's columns.

    Returns
    -------
    shap.Explanation
        ``values`` of shape (n, features), in points; ``base_values`` of shape (n,). Base and values add up to the
        score as it is before it is held within 350 and 950.

    Raises
    ------
    FeatureColumnsError
        If the features are not the rows that were explained.
    FeatureTypeError
        If a feature is not of numbers.
    EngineUnavailable
        If shap is not installed.
    """
    features = read_table(features).frame
    names = [str(name) for name in explanation.points.columns]
    if len(features) != len(explanation.points) or not set(names) <= set(map(str, features.columns)):
        raise FeatureColumnsError(
            f"Features must be the {len(explanation.points)} rows that were explained with all {len(names)} columns, "
            f"got {len(features)} rows and {len(features.columns)} columns. Pass the same frame."
        )
    return _shap().Explanation(
        values=explanation.points.to_numpy(dtype=np.float64),
        base_values=np.asarray(explanation.base, dtype=np.float64),
        data=float_matrix(features, names),
        feature_names=names,
    )


def shap_of_member(said: MemberExplanation) -> shap.Explanation:
    """One member's points, named as they read them, as the waterfall takes them.

    Withheld categories have no lines: nothing of them was used.

    Raises
    ------
    EngineUnavailable
        If shap is not installed.
    """
    lines = [feature for category in said.categories for feature in category.features]
    return _shap().Explanation(
        values=np.array([line.points for line in lines]),
        base_values=said.base,
        data=np.array([np.nan if line.value is None else line.value for line in lines]),
        feature_names=[line.label for line in lines],
    )


def _shap() -> Any:
    try:
        import shap
    except ModuleNotFoundError:
        raise EngineUnavailable(
            "shap must be installed to make a shap.Explanation, got none. Install it: pip install 'benne[train]'"
        ) from None
    return shap
