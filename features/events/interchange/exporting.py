"""Export: the obligations and repayments of members who consented, as a package for one recipient."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from benne.errors import ConsentError, ConsentRequired, EventSchemaError, EventValueError
from benne.features.consent_mask import ConsentMask
from benne.features.events.events import Events, written_whole
from benne.features.events.interchange.identifiers import read_identifiers
from benne.features.events.interchange.manifest import Manifest, Terms
from benne.features.events.interchange.options import ExportOptions
from benne.features.events.interchange.package import zip_folder
from benne.features.events.interchange.packing import Packing
from benne.features.events.interchange.sharing import SharedMembers
from benne.features.events.keys import SubjectKey

__all__ = ["ExportReport", "export_package"]

_log = logging.getLogger(__name__)
_BEGINNING: Final = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ExportReport:
    """What was packed, and who was left out.

    Parameters
    ----------
    path : Path
    rows : mapping of str to int
    members_shared, members_withheld, members_without_identifier, members_withdrawn : int
        Withheld: no consent at the moment of export.
    sha256 : str
        Of the manifest: names the package.
    """

    path: Path
    rows: Mapping[str, int]
    members_shared: int
    members_withheld: int
    members_without_identifier: int
    members_withdrawn: int
    sha256: str


def export_package(
    events: Events, out: str | Path, *, terms: Terms, key: SubjectKey, exchange_key: SubjectKey, identifiers: Any,
    consents: ConsentMask, created_at: datetime, options: ExportOptions | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> ExportReport:  # fmt: skip
    """Pack what one institution may tell another about the members who consented to it.

    Parameters
    ----------
    events : Events
        The exporter's own, through the door.
    out : path
        A folder, or a file that ends in ``.zip``; must not exist, appears whole or not at all.
    terms : Terms
    key : SubjectKey
        The key of ``events``. Record and contract ids leave keyed once more with it, apart for
        each recipient, so that two recipients cannot join what they were sent.
    exchange_key : SubjectKey
        The key the two institutions share, and nobody else.
    identifiers : DataFrame, pyarrow.Table or path
        ``member_id`` and ``identifier``: which identifier, known to both, a member has.
    consents : ConsentMask
        Who lets their credit history be shared, for the recipient and purpose of ``terms``.
    created_at : datetime
        The clock (aware).
    options : ExportOptions, optional
    progress : callable, optional
        Called with a table's name and the rows just written.

    Returns
    -------
    ExportReport

    Raises
    ------
    EventSchemaError
        Terms are not as the manifest's schema says, a key is the wrong one, or ``out`` exists.
    EventValueError
        Rows hold what the format cannot say, or no member has an identifier.
    ConsentError
        ``consents`` is not a ConsentMask.
    ConsentRequired
        Nobody consents, and nobody withdrew since ``options.withdrawn_since``: there is nothing
        to say to the recipient, and no package.
    """
    chosen = ExportOptions() if options is None else options
    _check_keys(events, key, exchange_key, consents)
    manifest = _manifest(terms, key, exchange_key, created_at, chosen)
    members = SharedMembers(events, read_identifiers(identifiers), key, exchange_key, consents)
    shared, withdrawn = members.consenting(created_at), members.withdrawn(chosen.withdrawn_since, created_at)
    if not len(shared) and not len(withdrawn):
        _refuse_empty(members, terms)
    with _new_package(Path(out), created_at) as folder:
        packing = Packing(manifest, key, chosen, progress)
        rows, digest = packing.write(folder, events, shared, withdrawn, exchange_key)
    _log.info("%d rows of %d members packed for %s; %s", sum(rows.values()), len(shared), terms.recipient_id,
              consents.reason)  # fmt: skip
    withheld = len(members) - len(shared)
    return ExportReport(Path(out), rows, len(shared), withheld, members.without_identifier, len(withdrawn), digest)


def _refuse_empty(members: SharedMembers, terms: Terms) -> NoReturn:
    without = members.without_identifier
    if not len(members):
        raise EventValueError(
            f"identifiers must name members of the events, got none of the {without:,} there. Check member_id."
        )
    raise ConsentRequired(
        f"A package must hold somebody who consents or has withdrawn, got nobody: {len(members):,} members do not let "
        f"{terms.recipient_id} have their credit history for {terms.purpose}, {without:,} have no identifier. "
        "Check recipient and purpose, ask the members, or say since when to look for withdrawals."
    )


@contextmanager
def _new_package(target: Path, created_at: datetime) -> Iterator[Path]:
    if target.suffix != ".zip":
        with written_whole(target) as (staging, _):
            yield staging
        return
    with tempfile.TemporaryDirectory(prefix="benne-interchange-") as folder:
        yield Path(folder)
        zip_folder(Path(folder), target, created_at)


def _check_keys(events: Events, key: SubjectKey, exchange_key: SubjectKey, consents: ConsentMask) -> None:
    if not isinstance(consents, ConsentMask):
        raise ConsentError(
            f"consents must be a ConsentMask, got {type(consents).__name__}. Take one from the ledger, for the "
            "recipient and purpose of the package."
        )
    if key.fingerprint != events.key_fingerprint:
        raise EventSchemaError("key must be the key of the events, got another. Name the one they were ingested with.")
    if key.fingerprint == exchange_key.fingerprint:
        raise EventSchemaError(
            "exchange_key must be another key than that of the events, got the same: whoever has it can tell who is "
            "behind every subject id. Make one for this recipient alone."
        )


def _manifest(
    terms: Terms, key: SubjectKey, exchange_key: SubjectKey, created_at: datetime, chosen: ExportOptions
) -> Manifest:
    manifest = Manifest(
        terms=terms,
        created_at=created_at,
        period_start=chosen.known_from or _BEGINNING,
        period_end=chosen.known_until or created_at,
        member_key=exchange_key.fingerprint,
        record_series=key.fingerprint,
    )
    broken = manifest.problems()
    if broken:
        raise EventSchemaError(
            f"The terms of a package must be as the manifest's schema says, got {'; '.join(broken)}."
        )
    return manifest
