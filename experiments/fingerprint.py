"""What rows a model was trained on, in one number that says nothing about them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benne.experiments.labelling import LabelledRows

__all__ = ["fingerprint_of"]


def fingerprint_of(rows: LabelledRows) -> str:
    """sha256 of feature values, consent columns, labels and weights, row by row; subject ids are not in it."""
    digest = hashlib.sha256("\n".join(rows.features.columns).encode())
    digest.update(rows.features.to_numpy(dtype="float64").tobytes())
    digest.update(rows.bad.tobytes())
    if rows.weight is not None:
        digest.update(rows.weight.tobytes())
    return digest.hexdigest()
