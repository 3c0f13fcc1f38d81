"""What one may choose about an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

__all__ = ["ExportOptions", "RowTerms"]


@dataclass(frozen=True)
class RowTerms:
    """Basis and quality of rows: members of LEGAL_BASES (null: the manifest's) and QUALITIES."""

    quality: str = "recorded"
    legal_basis: str | None = None


@dataclass(frozen=True)
class ExportOptions:
    """What one may choose about an export.

    Parameters
    ----------
    file_format : {"parquet", "csv"}
    known_from, known_until : datetime, optional
        Only rows with ``known_from <= known_at < known_until``; by default all that were known
        before the package is made.
    withdrawn_since : datetime, optional
        When this recipient was last sent a package: members who consented then and do not now
        are named in ``withdrawals``.
    by_source : mapping of str to RowTerms
        Terms of the rows whose ``source`` is the key.
    rows : RowTerms
        Terms of all others.
    """

    file_format: Literal["parquet", "csv"] = "parquet"
    known_from: datetime | None = None
    known_until: datetime | None = None
    withdrawn_since: datetime | None = None
    by_source: Mapping[str, RowTerms] = field(default_factory=dict)
    rows: RowTerms = RowTerms()
