"""From a chunk's features and the ledger's answers to what is told about each row. Pure: no store, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benne.errors import ExplanationError, FeatureValueError, InsufficientEvidence
from benne.features.categories import CATEGORIES
from benne.models import Explanation, withheld_of
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.chunk import INDEX, Chunk, as_moments
from benne.scoring.batch.currency import CHANGED, changed_since_built
from benne.scoring.batch.permitted import as_permitted
from benne.scoring.batch.rules import Rules
from benne.scoring.batch.told import OUTCOME, outcome_schema, told_columns
from benne.scoring.batch.unscorable import told_by, unscorable
from benne.scoring.consent.decision import FROM_COARSE, Permission
from benne.scoring.consent.vocabulary import DenyReason
from benne.scoring.scorer import check_sums

__all__ = ["decide_rows"]

Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]
Places = npt.NDArray[np.intp]

_NOTHING: Final = np.zeros(len(CATEGORIES), dtype=bool)


class _Given(NamedTuple):
    """What the ledger answered: categories (n, 5), granularity (n,) and reason (n,), '' where it permits."""

    permitted: Bools
    granularity: Objects
    reasons: Objects


def decide_rows(chunk: Chunk, answers: Sequence[Permission | DenyReason], model: BatchModel, rules: Rules) -> pa.Table:
    """Score who may be scored, in one call of the model, and say why the others are not.

    Parameters
    ----------
    chunk : Chunk
    answers : sequence of Permission or str, length n
        The ledger's, for each row's own moment.
    model : BatchModel
    rules : Rules

    Returns
    -------
    Table
        In the rows' order, with the columns of :func:`benne.scoring.batch.told.outcome_schema`: no finer than member
        and purpose allow, and ``reason`` where there is no score.

    Raises
    ------
    ModelError
        If the columns are not the model's, or a score does not add up.
    """
    given = _given(answers, rules)
    reasons = given.reasons
    required = np.array([category in rules.question.required for category in CATEGORIES])
    stale = changed_since_built(chunk.computed, given.permitted, required)
    reasons[(reasons == "") & stale] = CHANGED
    withheld = withheld_of(chunk.features)
    rows, explanation = _explained(chunk.features, withheld, model, reasons)
    if explanation is None:
        return _outcome(chunk, model, reasons, rows, None)
    scores = explanation.table().reset_index(drop=True)
    scores["withheld"] = [_listed(withheld[row]) for row in rows.tolist()]
    scores["granularity"] = given.granularity[rows]
    return _outcome(chunk, model, reasons, rows, as_permitted(scores))


def _given(answers: Sequence[Permission | DenyReason], rules: Rules) -> _Given:
    """Equal answers are one object each, so a row costs no more than a look-up."""
    places, which = np.unique(np.fromiter(map(id, answers), np.int64, len(answers)), return_inverse=True)
    by_id = {id(answer): answer for answer in answers}
    distinct = [by_id[place] for place in places.tolist()]
    permitted, granularity, reasons = [_NOTHING], [""], [""]  # a first one, so that there is a shape for no rows
    for answer in distinct:
        given = isinstance(answer, Permission) and rules.refusal is None
        permitted.append(_flags(answer) if given and isinstance(answer, Permission) else _NOTHING)
        granularity.append(_coarser(answer, rules) if isinstance(answer, Permission) else "")
        reasons.append("" if given else rules.refusal or str(answer))
    which = which + 1
    return _Given(
        np.stack(permitted)[which], np.array(granularity, dtype=object)[which], np.array(reasons, dtype=object)[which]
    )


def _flags(permission: Permission) -> Bools:
    return np.array([category in permission.categories for category in CATEGORIES])


def _coarser(permission: Permission, rules: Rules) -> str:
    return min(permission.granularity, rules.finest, key=FROM_COARSE.index)


def _explained(
    features: pd.DataFrame, withheld: list[frozenset[str]], model: BatchModel, reasons: Objects
) -> tuple[Places, Explanation | None]:
    """Explain the rows without a reason; those the model refuses get theirs."""
    rows = np.flatnonzero(reasons == "")
    while len(rows):
        part = features if len(rows) == len(features) else features.iloc[rows]
        without = [withheld[row] for row in rows.tolist()]
        try:
            explanation = model.model.explain(part, withheld=without)
        except (InsufficientEvidence, FeatureValueError):
            reasons[rows] = _refused_by(model, part, without)
            rows = rows[reasons[rows] == ""]
            continue
        check_sums(explanation, len(rows))
        return rows, explanation
    return rows, None


def _refused_by(model: BatchModel, features: pd.DataFrame, withheld: list[frozenset[str]]) -> Objects:
    reasons = told_by(model.model, features, withheld)
    if not (reasons != "").any():
        reasons = unscorable(model.model, features, withheld)
    if not (reasons != "").any():
        raise ExplanationError("A model must refuse a table for its rows, and refuses none of them. Nobody is scored.")
    return reasons


def _listed(withheld: frozenset[str]) -> str:
    return ",".join(category for category in CATEGORIES if category in withheld)


def _outcome(chunk: Chunk, model: BatchModel, reasons: Objects, rows: Places, scores: pd.DataFrame | None) -> pa.Table:
    """Every row of the chunk in one table; nulls where nothing is told."""
    schema = outcome_schema(model.categories)
    columns = told_columns(model.categories)[len(INDEX) :]
    told = pa.schema([schema.field(name) for name in columns])
    if scores is None:
        table = pa.table({field.name: pa.nulls(len(chunk), field.type) for field in told})
    else:
        places = np.full(len(chunk), -1)
        places[rows] = np.arange(len(rows))
        whole = pa.Table.from_pandas(scores[list(columns)], schema=told, preserve_index=False)
        table = whole.take(pa.array(places, mask=places < 0))
    outcome = pa.array(reasons, schema.field(OUTCOME).type, mask=reasons == "")
    return pa.Table.from_arrays([chunk.subjects, as_moments(chunk.as_of_us), *table.columns, outcome], schema=schema)
