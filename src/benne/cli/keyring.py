"""``benne keyring``: the master keys that every member's own key is under."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note, progress_bar, table
from benne.cli.options import LedgerAddress, WantJson
from benne.cli.vaulted import StaffName, Vaulted, opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from benne.scoring.audit.record import AuditEntry

__all__ = ["app"]

app = typer.Typer(help="The master keys that every member's own key is under.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip

RingFile = Annotated[Path, typer.Argument(help="File of the key ring.")]


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="File to write; must not exist.")],
    want_json: WantJson = False,
) -> None:
    """Draw a new key ring and write it to a file that only you can read. Nothing of it is ever printed.

    Without it nothing that is kept about members can be read, so keep a copy, apart from the database and from its
    backups: whoever has both can read everything.

    \b
    Example:
      benne keyring new keyring.json
    """
    from benne.scoring.wiring import create_keyring

    ring = create_keyring(path)
    if want_json:
        answer_json({"path": str(path), "master_key_id": ring.current})
        return
    answer(f"{path}: a new key ring with the master key {ring.current}")
    note("Keep it secret, apart from the database and its backups, and keep a copy.")


@app.command()
def show(path: RingFile, want_json: WantJson = False) -> None:
    """List the ids of the master keys and when they were drawn; never the keys.

    \b
    Example:
      benne keyring show keyring.json
    """
    from benne.scoring.consent.moments import from_microseconds
    from benne.scoring.wiring import open_keyring

    ring = open_keyring(path)
    made = {name: from_microseconds(made_at_us).isoformat() for name, made_at_us in ring.master_keys.items()}
    if want_json:
        answer_json([{"master_key_id": n, "made_at": at, "current": n == ring.current} for n, at in made.items()])
        return
    table(["master key", "made at", ""], [(n, at, "current" * (n == ring.current)) for n, at in made.items()], left=3)


@app.command()
def rotate(
    path: RingFile,
    ledger: LedgerAddress,
    actor: StaffName,
    resume: Annotated[
        bool, typer.Option("--resume", help="Draw no new key: finish a rotation that was interrupted.")
    ] = False,
    want_json: WantJson = False,
) -> None:
    """Draw a new master key and move every member's key under it; the service may go on meanwhile.

    The old key stays in the ring until `benne keyring retire` destroys it. Backups made before need it to be read;
    once it is gone, nobody erased can be read out of them any more.

    \b
    Example:
      benne keyring rotate keyring.json --ledger benne.db --actor ops-3
    """
    from benne.scoring.consent.moments import to_microseconds
    from benne.scoring.store.rotation import rewrap_all
    from benne.scoring.wiring import system_clock

    with opened(ledger, path) as at:
        if not resume:
            _record(at, actor, "master_key_drawn")
            at.ring.rotate(now_us=to_microseconds(system_clock(), "now"))
        with progress_bar("moving members' keys") as update:
            moved = rewrap_all(at.store, at.vault, progress=lambda done: update(done, None))
        current, older = at.ring.current, [name for name in at.ring.master_keys if name != at.ring.current]
    if want_json:
        answer_json({"master_key_id": current, "moved": moved, "older": older})
        return
    answer(f"{path}: {current} is current; {moved:,} members' keys moved under it")
    note(f"Still in the ring: {', '.join(older) or 'no older key'}. Destroy one: benne keyring retire {path} KEY …")


@app.command()
def retire(
    path: RingFile,
    master_key_id: Annotated[str, typer.Argument(help="Id of the master key, as `benne keyring show` lists it.")],
    ledger: LedgerAddress,
    actor: StaffName,
    want_json: WantJson = False,
) -> None:
    """Destroy an older master key that nothing is under any more. It cannot be undone.

    Whatever is still under it elsewhere, as in backups and in copies of the database, can never be read again.

    \b
    Example:
      benne keyring retire keyring.json mk1-9f3a2b7c --ledger benne.db --actor ops-3
    """
    from benne.scoring.store.rotation import retire as retire_key

    with opened(ledger, path) as at:
        _refuse_early(at, master_key_id)
        _record(at, actor, "master_key_destroyed")
        with at.store.write() as connection:
            retire_key(connection, at.vault, at.ring, master_key_id)
    if want_json:
        answer_json({"retired": master_key_id})
        return
    answer(f"{path}: {master_key_id} is destroyed")
    note("Copies of the key ring made before still hold it: destroy them too.")


@app.command(name="rotate-recipient")
def rotate_recipient(
    path: RingFile,
    recipient: Annotated[str, typer.Argument(help="Name of the recipient.")],
    ledger: LedgerAddress,
    actor: StaffName,
    want_json: WantJson = False,
) -> None:
    """Give a recipient new pseudonyms for everybody from now on; the old ones are still recognised.

    \b
    Example:
      benne keyring rotate-recipient keyring.json shop --ledger benne.db --actor ops-3
    """
    with opened(ledger, path) as at:
        at.ring.derive(recipient)  # says what is wrong with the name before anything is on record
        _record(at, actor, "pseudonyms_renewed", recipient)
        version = at.ring.rotate_domain(recipient)
    if want_json:
        answer_json({"recipient": recipient, "version": version})
        return
    answer(f"{recipient}: pseudonyms are of version {version} from now on")


def _refuse_early(at: Vaulted, master_key_id: str) -> None:
    """Say what is wrong before anything is on record."""
    with at.store.read() as connection:
        at.ring.check_retirable(master_key_id, wrapped_under=at.vault.wrapped_under(connection, master_key_id))


def _record(at: Vaulted, actor: str, outcome: str, recipient: str | None = None) -> None:
    """Put on record what is about to be done: the ring is no part of the transaction, and must not be ahead of it."""
    from benne.scoring.audit.record import AuditEntry
    from benne.scoring.wiring import random_id

    def work(_: Connection, __: int) -> tuple[list[AuditEntry], None]:
        entry = AuditEntry(event_id=random_id(), type="key_rotated", actor_id=actor, actor_role="admin",
                           service="keyring", policy_version="keyring-1", outcome=outcome,
                           context=recipient)  # fmt: skip
        return [entry], None

    at.audit.submit(work)
