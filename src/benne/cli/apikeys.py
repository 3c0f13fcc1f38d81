"""``benne apikey``: keys of access, shown once when they are made."""

from __future__ import annotations

import secrets
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.access_store import administration, opened, recorded
from benne.cli.console import answer, answer_json, note, table
from benne.cli.edge import subject_from
from benne.cli.options import KeyFile, LedgerAddress, Member, Subject, WantJson

if TYPE_CHECKING:
    from benne.scoring.access import ApiKey, ApiKeys

__all__ = ["RoleName", "app"]

app = typer.Typer(help="Keys of access for recipients, members and staff.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip


class RoleName(StrEnum):
    """The roles of those who ask; a test holds them against those of the access layer."""

    recipient = "recipient"
    member = "member"
    compliance = "compliance"
    data_scientist = "data_scientist"
    admin = "admin"


@app.command()
def new(
    ledger: LedgerAddress,
    role: Annotated[RoleName, typer.Option("--role", help="What whoever holds the key may be.")],
    recipient: Annotated[
        str | None, typer.Option("--recipient", help="For role recipient: which, as registered.")
    ] = None,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3660, help="How long it opens.")] = 365,
    want_json: WantJson = False,
) -> None:
    """Make a key of access and show it, this once: only a salted hash of it is kept.

    Whoever has it acts in its role, so hand it over on a way that nobody else reads. Role member needs --subject, or
    --member with --key-file.

    \b
    Example:
      benne apikey new --ledger benne.db --role recipient --recipient shop
    """
    whose = subject_from(member, subject, key_file) if role is RoleName.member or member or subject else None
    work = administration().new_key(
        _keys(), role.value, recipient=recipient, subject_id=whose, valid=timedelta(days=days)
    )
    with opened(ledger, make=True) as store:
        made = recorded(store, work)
    if want_json:
        answer_json({"key_id": made.key_id, "key": made.text, "role": role.value, "days": days})
        return
    answer(made.text)
    note(f"Key {made.key_id}, for {days} days. It is shown this once; send it as `Authorization: Bearer …`.")


@app.command(name="list")
def list_(ledger: LedgerAddress, want_json: WantJson = False) -> None:
    """List every key with its role and state; no key can be read back.

    \b
    Example:
      benne apikey list --ledger benne.db
    """
    from benne.scoring.consent.moments import to_microseconds
    from benne.scoring.wiring import system_clock

    now_us = to_microseconds(system_clock(), "now")
    with opened(ledger) as store, store.read() as connection:
        found = _keys().every(connection)
    if want_json:
        answer_json([_as_dict(one, now_us) for one in found])
        return
    if not found:
        answer("No key was ever made.")
        return
    rows = [
        (
            one.key_id,
            one.role,
            one.recipient or "-",
            _state(one, now_us),
            _day(one.created_at_us),
            _day(one.expires_at_us),
        )
        for one in found
    ]
    table(("key", "role", "recipient", "state", "made", "ends"), rows, left=6)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id: the part between the two underscores, or of the list.")],
    ledger: LedgerAddress,
    want_json: WantJson = False,
) -> None:
    """End a key, from its next request on.

    \b
    Example:
      benne apikey revoke 0123456789abcdef --ledger benne.db
    """
    with opened(ledger) as store:
        recorded(store, administration().revoke_key(_keys(), key_id))
    if want_json:
        answer_json({"key_id": key_id, "revoked": True})
        return
    answer(f"Key {key_id} opens nothing any more.")


def _keys() -> ApiKeys:
    from benne.scoring.access import ApiKeys

    return ApiKeys(secrets.token_bytes)


def _state(key: ApiKey, now_us: int) -> str:
    if key.revoked_at_us is not None:
        return "revoked"
    return "opens" if key.opens(now_us) else "expired"


def _day(moment_us: int | None) -> str:
    from benne.scoring.consent.moments import from_microseconds

    return "-" if moment_us is None else f"{from_microseconds(moment_us):%Y-%m-%d}"


def _as_dict(key: ApiKey, now_us: int) -> dict[str, Any]:
    told = {name: getattr(key, name) for name in type(key).__dataclass_fields__}
    return {**told, "state": _state(key, now_us)}
