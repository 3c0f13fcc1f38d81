"""The score model as MLflow serves it: features in, score, band, PD, points and reasons out.

MLflow loads it by module name (``loader_module``), so nothing is pickled; the artefact is the
model's own directory, and loading checks its format and its checksums.

MLflow's own check of inputs against a signature would drop unknown columns with no more than a
warning, a misspelt consent column among them, read the text ``"false"`` as consent, take ``"3"`` and
``true`` for numbers, and quote the rows in its errors. The signature therefore names outputs and
parameters, the inputs stand in the artefact's metadata, and the model itself refuses what they are
not: by name, without quoting a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

from benne.errors import FeatureTypeError
from benne.experiments.adverse_reasons import Reason, adverse_reasons
from benne.features import registry
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel, Explanation, withheld_of
from benne.models.consent_patterns import Withheld
from benne.models.inputs import read_table

__all__ = ["LOADER_MODULE", "ScoringFunction", "input_example", "input_schema", "signature_of"]

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
            The model's features as numbers, and either all five boolean consent columns or none.
            Over HTTP: ``dataframe_split`` or ``dataframe_records``; null says "not known".
        params : dict, optional
            ``{"withheld": "social,behaviour"}`` withholds categories in every row. MLflow drops
            parameters it does not know; consent columns cannot be misspelt unnoticed.

        Returns
        -------
        DataFrame
            ``score``, ``band``, ``pd``, ``pd_low``, ``pd_high`` (90 % interval), ``percentile``, ``thin_file``,
            ``rare`` (null of a model that cannot tell), ``base``, ``clipped``, ``points_<category>``; ``reasons``: up
            to four adverse reasons as JSON, see :func:`benne.experiments.adverse_reasons.adverse_reasons`.

        Raises
        ------
        FeatureColumnsError
            Naming a column that is missing, or unknown.
        FeatureTypeError, FeatureValueError
            Naming a column of another type, or with values that cannot be.
        CategoryWithheld, CategoryError, InsufficientEvidence
        """
        features = _frame(model_input)
        withheld = _withheld(features, str((params or {}).get("withheld", "")))
        explanation = self._model.explain(features, withheld=withheld)
        answer = explanation.table().reset_index(drop=True)
        answer["reasons"] = [json.dumps(told) for told in self._reasons(explanation, features)]
        return answer

    def _reasons(self, explanation: Explanation, features: pd.DataFrame) -> list[list[Reason]]:
        return adverse_reasons(explanation, features, registry, categories=self._model.category_of)


def _load_pyfunc(path: str) -> ScoringFunction:
    """Load for MLflow; raises ModelDirectoryError where a checksum or the format does not fit."""
    return ScoringFunction(CreditScoreModel.load(Path(path)))


def _frame(model_input: Any) -> pd.DataFrame:
    """The rows as a frame in which a column of nulls alone is one of numbers: JSON has no type for it."""
    if not isinstance(model_input, pd.DataFrame):
        raise FeatureTypeError(
            f"Rows must come as a table, got {type(model_input).__name__}. "
            "Over HTTP send them as dataframe_split or dataframe_records."
        )
    if not model_input.columns.is_unique:
        return model_input  # refused by name when it is read
    objects = [name for name, kind in zip(model_input.columns, model_input.dtypes, strict=True) if kind.kind == "O"]
    unknown = [name for name in objects if model_input[name].isna().all()]
    return model_input.astype(dict.fromkeys(unknown, np.float64)) if unknown else model_input


def _withheld(features: pd.DataFrame, named: str) -> Withheld:
    """What each row withholds: what its consent columns say, which are checked first, and what is named for all."""
    everywhere = frozenset(part.strip() for part in named.split(",") if part.strip())
    mask = read_table(features).mask
    return everywhere if mask is None else [everywhere | own for own in withheld_of(mask)]


def input_example(model: CreditScoreModel) -> pd.DataFrame:
    """One made-up row, nobody's: zero everywhere, or the end of the range nearest to it."""
    row = {}
    for name in model.feature_names_in_:
        spec = registry.get(name)
        row[name] = 0.0 if spec is None else min(max(0.0, spec.minimum), spec.maximum)
    return pd.DataFrame([row], dtype=np.float64)


def input_schema(model: CreditScoreModel) -> Schema:
    """Names and types of what goes in; consent columns may be left out."""
    consents = [ColSpec(DataType.boolean, name, required=False) for name in MASK_COLUMNS.values()]
    return Schema([*_columns(DataType.double, model.feature_names_in_), *consents])


def signature_of(model: CreditScoreModel) -> ModelSignature:
    """Names and types of what comes out, and of the parameters; the inputs are the model's own to check."""
    points = [f"points_{category}" for category in model.contract_report_.shares.index]
    outputs = [
        *_columns(DataType.double, ["score"]),
        *_columns(DataType.string, ["band"]),
        *_columns(DataType.double, ["pd", "pd_low", "pd_high", "percentile"]),
        *_columns(DataType.boolean, ["thin_file", "rare"]),
        *_columns(DataType.double, ["base", "clipped", *points]),
        *_columns(DataType.string, ["reasons"]),
    ]
    return ModelSignature(outputs=Schema(outputs), params=_PARAMETERS)


def _columns(kind: DataType, names: Iterable[str]) -> list[ColSpec | TensorSpec]:
    return [ColSpec(kind, name) for name in names]
