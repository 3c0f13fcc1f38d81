"""The model as MLflow's server is measured with it: a bare prediction, less than any service of scores can do with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.models import CreditScoreModel


class BarePrediction:
    """Scores and nothing else."""

    def __init__(self, model: CreditScoreModel) -> None:
        self._model = model

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> npt.NDArray[np.float64]:
        """Scores of some rows."""
        return self._model.predict_score(model_input.astype(float))


def _load_pyfunc(path: str) -> BarePrediction:
    return BarePrediction(CreditScoreModel.load(path))
