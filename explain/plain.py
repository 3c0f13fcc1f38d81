"""An explanation as plain values, for JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from benne.explain.lines import CategoryLine
from benne.explain.wording import (
    chance_in_words,
    interval_in_words,
    pattern_in_words,
    place_in_words,
    rare_in_words,
    thin_file_in_words,
)

if TYPE_CHECKING:
    from benne.explain.explanation import MemberExplanation

__all__ = ["SCHEMA_VERSION", "explanation_as_dict"]

SCHEMA_VERSION: Final = 1
"""Of ``explanation.schema.json``; it rises when a field changes its meaning or goes."""

_FIGURES: Final = (
    "score", "shown", "band", "pd", "pd_low", "pd_high", "percentile", "thin_file", "rare", "base", "base_shown",
    "clipped", "clipped_shown",
)  # fmt: skip


def explanation_as_dict(said: MemberExplanation) -> dict[str, Any]:
    """Figures, lines, words and circumstances, as ``explanation.schema.json`` describes them."""
    about, texts = said.about, said.texts
    return {
        "schema_version": SCHEMA_VERSION,
        "language": about.language,
        **{name: getattr(said, name) for name in _FIGURES},
        "categories": [_category(category) for category in said.categories],
        "consent": {
            "used": list(said.used),
            "withheld": list(said.withheld),
            "sentence": pattern_in_words(said, texts),
        },
        "outlook": {
            "chance": chance_in_words(said, texts),
            "interval": interval_in_words(said, texts),
            "place": place_in_words(said, texts),
            "thin_file": thin_file_in_words(said, texts),
            "rare": rare_in_words(said, texts),
        },
        "average_score": about.average_score,
        "as_of": _moment(about.as_of),
        "decided_at": _moment(about.decided_at),
        "decision_id": about.decision_id,
        "model_id": about.model_id,
        "reasons": None if about.reasons is None else about.reasons.as_dict(),
    }


def _category(line: CategoryLine) -> dict[str, Any]:
    plain = asdict(line)
    return plain | {"features": list(plain["features"]), "sources": list(line.sources)}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
