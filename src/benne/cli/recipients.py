"""``benne recipients``: who may ask for scores, and what for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from benne.cli.access_store import administration, opened, recorded
from benne.cli.console import answer, answer_json, note, table
from benne.cli.options import LedgerAddress, PurposeName, WantJson

__all__ = ["JurisdictionName", "app"]

app = typer.Typer(help="Recipients of scores: who is answerable, and what they may ask.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip


class JurisdictionName(StrEnum):
    """The jurisdictions; a test holds them against the ledger's own."""

    cn = "cn"
    eu = "eu"
    us = "us"
    default = "default"


Name = Annotated[str, typer.Argument(help="Name of the recipient, as members consent to it.")]
Purposes = Annotated[list[PurposeName], typer.Option("--purpose", help="What it may ask for; give it once for each.")]


@app.command()
def add(
    name: Name,
    ledger: LedgerAddress,
    contact: Annotated[str, typer.Option("--contact", help="Of the controller who is answerable, such as an address.")],
    purpose: Purposes,
    jurisdiction: Annotated[
        JurisdictionName, typer.Option("--jurisdiction", help="Under which rules it is.")
    ] = JurisdictionName.default,
    want_json: WantJson = False,
) -> None:
    """Register a recipient. A name is given once and never again: members' consents are tied to it.

    \b
    Example:
      benne recipients add shop --ledger benne.db --contact dpo@shop.example --purpose lending --purpose deposit_waiver
    """
    chosen = [one.value for one in purpose]
    work = administration().register(name, contact=contact, purposes=chosen, jurisdiction=jurisdiction.value)
    with opened(ledger, make=True) as store:
        recorded(store, work)
    if want_json:
        answer_json({"name": name, "purposes": chosen})
        return
    answer(f"{name} may ask for {', '.join(chosen)}, where the policies and members' consents allow it.")
    note(f"Next: benne apikey new --role recipient --recipient {name} --ledger …")


@app.command(name="list")
def list_(ledger: LedgerAddress, want_json: WantJson = False) -> None:
    """List every recipient, the retired ones too.

    \b
    Example:
      benne recipients list --ledger benne.db
    """
    from benne.scoring.access.recipients import every_recipient
    from benne.scoring.consent.moments import from_microseconds

    with opened(ledger) as store, store.read() as connection:
        found = every_recipient(connection)
    if want_json:
        answer_json([_as_dict(one) for one in found])
        return
    rows = []
    for one in found:
        state = "served" if one.retired_at_us is None else f"retired {from_microseconds(one.retired_at_us):%Y-%m-%d}"
        rows.append((one.name, state, one.jurisdiction, one.contact, ", ".join(sorted(one.purposes))))
    if not rows:
        answer("No recipient is registered, so nobody can ask.")
        return
    table(("recipient", "state", "jurisdiction", "contact", "purposes"), rows, left=5)


@app.command()
def allow(name: Name, ledger: LedgerAddress, purpose: Purposes, want_json: WantJson = False) -> None:
    """Set anew what a recipient may ask for: these purposes and no others, from its next request on.

    \b
    Example:
      benne recipients allow shop --ledger benne.db --purpose lending
    """
    chosen = [one.value for one in purpose]
    with opened(ledger) as store:
        recorded(store, administration().set_purposes(name, chosen))
    if want_json:
        answer_json({"name": name, "purposes": chosen})
        return
    answer(f"{name} may ask for {', '.join(chosen)} and nothing else.")


@app.command()
def retire(name: Name, ledger: LedgerAddress, want_json: WantJson = False) -> None:
    """Serve a recipient no more, from its next request on. Its keys open nothing then.

    \b
    Example:
      benne recipients retire shop --ledger benne.db
    """
    with opened(ledger) as store:
        recorded(store, administration().retire(name))
    if want_json:
        answer_json({"name": name, "retired": True})
        return
    answer(f"{name} is retired; what it was told stays on record.")


def _as_dict(recipient: Any) -> dict[str, Any]:
    told = {name: getattr(recipient, name) for name in type(recipient).__dataclass_fields__}
    return {**told, "purposes": sorted(recipient.purposes)}
