"""``benne hold``: legal holds, which keep what should be erased."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.edge import subject_from
from benne.cli.options import KeyFile, LedgerAddress, Member, Subject, WantJson
from benne.cli.vaulted import KeyRingPath, StaffName, opened, opened_store

if TYPE_CHECKING:
    from benne.scoring.erasure.holds import LegalHolds
    from benne.scoring.store.vault import MemberVault

__all__ = ["GroundName", "app", "as_dict", "tell"]

app = typer.Typer(help="Legal holds: what the law forbids to erase, and until when.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip


class GroundName(StrEnum):
    """The grounds of a hold; a test holds them against those of the erasure."""

    court_order = "court_order"
    regulator_order = "regulator_order"
    legal_claim = "legal_claim"
    statutory_retention = "statutory_retention"
    criminal_investigation = "criminal_investigation"


@app.command()
def place(
    ledger: LedgerAddress,
    keyring: KeyRingPath,
    actor: StaffName,
    ground: Annotated[GroundName, typer.Option("--ground", help="Why the law keeps it.")],
    reference: Annotated[str, typer.Option("--reference", help="Number of the case or order; no free text.")],
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Keep everything about a member from erasure, and from the end of its retention, until the hold is lifted.

    \b
    Example:
      benne hold place --ledger benne.db --keyring keyring.json --actor counsel-1 --ground court_order \\
        --reference 2026-AZ-117 --member anna --key-file subject.key
    """
    from benne.scoring.erasure.acts import Actor

    whom, by = subject_from(member, subject, key_file), Actor("compliance", actor)
    with opened(ledger, keyring) as at:
        holds = _holds(at.vault)
        hold = at.audit.submit(lambda c, now_us: holds.place(c, now_us, whom, ground.value, reference, by=by)).result
    if want_json:
        answer_json(as_dict(hold))
        return
    answer(f"Hold {hold.hold_id}: nothing about the member is erased until it is lifted.")
    note(f"Lift it: benne hold lift {hold.hold_id} …")


@app.command()
def lift(
    hold_id: Annotated[str, typer.Argument(help="Id of the hold, as `benne hold list` shows it.")],
    ledger: LedgerAddress,
    keyring: KeyRingPath,
    actor: StaffName,
    want_json: WantJson = False,
) -> None:
    """End a hold. Nothing is erased by that alone: an erasure that it stopped goes on with `benne erase --resume`.

    \b
    Example:
      benne hold lift 0b6f3c52-6a7e-4d0e-9c36-7a1d1f0c9f55 --ledger benne.db --keyring keyring.json --actor counsel-1
    """
    from benne.scoring.erasure.acts import Actor

    by = Actor("compliance", actor)
    with opened(ledger, keyring) as at:
        holds = _holds(at.vault)
        hold = at.audit.submit(lambda c, now_us: holds.lift(c, now_us, hold_id, by=by)).result
    if want_json:
        answer_json({**as_dict(hold), "lifted": True})
        return
    answer(f"Hold {hold.hold_id} is lifted.")
    note("An erasure that was refused because of it must be asked for again; one that waited: benne erase --resume")


@app.command(name="list")
def list_(ledger: LedgerAddress, want_json: WantJson = False) -> None:
    """List the holds that stand, with their grounds.

    \b
    Example:
      benne hold list --ledger benne.db
    """
    from benne.scoring.erasure.holds import standing_holds

    with opened_store(ledger) as store, store.read() as connection:
        standing = standing_holds(connection)
    if want_json:
        answer_json([as_dict(hold) for hold in standing])
    elif standing:
        tell(standing)
    else:
        answer("No hold stands.")


def as_dict(hold: Any) -> dict[str, str]:
    """A hold for a program, without whom it is on."""
    from benne.scoring.consent.moments import from_microseconds

    return {"hold_id": hold.hold_id, "ground": hold.ground, "reference": hold.reference,
            "placed_at": from_microseconds(hold.placed_at_us).isoformat(), "placed_by": hold.placed_by}  # fmt: skip


def tell(holds: Sequence[Any]) -> None:
    """Holds for a person, without whom they are on."""
    rows = [tuple(as_dict(hold).values()) for hold in holds]
    table(["hold", "ground", "reference", "placed at", "placed by"], rows, left=5)


def _holds(vault: MemberVault) -> LegalHolds:
    from benne.scoring.erasure.holds import LegalHolds
    from benne.scoring.wiring import random_id

    return LegalHolds(vault, ids=random_id)
