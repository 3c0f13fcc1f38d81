"""How many members moved fast, as a document about the model that scores them; of nobody in particular."""

from __future__ import annotations

from typing import Any, Final

from benne.experiments.report.model_document import AboutDocument, document_of, section
from benne.scoring.monitoring.velocity import VelocityReference, VelocityResult

__all__ = ["velocity_document"]

_CELL: Final = 10
_NOTES: Final = (
    "A flag is for a person to look at. It refuses nothing, lowers no score and is no feature.",
    f"Counts of fewer than {_CELL} members are left out.",
)


def velocity_document(reference: VelocityReference, result: VelocityResult, about: AboutDocument) -> dict[str, Any]:
    """Share of members flagged, and how many were fast in each feature; the same result, the same bytes.

    Parameters
    ----------
    reference : VelocityReference
    result : VelocityResult
    about : AboutDocument
    """
    which = [set(names.split(", ")) for names in result.flags["which"]]
    counts = {name: sum(name in fast for fast in which) for name in reference.grids}
    rows = [{"feature": name, "fast": n if n >= _CELL or n == 0 else None} for name, n in counts.items()]
    says = ["Members whose move a day was beyond the reference's, by feature."]
    return document_of("velocity", about, {
        "measures": result.measures(),
        "tables": {"features": rows},
        "sections": [section("velocity", "Velocity", says, "features")],
        "reference": {"quantile": reference.quantile, "rows": reference.rows},
        "notes": list(_NOTES),
    })  # fmt: skip
