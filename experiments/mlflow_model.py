"""The score model as MLflow serves it: features in, score, band, PD and points out.

MLflow loads it by module name (``loader_module``), so nothing is pickled; the artefact is the
model's own directory, and loading checks its checksums.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

from benne.features import registry
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel, withheld_of

__all__ = ["LOADER_MODULE", "ScoringFunction", "input_example", "signature_of"]

LOADER_MODULE = "benne.experiments.mlflow_model"
_PARAMETERS = ParamSchema([ParamSpec("withheld", DataType.string, "")])


class ScoringFunction:
    """What MLflow calls: one row per observation in, one row out.

    Parameters
    ----------
    model : CreditScoreModel
    """

    def __init__(self, model: CreditScoreModel) -> None:
        self._model = model

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Score features.

        Parameters
        ----------
        model_input : DataFrame, shape (n, features)
            The model's features as float64, and optionally the five boolean consent columns.
        params : dict, optional
            ``{"withheld": "social,behaviour"}`` withholds categories in every row.

        Returns
        -------
        DataFrame
            ``score``, ``band``, ``pd``, ``base``, ``clipped``, ``points_<category>``.
        """
        named = str((params or {}).get("withheld", ""))
        everywhere = frozenset(part.strip() for part in named.split(",") if part.strip())
        withheld: list[frozenset[str]] = [everywhere] * len(model_input)
        if set(MASK_COLUMNS.values()) <= set(model_input.columns):
            withheld = [everywhere | own for own in withheld_of(model_input)]
        explanation = self._model.explain(model_input, withheld=withheld)
        points = explanation.category_points.add_prefix("points_").reset_index(drop=True)
        answer = pd.DataFrame(
            {
                "score": explanation.score,
                "band": self._model.scale_.band(explanation.score),
                "pd": self._model.predict_proba(model_input, withheld=withheld)[:, 1],
                "base": explanation.base,
                "clipped": explanation.clipped,
            }
        )
        return pd.concat([answer, points], axis=1)


def _load_pyfunc(path: str) -> ScoringFunction:
    """Load for MLflow; raises ModelDirectoryError where a checksum does not fit."""
    return ScoringFunction(CreditScoreModel.load(Path(path)))


def input_example(model: CreditScoreModel) -> pd.DataFrame:
    """One made-up row, nobody's: zero everywhere, or the end of the range nearest to it."""
    row = {}
    for name in model.feature_names_in_:
        spec = registry.get(name)
        row[name] = 0.0 if spec is None else min(max(0.0, spec.minimum), spec.maximum)
    return pd.DataFrame([row], dtype=np.float64)


def signature_of(model: CreditScoreModel) -> ModelSignature:
    """Names and types in and out; consent columns may be left out."""
    features: list[ColSpec | TensorSpec] = [ColSpec(DataType.double, name) for name in model.feature_names_in_]
    consents: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.boolean, name, required=False) for name in MASK_COLUMNS.values()
    ]
    numbers = ["score", "pd", "base", "clipped", *(f"points_{c}" for c in model.contract_report_.shares.index)]
    outputs: list[ColSpec | TensorSpec] = [ColSpec(DataType.double, name) for name in numbers]
    outputs.insert(1, ColSpec(DataType.string, "band"))
    return ModelSignature(inputs=Schema(features + consents), outputs=Schema(outputs), params=_PARAMETERS)
