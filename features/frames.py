"""Feature frames and observations as Parquet files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import ConsentRequired, FeatureColumnsError, ObservationError
from benne.features.consent_mask import split_mask
from benne.features.events.keys import SubjectKey

__all__ = [
    "FeatureFile",
    "Provenance",
    "key_member_ids",
    "read_features",
    "read_observations",
    "read_table",
    "write_features",
    "write_table",
]

_INDEX = ["subject_id", "as_of"]
_NOTE = b"benne"


@dataclass(frozen=True)
class Provenance:
    """Where a feature frame comes from, kept in its file.

    Parameters
    ----------
    consents : str
        On whose word the features were computed.
    purpose, recipient : str or None
        What the ledger was asked for; None where it was not asked.
    events_fingerprint, key_fingerprint : str
    known_by : str or None
        Of a corrected build: the later moment (ISO 8601) whose knowledge it has.
    """

    consents: str
    purpose: str | None
    recipient: str | None
    events_fingerprint: str
    key_fingerprint: str
    known_by: str | None = None

    def as_tags(self) -> dict[str, str]:
        """What is known of it, as texts."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}

    def require(self, purpose: str, recipient: str | None = None) -> None:
        """Refuse features that the ledger allowed for something else.

        Raises
        ------
        ConsentRequired
        """
        if self.purpose is not None and (self.purpose != purpose or recipient not in (None, self.recipient)):
            wanted = purpose if recipient is None else f"{purpose} for {recipient}"
            raise ConsentRequired(
                f"Features must be computed for {wanted}, got some computed for {self.purpose} for {self.recipient}. "
                "Build them again for this purpose: benne features build"
            )

    def require_foresight_free(self) -> None:
        """Refuse a corrected build: it knows what nobody knew at ``as_of``.

        Raises
        ------
        ObservationError
        """
        if self.known_by is not None:
            raise ObservationError(
                f"Features to learn from must hold what was known at as_of, got a corrected build that knows what was "
                f"learned by {self.known_by}. Build them again without --known-by."
            )


@dataclass(frozen=True)
class FeatureFile:
    """A feature frame read from a file.

    Parameters
    ----------
    features : DataFrame
        Indexed by (``subject_id``, ``as_of``).
    provenance : Provenance or None
        None where something else than :func:`write_features` wrote the file.
    """

    features: pd.DataFrame
    provenance: Provenance | None


def write_features(features: pd.DataFrame, path: str | Path, provenance: Provenance) -> Path:
    """Write a feature frame as one Parquet file, whole or not at all.

    Parameters
    ----------
    features : DataFrame
        From :func:`benne.features.build_features`.
    path : path
        Replaced if it exists.
    provenance : Provenance
    """
    return write_table(features.reset_index(), path, {_NOTE: json.dumps(asdict(provenance)).encode()})


def write_table(frame: pd.DataFrame, path: str | Path, metadata: Mapping[bytes, bytes] | None = None) -> Path:
    """Write a frame without its index as one Parquet file, whole or not at all."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({**table.schema.metadata, **(metadata or {})})
    partial = target.with_name(f".{target.name}.partial")
    try:
        pq.write_table(table, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def read_features(path: str | Path) -> FeatureFile:
    """Read a feature frame.

    Raises
    ------
    ObservationError
        If the file is not Parquet, or does not say whom and when each row is about.
    FeatureColumnsError
        If it does not carry the five consent columns.
    """
    table = read_table(path, "Features")
    note = (table.schema.metadata or {}).get(_NOTE)
    frame = table.to_pandas()
    if any(frame.index.names):  # as pandas itself writes a frame with its index
        frame = frame.reset_index()
    frame = _with_moments(frame, path)
    if frame.duplicated(_INDEX).any():
        raise ObservationError(f"{path} must hold each (subject_id, as_of) once, got a repeat. Drop one of them.")
    features = frame.set_index(_INDEX)
    if split_mask(features)[1] is None:
        raise FeatureColumnsError(
            f"{path} must carry the five consent columns, got none. Build it: benne features build"
        )
    return FeatureFile(features, None if note is None else Provenance(**json.loads(note)))


def read_observations(path: str | Path, key: SubjectKey | None = None) -> pd.DataFrame:
    """Read who is observed when, or what became of them.

    Parameters
    ----------
    path : path
        Parquet with ``subject_id``, or ``member_id`` and a key, and ``as_of``; further columns stay.
    key : SubjectKey, optional
        Needed where ids are raw.

    Returns
    -------
    DataFrame
        With ``subject_id`` and without ``member_id``.

    Raises
    ------
    ObservationError
        If the file is not Parquet, a column is missing, or raw ids come without a key.
    """
    frame = read_table(path, "Observations").to_pandas()
    if "member_id" in frame.columns:
        frame = key_member_ids(frame, key)
    return _with_moments(frame, path)


def key_member_ids(frame: pd.DataFrame, key: SubjectKey | None) -> pd.DataFrame:
    """Replace raw ``member_id`` by ``subject_id``.

    Raises
    ------
    ObservationError
        Without a key, where both columns are there, or for a null id.
    """
    if key is None:
        raise ObservationError(
            "Raw member_id must be keyed before anything else, got no key. Name the key of the events: --key-file."
        )
    if "subject_id" in frame.columns:
        raise ObservationError("Rows must name their member once, got member_id and subject_id. Drop one.")
    if frame["member_id"].isna().any():
        raise ObservationError("member_id must never be null, got null. Drop those rows.")
    return frame.assign(subject_id=key.subject_ids(frame["member_id"].tolist())).drop(columns="member_id")


def read_table(path: str | Path, what: str) -> pa.Table:
    """Read a Parquet file, or say which ``what`` cannot be read.

    Raises
    ------
    ObservationError
    """
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid):
        # Arrow's own words may quote the file.
        raise ObservationError(f"{what} must be a Parquet file, got none that can be read: {path}.") from None


def _with_moments(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    missing = [name for name in _INDEX if name not in frame.columns]
    if missing:
        raise ObservationError(
            f"{path} must have subject_id (or member_id) and as_of, got no {' and no '.join(missing)}. Add it."
        )
    if not isinstance(frame["as_of"].dtype, pd.DatetimeTZDtype):
        raise ObservationError(
            f"as_of in {path} must be timezone-aware timestamps, got {frame['as_of'].dtype}. Localize to UTC."
        )
    # One unit and one timezone, so that the same moment in two files is the same key.
    return frame.assign(as_of=frame["as_of"].dt.tz_convert("UTC").dt.as_unit("us"))
