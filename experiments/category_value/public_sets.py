"""The worth of categories on public data sets and on simulated members."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd

from benne.experiments.category_value.document import categories_document
from benne.experiments.category_value.options import ValueOptions
from benne.experiments.category_value.report import CategoryValueReport
from benne.experiments.category_value.valuing import category_value
from benne.experiments.datasets.ablation import trial_named
from benne.experiments.datasets.catalogue import load
from benne.experiments.datasets.simulated import SIMULATED
from benne.experiments.datasets.trial import Trial
from benne.experiments.fairness.options import AGE_EDGES, FairnessOptions
from benne.experiments.labelling import LabelledRows
from benne.experiments.report.model_document import AboutDocument
from benne.experiments.simulator import NOTICE, simulate
from benne.experiments.splitting import RowSplit
from benne.experiments.training import TrainingSplit
from benne.features import SubjectKey
from benne.features.consent_mask import MASK_COLUMNS
from benne.models import CreditScoreModel

__all__ = ["AGES", "category_value_of", "document_of", "splits_of"]

_MOST_VALUES: Final = 12
AGES: Final = FairnessOptions(edges={"AGE": AGE_EDGES, "age": AGE_EDGES})


def category_value_of(
    name: str,
    folder: str | Path | None,
    *,
    key: SubjectKey,
    ingested_at: datetime,
    options: ValueOptions | None = None,
    on_fit: Callable[[int, int], None] | None = None,
) -> CategoryValueReport:
    """Measure the worth of categories on a set, by name, held out as it says.

    Parameters
    ----------
    name : str
        Of :data:`benne.experiments.datasets.CATALOGUE`, or ``simulated``.
    folder : path or None
        Of the originals.
    key : SubjectKey
    ingested_at : datetime
    options : ValueOptions, optional
    on_fit : callable, optional

    Raises
    ------
    DatasetError
        If there is no such set, or it is missing or not the known original.
    ParameterError
        If it tells of fewer than two categories.
    """
    trial = trial_named(name, folder, key=key, ingested_at=ingested_at)
    model = CreditScoreModel(categories={category: list(held) for category, held in trial.categories.items()})
    splits = splits_of(trial)
    protected = _simulated_members(key) if name == SIMULATED else _protected(name, folder, key)
    return category_value(splits, model, protected=protected, options=options, fairness=AGES, on_fit=on_fit)


def document_of(name: str, report: CategoryValueReport, made_at: datetime) -> dict[str, Any]:
    """The report on a set as a document; of the models that were fitted for it, none was kept."""
    notices = [NOTICE] if name == SIMULATED else [f"Of the public set {name}; no model of a platform's own."]
    nobody = hashlib.sha256(name.encode()).hexdigest()
    about = AboutDocument(model_id=f"public/{name}", config_hash=nobody, made_at=made_at, by="benne data categories")
    return categories_document(report, about, notices=notices)


def splits_of(trial: Trial) -> list[TrainingSplit]:
    """The folds of a trial as splits; members who may be one person count as one."""
    features = trial.features.assign(**dict.fromkeys(MASK_COLUMNS.values(), True))
    if trial.groups is not None:
        persons = [f"person {number}" for number in trial.groups]
        moments = features.index.get_level_values("as_of")
        features.index = pd.MultiIndex.from_arrays([persons, moments], names=["subject_id", "as_of"])
    rows = LabelledRows(features, trial.labels.to_numpy(dtype=np.float64), {})
    return [
        TrainingSplit(rows.part(train, {}), rows.part(test, {}), RowSplit(train, test, "member"))
        for train, test in trial.folds
    ]


def _simulated_members(key: SubjectKey) -> pd.DataFrame:
    """Sex and age of the members of :func:`benne.experiments.datasets.simulated.simulated_trial`, simulated again."""
    with TemporaryDirectory() as place:
        world = simulate(Path(place) / "world")
        known = pd.read_parquet(world.folder / "protected" / "attributes.parquet")
    subjects = key.subject_ids(known["member_id"].tolist())
    return known.drop(columns="member_id").set_axis(pd.Index(subjects, name="subject_id"), axis=0)


def _protected(name: str, folder: str | Path | None, key: SubjectKey) -> pd.DataFrame | None:
    dataset = load(name, folder)
    if dataset.groups is not None or dataset.protected.empty:
        return None
    subjects = key.subject_ids(dataset.protected["member_id"].tolist())
    kept = dataset.protected.drop(columns="member_id").set_axis(pd.Index(subjects, name="subject_id"), axis=0)
    grouped = [name for name in kept if name in AGES.edges or 2 <= kept[name].nunique() <= _MOST_VALUES]
    return kept[grouped] if grouped else None
