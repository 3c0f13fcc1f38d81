"""What an earlier build looked like: counts to measure drift against, and nobody's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from benne.errors import QualityInputError
from benne.features.quality.columns import ColumnReference, FeatureQuality
from benne.features.quality.documents import FORMAT, as_bytes, read_document, write_whole
from benne.features.quality.drift import Bins
from benne.features.quality.histogram import Histogram
from benne.features.quality.tables import TableQuality

__all__ = ["Reference", "TableReference"]

_KIND = "benne quality reference"


@dataclass(frozen=True)
class TableReference:
    """What a reference remembers of an event table.

    Parameters
    ----------
    covered : float or None
        Share of members with a row; None where too few have, or lack, one.
    filled : mapping of str to (float or None)
        Share of rows with a value, by optional column.
    sources : tuple of str
        Those with at least fifty members.
    """

    covered: float | None
    filled: Mapping[str, float | None]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """A build to compare later ones with.

    Parameters
    ----------
    as_of : str
        The clock of its report, ISO 8601.
    events_fingerprint : str
    tables : mapping of str to TableReference
    features : mapping of str to ColumnReference

    See Also
    --------
    QualityReport.reference : Makes one.
    """

    as_of: str
    events_fingerprint: str
    tables: Mapping[str, TableReference]
    features: Mapping[str, ColumnReference]

    @classmethod
    def of(
        cls, as_of: str, fingerprint: str, tables: Sequence[TableQuality], features: Sequence[FeatureQuality]
    ) -> Self:
        """What is remembered of measurements."""
        return cls(
            as_of, fingerprint, {table.name: _remembered(table) for table in tables},
            {feature.name: feature.own for feature in features},
        )  # fmt: skip

    def days_until(self, as_of: datetime) -> float:
        """Days from its clock to another (aware)."""
        return (as_of - datetime.fromisoformat(self.as_of)) / timedelta(days=1)

    def write(self, path: str | Path) -> Path:
        """Write it as JSON; replaced if it is there."""
        return write_whole(as_bytes({"format": FORMAT, "kind": _KIND, **asdict(self)}), path)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read what :meth:`write` wrote.

        Raises
        ------
        QualityInputError
            The file cannot be read, or is something else.
        """
        document = read_document(path, "A reference")
        try:
            if document["kind"] != _KIND:
                raise ValueError
            return cls(
                _moment(document["as_of"]), str(document["events_fingerprint"]),
                {name: _table(said) for name, said in document["tables"].items()},
                {name: _column(said) for name, said in document["features"].items()},
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            raise QualityInputError(
                f"A reference must be what --save-reference wrote, got something else: {path}. Save one anew."
            ) from None


def _remembered(table: TableQuality) -> TableReference:
    nulls = {column: share.shown for column, share in table.nulls.items()}
    filled = {column: None if share is None else round(1 - share, 6) for column, share in nulls.items()}
    return TableReference(table.covered.shown, filled, tuple(sorted(source.name for source in table.sources)))


def _table(said: Mapping[str, Any]) -> TableReference:
    filled = {column: _number(share) for column, share in said["filled"].items()}
    return TableReference(_number(said["covered"]), filled, tuple(str(name) for name in said["sources"]))


def _column(said: Mapping[str, Any]) -> ColumnReference:
    fences, bars = said["fences"], said["histogram"]
    return ColumnReference(
        observations=int(said["observations"]), filled=_number(said["filled"]), held=_number(said["held"]),
        bins=_bins(said["bins"]),
        fences=None if fences is None else (float(fences[0]), float(fences[1])),
        outliers=_number(said["outliers"]),
        histogram=None if bars is None else _histogram(bars),
    )  # fmt: skip


def _bins(said: Mapping[str, Any]) -> Bins:
    bins = Bins(tuple(map(float, said["edges"])), tuple(map(int, said["counts"])), int(said["nulls"]))
    increasing = all(low < high for low, high in zip(bins.edges, bins.edges[1:], strict=False))
    if len(bins.counts) != len(bins.edges) + 1 or not increasing or min(bins.counts) < 0 or bins.nulls < 0:
        raise ValueError
    return bins


def _histogram(said: Mapping[str, Any]) -> Histogram:
    counts = tuple(None if count is None else int(count) for count in said["counts"])
    edges = tuple(map(float, said["edges"]))
    if len(edges) != len(counts) + 1:
        raise ValueError
    return Histogram(edges, counts)


def _moment(said: str) -> str:
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC).isoformat()


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
