"""One row's proof that it is what was decided and recorded: made from a batch's files, checked against the chain alone.

A proof holds the row as it was told, its salt, and the hashes beside its way up the tree. Nothing in it is about
anybody else, and it takes nothing else to check it than the audit record that it names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from benne.errors import BatchDamaged, ObservationError, ProofRejected
from benne.scoring.audit.links import digest
from benne.scoring.audit.merkle import inclusion_proof, is_included
from benne.scoring.batch.assembling import NOTE, files_of
from benne.scoring.batch.chunk import as_microseconds, as_moments
from benne.scoring.batch.leaves import SALT_BYTES, Tree, leaves_of
from benne.scoring.batch.part import LEAF, SALT
from benne.scoring.batch.told import OUTCOME
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.store.audit_tables import audit_records

__all__ = ["FORM", "Checked", "check_proof", "prove"]

FORM: Final = "benne batch proof 1"
_WORDS: Final = ("band", "granularity", OUTCOME, "withheld")
_OF_A_TREE: Final = ("purpose", "recipient", "model_id", "config_hash", "figures")
_COUNTS: Final = re.compile(r"scored:(\d+)/refused:(\d+)")


class Checked(NamedTuple):
    """What a proof comes to: the record that holds it, its moment, and what was decided."""

    seq: int
    event_id: str
    recorded_at: datetime
    decision: str


def prove(scores: Path, subject_id: str, as_of: datetime | None = None) -> dict[str, Any]:
    """What proves one row of a batch, as JSON can hold it.

    Parameters
    ----------
    scores : Path
        File of scores, with the files of proofs and leaves beside it.
    subject_id : str
    as_of : datetime, optional
        Moment of the row; by default the member's newest. Where one was scored and refused before the scores left,
        the refusal.

    Raises
    ------
    ObservationError
        If the files are not there, or hold no such row.
    BatchDamaged
        If they do not belong together.
    """
    files = files_of(scores)
    own = _rows_of(files.proofs, subject_id, as_of)
    if own.num_rows == 0:
        raise ObservationError("The member must be in the batch at that moment, got no such row. Name another file.")
    found = own.slice(own.num_rows - 1).to_pylist()[0]
    tree = _tree(files.proofs, found["event_id"])
    moment = own.column("as_of").slice(own.num_rows - 1)
    row = {"subject_id": subject_id, "as_of_us": int(as_microseconds(moment)[0])}
    row |= _told(scores, row, found[OUTCOME], tree)
    leaves = _leaves(files.leaves, found["event_id"])
    if leaves_of(_table(row, tree), tree, [found[SALT]]) != [leaves[found["position"]]]:
        raise BatchDamaged("Scores, proofs and leaves must be of one batch, and are not. Restore them together.")
    return {
        "form": FORM,
        "event_id": tree.event_id,
        "batch": {name: getattr(tree, name) for name in _OF_A_TREE} | {"figures": list(tree.figures)},
        "row": row,
        "salt": found[SALT].hex(),
        "position": found["position"],
        "size": len(leaves),
        "path": [one.hex() for one in inclusion_proof(leaves, found["position"])],
    }


def check_proof(proof: Mapping[str, Any], connection: Connection) -> Checked:
    """Hold a proof against the chain.

    Parameters
    ----------
    proof : mapping
        From :func:`prove`, however it came here.
    connection : Connection
        To the store that holds the chain. Whether the chain itself is whole, ``benne audit verify`` says.

    Raises
    ------
    ProofRejected
        If it is no proof, or not of what was recorded.
    """
    try:
        if proof["form"] != FORM:
            raise ProofRejected("A proof must be of a batch, in a form this Benne knows, got another. Ask for it anew.")
        batch = proof["batch"]
        tree = _tree_of(proof["event_id"], batch)
        salt, path = bytes.fromhex(proof["salt"]), [bytes.fromhex(one) for one in proof["path"]]
        position, size = proof["position"], proof["size"]
        if len(salt) != SALT_BYTES or {type(position), type(size)} != {int}:
            raise ValueError
        (leaf,) = leaves_of(_table(proof["row"], tree), tree, [salt])
        decision = "denied" if proof["row"][OUTCOME] else "granted"
    except (KeyError, TypeError, ValueError, OverflowError, pa.ArrowException):
        raise ProofRejected("A proof must hold a row, its salt and its path, and does not. Ask for it anew.") from None
    record = _record(connection, tree)
    if size != record.size or not is_included(leaf, position, size, path, bytes.fromhex(record.root)):
        raise ProofRejected("A proof must lead to what is on record, and does not. The row was not decided like this.")
    return Checked(record.seq, tree.event_id, from_microseconds(record.time_us), decision)


class _Record(NamedTuple):
    seq: int
    time_us: int
    root: str
    size: int


def _record(connection: Connection, tree: Tree) -> _Record:
    """The record that a tree names, which says the same of model and purpose, and is what was hashed."""
    query = select(audit_records).where(audit_records.c.event_id == tree.event_id)
    row = connection.execute(query).mappings().one_or_none() if isinstance(tree.event_id, str) else None
    counts = None if row is None else _COUNTS.fullmatch(row["outcome"] or "")
    if row is None or counts is None or row["merkle_root"] is None:
        raise ProofRejected("A proof must name a chunk that is on record, got another. Name the ledger of the batch.")
    said = {name: row[name] for name in ("purpose", "model_id", "config_hash")}
    if said != {name: getattr(tree, name) for name in said} or digest(list(row.values())[:-1]) != row["hash"]:
        raise ProofRejected("A proof must say of its batch what is on record, and does not. Do not rely on it.")
    return _Record(row["seq"], row["time_us"], row["merkle_root"], int(counts[1]) + int(counts[2]))


def _rows_of(path: Path, subject_id: str, as_of: datetime | None) -> pa.Table:
    """A member's rows at one moment, in the order of the file."""
    try:
        rows = pq.read_table(path, filters=pc.field("subject_id") == subject_id)
    except (OSError, pa.ArrowException):
        raise ObservationError(f"The files of a batch must be there and whole, got none to read: {path}.") from None
    if rows.num_rows == 0:
        return rows
    moments = as_microseconds(rows.column("as_of"))
    wanted = moments.max() if as_of is None else to_microseconds(as_of, "as_of")
    return rows.filter(pa.array(moments == wanted))


