"""``benne audit``: whether what is on record is what happened, and what proves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note, progress_bar
from benne.cli.edge import moment_from, subject_from
from benne.cli.exit_codes import PROMISE_BROKEN
from benne.cli.options import AsOf, KeyFile, LedgerAddress, Member, Subject, WantJson
from benne.errors import AnchorError, ProofRejected, StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from benne.scoring.audit.anchor import AnchorFile
    from benne.scoring.audit.chain import AuditReport

__all__ = ["app"]

app = typer.Typer(help="The audit chain: whether what is on record is what happened.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip
keys = typer.Typer(help="The key pair that signs anchors.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(keys, name="keys")

AnchorsPath = Annotated[Path, typer.Option("--anchors", help="File of anchors, kept away from the database.")]


@app.command()
def verify(
    ledger: LedgerAddress,
    anchors: Annotated[Path | None, typer.Option("--anchors", help="File of anchors; needs --public-key.")] = None,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="Public key of the anchors, which `benne audit keys new` wrote.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Recompute the whole chain of audit records and hold it against its anchors.

    Without anchors, records that were cut off at the end or a chain that was made anew do not show. Ends with
    exit code 6 where something is wrong, and says where and what.

    \b
    Example:
      benne audit verify --ledger consents.db --anchors anchors.jsonl --public-key anchor.key.pub
    """
    from benne.scoring.audit.chain import verify as verify_chain

    if (anchors is None) != (public_key is None):
        raise typer.BadParameter("--anchors and --public-key go together: name both, or neither.")
    held = None if anchors is None or public_key is None else _anchors(anchors, public_key)
    torn = 0 if held is None else held.torn_bytes()
    with _forgery_told(), _reading(ledger) as connection, _records_counted(connection) as progress:
        report = verify_chain(connection, () if held is None else held.read(), progress=progress)
    if torn:
        note(f"{anchors}: a last line of {torn} bytes is torn, as a crash leaves it; it counts for nothing.")
    if want_json:
        answer_json(_as_dict(report, torn))
    else:
        _tell(report, anchors)
    if not report.intact:
        raise typer.Exit(PROMISE_BROKEN)


@app.command()
def anchor(
    ledger: LedgerAddress,
    anchors: AnchorsPath,
    private_key: Annotated[
        Path, typer.Option("--private-key", help="Private key that signs, which `benne audit keys new` wrote.")
    ],
    want_json: WantJson = False,
) -> None:
    """Verify what came after the last anchor, then sign the chain's last record into the file of anchors.

    Run it by a timer, on a machine that those who run the database cannot write to, or copy the file there. What
    came after the last anchor is what could be cut off unseen.

    \b
    Example:
      benne audit anchor --ledger consents.db --anchors anchors.jsonl --private-key anchor.key
    """
    from benne.scoring.audit.anchor import AnchorFile
    from benne.scoring.audit.anchoring import anchor_chain
    from benne.scoring.audit.key_files import read_private_key
    from benne.scoring.consent.moments import from_microseconds, to_microseconds
    from benne.scoring.wiring import system_clock

    file = AnchorFile(anchors, read_private_key(private_key))
    begins = not anchors.exists()
    torn = 0 if begins else file.repair()
    if begins:
        note(f"{anchors} is new. If this chain was anchored before, its anchors are missing: look for them.")
    if torn:
        note(f"{anchors}: a torn last line of {torn} bytes, left by a crash and never an anchor, was cut off.")
    with _forgery_told(), _reading(ledger) as connection, _records_counted(connection) as progress:
        made = anchor_chain(connection, file, now_us=to_microseconds(system_clock(), "now"), progress=progress)
    if want_json:
        answer_json({"seq": made.seq, "hash": made.hash, "time": from_microseconds(made.time_us).isoformat(),
                     "digest": made.digest, "begun": begins, "torn_bytes": torn})  # fmt: skip
        return
    answer(f"Anchored: record {made.seq:,}, {made.hash}")
    answer(f"The anchor's own digest, to publish or to send away: {made.digest}")


@app.command()
def head(ledger: LedgerAddress, want_json: WantJson = False) -> None:
    """Show the last record of the chain: its place, time and hash.

    \b
    Example:
      benne audit head --ledger consents.db
    """
    from benne.scoring.audit.chain import head as head_of
    from benne.scoring.consent.moments import from_microseconds

    with _reading(ledger) as connection:
        last = head_of(connection)
    time = from_microseconds(last.time_us).isoformat() if last.seq else None
    if want_json:
        answer_json({"seq": last.seq, "hash": last.hash, "time": time})
        return
    answer(f"Record {last.seq:,} of {time}: {last.hash}" if last.seq else "The chain holds no record yet.")


