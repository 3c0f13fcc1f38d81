"""A simulated world on disk, and how to open it again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from benne.errors import SimulationError
from benne.experiments.simulator.consents import grant_periods
from benne.experiments.simulator.options import RECIPIENT, SCORING_PURPOSE
from benne.experiments.simulator.writer import MANIFEST

__all__ = ["NOTICE", "Simulation", "is_simulation"]

NOTICE: Final = "Simulated members. A figure measured on them proves nothing about real people."


@dataclass(frozen=True)
class Simulation:
    """A simulated world on disk.

    Parameters
    ----------
    folder : Path
        Holds ``raw/<table>.parquet``, ``observations.parquet``, ``outcomes.parquet``,
        ``consents.parquet``, ``truth/pd.parquet``, ``protected/attributes.parquet``, ``simulation.json``.
    members, seed : int
    rows : dict of str to int
        Rows of every table written.
    extracted_at : Timestamp
        Nothing known at or after this moment is in the raw tables: pass it as ``ingested_at``.
    """

    folder: Path
    members: int
    seed: int
    rows: dict[str, int]
    extracted_at: pd.Timestamp

    @classmethod
    def open(cls, folder: Path | str) -> Simulation:
        """Open a world simulated earlier.

        Raises
        ------
        SimulationError
            If the folder holds none.
        """
        folder = Path(folder)
        try:
            facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SimulationError(f"folder must hold {MANIFEST}, got one without. Run the simulator first.") from None
        return cls(folder, facts["members"], facts["seed"], facts["rows"], pd.Timestamp(facts["extracted_at"]))

    @property
    def raw(self) -> Path:
        """Folder of the raw event tables, ``<table>.parquet`` each."""
        return self.folder / "raw"

    def observations(self) -> pd.DataFrame:
        """``member_id``, ``as_of``."""
        return pd.read_parquet(self.folder / "observations.parquet")

    def outcomes(self) -> pd.DataFrame:
        """The labels, with the columns of ``OUTCOMES``."""
        return pd.read_parquet(self.folder / "outcomes.parquet")

    def consents(self) -> pd.DataFrame:
        """The consent history: see :data:`~benne.experiments.simulator.CONSENT_SCHEMA`."""
        return pd.read_parquet(self.folder / "consents.parquet")

    def truth(self) -> pd.DataFrame:
        """``member_id``, ``as_of``, known ``pd``, latent ``ability`` and ``willingness``: for checks only."""
        return pd.read_parquet(self.folder / "truth" / "pd.parquet")

    def protected(self) -> pd.DataFrame:
        """``member_id``, ``sex``, ``age_band``: for fairness audits, and never for a model."""
        return pd.read_parquet(self.folder / "protected" / "attributes.parquet")

    def grants(self, purpose: str = SCORING_PURPOSE, recipient: str = RECIPIENT) -> pd.DataFrame:
        """The consents to one purpose and recipient as periods: ``member_id``, ``category``, from, until."""
        return grant_periods(self.consents(), purpose=purpose, recipient=recipient)


def is_simulation(folder: Path) -> bool:
    """Whether a simulated world was written to this folder, so that what is in it is of nobody real."""
    return (folder / MANIFEST).is_file()