def _tree(proofs: Path, event_id: str) -> Tree:
    try:
        return _tree_of(event_id, json.loads((pq.read_schema(proofs).metadata or {})[NOTE]))
    except (KeyError, TypeError, ValueError):
        raise BatchDamaged(f"{proofs} must say what it proves, and does not. Restore it.") from None


def _tree_of(event_id: str, batch: Mapping[str, Any]) -> Tree:
    return Tree(event_id, **{name: batch[name] for name in _OF_A_TREE[:-1]}, figures=tuple(batch["figures"]))


def _told(scores: Path, row: Mapping[str, Any], reason: str | None, tree: Tree) -> dict[str, Any]:
    """What the recipient was told of a row, or why it was refused."""
    if reason is not None:
        return {OUTCOME: reason} | dict.fromkeys((*_WORDS[:2], _WORDS[3], *tree.figures))
    found = _rows_of(scores, row["subject_id"], from_microseconds(row["as_of_us"]))
    if found.num_rows != 1:
        raise BatchDamaged("Scores and proofs must be of one batch, and are not. Restore them together.")
    told: dict[str, Any] = found.to_pylist()[0]
    return {OUTCOME: None} | {name: told[name] for name in (*_WORDS[:2], _WORDS[3], *tree.figures)}


def _leaves(path: Path, event_id: str) -> list[bytes]:
    try:
        rows = pq.read_table(path, filters=pc.field("event_id") == event_id)
    except (OSError, pa.ArrowException):
        raise ObservationError(f"The files of a batch must be there and whole, got none to read: {path}.") from None
    if rows.column("position").to_pylist() != list(range(rows.num_rows)) or rows.num_rows == 0:
        raise BatchDamaged(f"{path} must hold every leaf of a chunk, in order, and does not. Restore it.")
    leaves: list[bytes] = rows.column(LEAF).to_pylist()
    return leaves


def _table(row: Mapping[str, Any], tree: Tree) -> pa.Table:
    """A row as the table its leaf is made from."""
    columns: dict[str, pa.Array] = {
        "subject_id": pa.array([row["subject_id"]], pa.large_string()),
        "as_of": as_moments(pa.array([row["as_of_us"]], pa.int64()).to_numpy()),
    }
    columns |= {name: pa.array([row[name]], pa.large_string()) for name in _WORDS}
    columns |= {name: pa.array([_number(row[name])], pa.float64()) for name in tree.figures}
    return pa.table(columns)


def _number(value: Any) -> float | None:
    if value is not None and not isinstance(value, int | float):
        raise TypeError
    return None if value is None else float(value)
