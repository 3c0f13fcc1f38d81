"""Features that were computed beforehand, taken from their file into the vault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
from sqlalchemy import Connection

from benne.errors import ObservationError
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import split_mask
from benne.features.engines.online import FeatureVector
from benne.features.frames import read_features
from benne.scoring.consent.deciding import answers_of, question_of
from benne.scoring.consent.decision import Permission
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.service import Service

__all__ = ["Loaded", "load_features"]

_CHUNK: Final = 500  # members


@dataclass(frozen=True, slots=True)
class Loaded:
    """Members whose features were kept, and those left out for want of consent."""

    kept: int
    left_out: int
    purpose: str
    recipient: str


def load_features(
    service: Service,
    path: Path,
    *,
    purpose: str | None = None,
    recipient: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Loaded:
    """Keep the newest row of each member in a feature file, some hundred members to a transaction.

    What is in the file was computed under consents that may have ended since: members who do not consent now are left
    out, and what others withhold now is let go of.

    Parameters
    ----------
    service : Service
    path : Path
        From :func:`benne.features.frames.write_features`.
    purpose, recipient : str, optional
        Of files that do not say so themselves.
    progress : callable, optional
        Told how many rows of how many are done.

    Raises
    ------
    ObservationError
        If the file is no feature file, or nobody says what it is for.
    ConsentRequired
        If it was computed for something else.
    """
    file = read_features(path)
    if file.provenance is not None:
        purpose, recipient = purpose or file.provenance.purpose, recipient or file.provenance.recipient
    if purpose is None or recipient is None:
        raise ObservationError(
            "Features must be for a purpose and a recipient, got none. Name --purpose and --recipient."
        )
    if file.provenance is not None:
        file.provenance.require(purpose, recipient)
        file.provenance.require_foresight_free()
    rows = file.features.sort_index(level="as_of").groupby(level="subject_id", sort=True).tail(1)
    kept = 0
    for start in range(0, len(rows), _CHUNK):
        vectors = _vectors(rows.iloc[start : start + _CHUNK])
        with service.store.write() as connection:
            kept += _keep(service, connection, vectors, purpose, recipient)
        if progress is not None:
            progress(min(start + _CHUNK, len(rows)), len(rows))
    return Loaded(kept, len(rows) - kept, purpose, recipient)


def _vectors(rows: pd.DataFrame) -> list[FeatureVector]:
    features, mask = split_mask(rows)
    if mask is None:
        raise ObservationError("Features must carry their five consent columns, got none. Build them anew.")
    names = tuple(map(str, features.columns))
    values, computed = features.to_numpy(dtype=float), mask.to_numpy(dtype=bool)
    return [
        FeatureVector(
            str(subject_id), as_of.to_pydatetime(), names, values[k], dict(zip(CATEGORIES, computed[k], strict=True))
        )
        for k, (subject_id, as_of) in enumerate(rows.index)
    ]


def _keep(service: Service, connection: Connection, vectors: list[FeatureVector], purpose: str, recipient: str) -> int:
    now_us = to_microseconds(service.clock(), "The clock")
    jurisdiction = service.policies.jurisdiction
    question = question_of(purpose, recipient, "benne-loading", (), None, "advisory", None, jurisdiction)
    answers = answers_of(connection, tuple(vector.subject_id for vector in vectors), question, now_us)
    permitted = {member: answer for member, answer in answers.items() if isinstance(answer, Permission)}
    known = service.vault.keys_of(connection, permitted, create=True, now_us=now_us)
    keeping = [vector for vector in vectors if vector.subject_id in known]
    service.vectors.keep(connection, keeping, purpose=purpose, recipient=recipient, now_us=now_us)
    for vector in keeping:
        ended = [c for c in CATEGORIES if vector.consented[c] and c not in permitted[vector.subject_id].categories]
        if ended:
            service.vectors.withhold(
                connection, vector.subject_id, purpose=purpose, recipient=recipient, ended=ended, now_us=now_us
            )
    return len(keeping)