@app.command()
def prove(
    scores: Annotated[Path, typer.Argument(help="Scores that `benne score` wrote, with their proofs beside them.")],
    ledger: LedgerAddress,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    as_of: AsOf = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the proof to this file, not to stdout.")] = None,
) -> None:
    """Prove that one member's row of a batch is what was decided and recorded, whether a score or a refusal.

    The proof is JSON and holds this row alone. It is held against the chain before it is given.

    \b
    Example:
      benne audit prove scores.parquet --ledger consents.db --subject 0123456789abcdef0123456789abcdef
    """
    import json

    from benne.scoring.batch.proofs import check_proof
    from benne.scoring.batch.proofs import prove as prove_row

    proof = prove_row(scores, subject_from(member, subject, key_file), moment_from(as_of, "--as-of"))
    with _reading(ledger) as connection:
        checked = check_proof(proof, connection)
    if out is None:
        answer_json(proof)
    else:
        out.write_text(json.dumps(proof, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        answer(f"{out}: proves a decision ({checked.decision}) that is in record {checked.seq:,}")


@app.command(name="check-proof")
def check_proof_(
    proof: Annotated[Path, typer.Argument(help="Proof that `benne audit prove` wrote.")],
    ledger: LedgerAddress,
    want_json: WantJson = False,
) -> None:
    """Hold a proof of one row of a batch against the chain; nobody else's row is needed.

    Ends with exit code 6 where the proof does not lead to what is on record. Whether the chain itself is whole,
    `benne audit verify` says.

    \b
    Example:
      benne audit check-proof proof.json --ledger consents.db
    """
    import json

    from benne.scoring.batch.proofs import check_proof

    try:
        held = json.loads(proof.read_text(encoding="utf-8"))
    except ValueError:
        raise ProofRejected("A proof must be JSON, got something else. Ask for it anew.") from None
    with _reading(ledger) as connection:
        checked = check_proof(held, connection)
    if want_json:
        answer_json({"seq": checked.seq, "event_id": checked.event_id, "decision": checked.decision,
                     "recorded_at": checked.recorded_at.isoformat()})  # fmt: skip
        return
    answer(f"It holds: {checked.decision}, recorded {checked.recorded_at.isoformat()} in record {checked.seq:,}")


@keys.command()
def new(
    path: Annotated[Path, typer.Argument(help="File of the private key to write; must not exist.")],
    want_json: WantJson = False,
) -> None:
    """Draw a key pair for anchors: the private key in a file that only you can read, the public one in FILE.pub.

    Whoever has the private key can make anchors, so keep it away from the database. Give the public key to
    everybody who is to verify.

    \b
    Example:
      benne audit keys new anchor.key
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from benne.scoring.audit.key_files import write_key_pair

    public = write_key_pair(path, Ed25519PrivateKey.generate())
    if want_json:
        answer_json({"private_key": str(path), "public_key": str(public)})
        return
    answer(f"{path}: a new private key; {public}: its public key")
    note("Keep the private key secret and away from the database; verifying takes the public one.")


def _anchors(path: Path, public_key: Path) -> AnchorFile:
    from benne.scoring.audit.anchor import AnchorFile
    from benne.scoring.audit.key_files import read_public_key

    return AnchorFile(path, read_public_key(public_key))


@contextmanager
def _reading(address: str) -> Iterator[Connection]:
    """A store that is there and of this version: looking into a chain changes nothing, not even a schema."""
    from benne.scoring import open_store

    if "://" not in address and not Path(address).is_file():
        raise StoreError(f"The ledger must exist, got no file {address}. Name the service's database.")
    store = open_store(address, migrate=False)
    try:
        with store.read() as connection:
            yield connection
    finally:
        store.close()


@contextmanager
def _forgery_told() -> Iterator[None]:
    """What is wrong with the anchors or with the chain they hold ends with the same code as a broken chain."""
    try:
        yield
    except AnchorError as error:
        note(f"benne: {error}")
        raise typer.Exit(PROMISE_BROKEN) from None


@contextmanager
def _records_counted(connection: Connection) -> Iterator[Callable[[int], object]]:
    from benne.scoring.audit.chain import head as head_of

    with progress_bar("Verifying records", total=head_of(connection).seq) as update:
        yield lambda done: update(done, None)


def _tell(report: AuditReport, anchors: Path | None) -> None:
    if not report.intact:
        answer(
            f"Broken at record {report.broken_at:,}: {report.why}. Records that verify before it: {report.records:,}."
        )
        return
    answer(f"All {report.records:,} records verify; the last is {report.head.hash}")
    if anchors is None:
        note("Held against no anchors: an end cut off, or a chain made anew, would not show. See --anchors.")
    else:
        answer(
            f"Anchored up to record {report.anchored_up_to:,}; {report.records - report.anchored_up_to:,} came after."
        )


def _as_dict(report: AuditReport, torn: int) -> dict[str, object]:
    return {
        "intact": report.intact,
        "records": report.records,
        "head": {"seq": report.head.seq, "hash": report.head.hash},
        "broken_at": report.broken_at,
        "why": report.why,
        "anchored_up_to": report.anchored_up_to,
        "torn_bytes": torn,
    }
