"""What of a score a recipient may have."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

__all__ = ["as_permitted"]

_BAND_ONLY: Final = ("band", "withheld", "granularity")


def as_permitted(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores cut down to the finest answer each row's ``granularity`` allows.

    ``exact`` keeps all, ``band`` the band, ``threshold`` nothing: a comparison is made where the threshold is.
    """
    scores = scores.astype({"thin_file": "boolean", "rare": "boolean"})
    coarse = (scores["granularity"] != "exact").to_numpy()
    fine = [name for name in scores.columns if name not in _BAND_ONLY]
    scores.loc[coarse, fine] = np.nan
    scores.loc[(scores["granularity"] == "threshold").to_numpy(), "band"] = None
    return scores
