"""The model of a batch, and what it is called on record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benne.errors import FeatureValueError, InsufficientEvidence
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.scorer import ScoreModel

__all__ = ["BatchModel"]


@dataclass(frozen=True, eq=False)
class BatchModel:
    """A model and its identity.

    Parameters
    ----------
    model : ScoreModel
    model_id : str
        Of its files, such as ``benne/3f6c…``.
    config_hash : str
        SHA-256 of its manifest, which holds the SHA-256 of every file.
    categories : tuple of str
        In the order in which the model gives their points.
    bands : tuple of str
        Names, from the lowest.
    """

    model: ScoreModel
    model_id: str
    config_hash: str
    categories: tuple[str, ...]
    bands: tuple[str, ...] = ()

    @classmethod
    def load(cls, directory: Path) -> BatchModel:
        """A saved model, verified.

        Raises
        ------
        ModelDirectoryError
            If it is missing, corrupted or of another version.
        """
        model = CreditScoreModel.load(directory)
        model_id, config_hash = identity_of(directory)
        categories = tuple(map(str, model.contract_report_.shares.index))
        return cls(model, model_id, config_hash, categories, tuple(band.name for band in model.scale_.bands))

    def require_columns(self, empty: pd.DataFrame) -> None:
        """Refuse columns that the model was not made for, before anything is decided about anybody.

        Parameters
        ----------
        empty : DataFrame
            A feature frame without rows. The model is asked about one about nobody.

        Raises
        ------
        FeatureColumnsError, FeatureTypeError, CategoryWithheld
        """
        nobody = pd.DataFrame({name: _blank(empty[name].dtype) for name in empty.columns})
        mask = [name for name in MASK_COLUMNS.values() if name in nobody.columns]
        nobody[mask] = True
        try:
            self.model.predict_score(nobody, withheld=[frozenset()])
        except (InsufficientEvidence, FeatureValueError):
            return


def _blank(dtype: Any) -> pd.Series[Any]:
    """One cell of a type that says nothing."""
    blank = pd.Series([np.nan]) if dtype == np.float64 else pd.Series([0])
    return blank.astype(dtype)
