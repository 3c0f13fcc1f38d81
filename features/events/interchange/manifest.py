"""The manifest of a package: who sends what to whom, on which basis, and how to tell that it is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final, Self

import pyarrow as pa

from benne.errors import EventSchemaError
from benne.features.events.interchange.columns import FORMAT, VERSION
from benne.features.events.interchange.json_schema import violations
from benne.features.events.keys import SubjectKey
from benne.features.events.validation import microseconds

__all__ = ["MANIFEST_NAME", "MEMBER_DOMAIN", "SEAL_NAME", "FileEntry", "Manifest", "Terms", "manifest_schema", "seal"]

MANIFEST_NAME: Final = "manifest.json"
SEAL_NAME: Final = "manifest.mac"
MEMBER_DOMAIN: Final = "interchange-member"
_SEAL_DOMAIN: Final = "interchange-manifest"
_METHOD: Final = "hmac-sha256-128"


@dataclass(frozen=True)
class Terms:
    """What the sender declares about a package.

    Parameters
    ----------
    institution_id, institution_name : str
        Who sends.
    recipient_id : str
        Who it is for.
    jurisdiction : str
        ISO 3166-1 code in lower case, or ``eu``.
    legal_basis : str
        One of :data:`~benne.features.events.interchange.columns.LEGAL_BASES`.
    purpose : str
        What the recipient may use it for.
    consent_basis : str
        On what evidence the sender holds the members' consent to share.
    currency : str
        ISO 4217 code of every amount.
    identifier : str
        Name of the identifier that both institutions know, such as ``national-id``.
    """

    institution_id: str
    institution_name: str
    recipient_id: str
    jurisdiction: str
    legal_basis: str
    purpose: str
    consent_basis: str
    currency: str
    identifier: str


@dataclass(frozen=True)
class FileEntry:
    """One table's file: its name, format, rows, bytes and SHA-256."""

    table: str
    name: str
    format: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The whole of ``manifest.json``.

    Parameters
    ----------
    terms : Terms
    created_at, period_start, period_end : datetime
        Aware; rows have ``period_start <= collected_at < period_end <= created_at``.
    member_key : str
        Fingerprint of the exchange key.
    record_series : str
        Which series the sender's own ids belong to.
    files : tuple of FileEntry
    """

    terms: Terms
    created_at: datetime
    period_start: datetime
    period_end: datetime
    member_key: str
    record_series: str
    files: tuple[FileEntry, ...] = ()

    def with_files(self, files: tuple[FileEntry, ...]) -> Self:
        """The same with the files that have been written."""
        return replace(self, files=files)

    def to_json(self) -> dict[str, Any]:
        """As the schema says."""
        terms = self.terms
        return {
            "format": FORMAT,
            "version": VERSION,
            "created_at": _text(self.created_at),
            "institution": {"id": terms.institution_id, "name": terms.institution_name},
            "recipient": {"id": terms.recipient_id},
            "jurisdiction": terms.jurisdiction,
            "legal_basis": terms.legal_basis,
            "purpose": terms.purpose,
            "consent_basis": terms.consent_basis,
            "currency": terms.currency,
            "period": {"start": _text(self.period_start), "end": _text(self.period_end)},
            "member_ids": {"method": _METHOD, "domain": MEMBER_DOMAIN, "identifier": terms.identifier,
                           "key_fingerprint": self.member_key},
            "record_ids": {"series": self.record_series},
            "files": [dict(vars(entry)) for entry in self.files],
        }  # fmt: skip

    def problems(self) -> list[str]:
        """What in it is not as the schema says, but for its files."""
        document = self.to_json()
        broken = [line for line in violations(document, manifest_schema()) if not line.startswith("files")]
        return broken or _contradictions(document)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read a manifest and hold it against its schema.

        Raises
        ------
        EventSchemaError
            If it is not JSON, of another format or version, or not as the schema says; the
            message names every place, and no value.
        """
        document = _parsed(text)
        _check_version(document)
        broken = violations(document, manifest_schema()) or _contradictions(document)
        if broken:
            raise EventSchemaError(
                f"{MANIFEST_NAME} must be as its schema says, got {len(broken)} thing(s) that are not: "
                f"{'; '.join(broken)}. Ask the sender to correct them."
            )
        return cls(
            terms=_terms(document),
            created_at=_moment(document["created_at"]),
            period_start=_moment(document["period"]["start"]),
            period_end=_moment(document["period"]["end"]),
            member_key=document["member_ids"]["key_fingerprint"],
            record_series=document["record_ids"]["series"],
            files=tuple(FileEntry(**entry) for entry in document["files"]),
        )


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema of the manifest, as it is shipped."""
    path = files("benne.features.events.interchange") / "manifest.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def seal(manifest: bytes, exchange_key: SubjectKey) -> str:
    """What only the two holders of the exchange key can compute over a manifest's bytes.

    Raises
    ------
    EventSchemaError
        If the bytes are not UTF-8.
    """
    try:
        text = manifest.decode("utf-8")
    except UnicodeDecodeError:
        raise EventSchemaError(f"{MANIFEST_NAME} must be UTF-8, got something else. Write it again.") from None
    return str(exchange_key.key_column(pa.array([text]), _SEAL_DOMAIN)[0].as_py())


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text.decode("utf-8"), object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError):  # the parser's own message may quote what it read
        document = None
    if not isinstance(document, dict):
        raise EventSchemaError(
            f"{MANIFEST_NAME} must be one JSON object in UTF-8 that names each property once, got something else. "
            "Ask the sender to write it again."
        )
    return document


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _check_version(document: Mapping[str, Any]) -> None:
    if document.get("format") != FORMAT:
        raise EventSchemaError(f"{MANIFEST_NAME} must be of format {FORMAT}, got another or none. Name such a package.")
    if document.get("version") != VERSION:
        raise EventSchemaError(
            f"{MANIFEST_NAME} must be of version {VERSION}, got another or none. "
            "Upgrade Benne, or ask the sender for this version."
        )


def _contradictions(document: Mapping[str, Any]) -> list[str]:
    """What a schema cannot say."""
    found = [
        f"files[{number}].name must be its table, a dot and its format"
        for number, entry in enumerate(document["files"])
        if entry["name"] != f"{entry['table']}.{entry['format']}"
    ]
    if len({entry["table"] for entry in document["files"]}) < len(document["files"]):
        found.append("files must name each table once")
    try:
        start, end, created = (
            _moment(text) for text in (*map(document["period"].get, ("start", "end")), document["created_at"])
        )
    except ValueError:
        return [*found, "created_at and period must be moments of the calendar"]
    if not start < end <= created:
        found.append("period must end after it starts, and no later than created_at")
    return found


def _terms(document: Mapping[str, Any]) -> Terms:
    plain = {name: document[name] for name in ("jurisdiction", "legal_basis", "purpose", "consent_basis", "currency")}
    return Terms(
        institution_id=document["institution"]["id"],
        institution_name=document["institution"]["name"],
        recipient_id=document["recipient"]["id"],
        identifier=document["member_ids"]["identifier"],
        **plain,
    )


def _text(moment: datetime) -> str:
    microseconds(moment)  # refuses a naive one
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
