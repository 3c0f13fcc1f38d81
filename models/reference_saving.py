"""The reference sample's means as a table, and back, without loss."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from benne.models.reference_sample import PatternReference

__all__ = ["references_from", "references_to"]


def references_to(references: Sequence[PatternReference], columns: Sequence[str]) -> pa.Table:
    """One row for each pattern and cohort; what is known of a pattern as a whole goes into the schema's metadata.

    Parameters
    ----------
    references : sequence of PatternReference
        Of each pattern, in their order.
    columns : sequence of str
        Features, in the model's order.
    """
    counts = [len(one.members) for one in references]
    points = np.concatenate([one.points for one in references])
    arrays = {
        "pattern": pa.array(np.repeat(np.arange(len(references)), counts)),
        "members": pa.array(np.concatenate([one.members for one in references])),
        "score": pa.array(np.concatenate([one.score for one in references])),
    }
    features = {f"points of {name}": pa.array(points[:, k]) for k, name in enumerate(columns)}
    whole = [
        {"rows": one.rows, "sha256": one.sha256, "least": one.least.tolist(), "most": one.most.tolist()}
        for one in references
    ]
    return pa.table(arrays | features).replace_schema_metadata({"patterns": json.dumps(whole)})


def references_from(table: pa.Table, columns: Sequence[str]) -> tuple[PatternReference, ...]:
    """Inverse of :func:`references_to`."""
    whole: list[dict[str, Any]] = json.loads(table.schema.metadata[b"patterns"])
    pattern, members, score = (table.column(name).to_numpy() for name in ("pattern", "members", "score"))
    points = np.column_stack([table.column(f"points of {name}").to_numpy() for name in columns])
    return tuple(
        PatternReference(
            rows=one["rows"],
            sha256=one["sha256"],
            members=members[pattern == k],
            score=score[pattern == k],
            points=points[pattern == k],
            least=np.array(one["least"], dtype=np.float64),
            most=np.array(one["most"], dtype=np.float64),
        )
        for k, one in enumerate(whole)
    )
