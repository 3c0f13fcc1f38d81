"""``benne gates``: what a model must have shown, declared before anybody knows how it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.governance_store import GovernancePlace, opened_governance_store
from benne.cli.options import WantJson

if TYPE_CHECKING:
    from benne.scoring.governance.declaring import DeclaredGates
    from benne.scoring.governance.gates import Gates

__all__ = ["app"]

app = typer.Typer(help="What a model must have shown before it serves, declared before results.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip


@app.command()
def declare(
    file: Annotated[Path, typer.Argument(help="File of gates, TOML; `benne gates show --toml` gives one to copy.")],
    store: GovernancePlace,
    approver: Annotated[
        str | None, typer.Option("--approver", help="Who approves them; may be left out where the file names them.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Declare gates: from now on they stand for every training that begins later, and their version stays as it is.

    \b
    Example:
      benne gates declare gates.toml --store governance.db --approver risk-head
    """
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.declaring import declare_gates
    from benne.scoring.governance.gates_file import parse_gates, read_gates_text
    from benne.scoring.wiring import random_id

    text = read_gates_text(file)
    who = approver or parse_gates(text, str(file)).approver or "console"
    with opened_governance_store(store, make=True) as governance:
        work = declare_gates(
            text, approver=approver, actor=Actor(who.strip(), "compliance"), event_id=random_id(),
            policy_version=governance.policy_version,
        )  # fmt: skip
        declared = governance.group.submit(work).result
    if want_json:
        answer_json(_facts(declared))
        return
    gates = declared.gates.gates
    answer(f"Gates {declared.version}, approved by {declared.approver}: {sum(one.required for one in gates)} required, "
           f"{sum(not one.required for one in gates)} worth a look. "
           "They stand for trainings that begin now or later.")  # fmt: skip


@app.command("list")
def list_gates(store: GovernancePlace, want_json: WantJson = False) -> None:
    """List gates that were declared, the newest first, each held against the audit chain.

    \b
    Example:
      benne gates list --store governance.db
    """
    from benne.scoring.governance.declaring import every_declared

    with opened_governance_store(store) as governance, governance.store.read() as connection:
        found = every_declared(connection)
    if want_json:
        answer_json([_facts(one) for one in found])
        return
    rows = [(f["version"], f["declared_at"][:16], f["approver"], f["gates_hash"][:16]) for f in map(_facts, found)]
    table(("version", "declared (UTC)", "approver", "hash"), rows, left=4)
    if not found:
        note("None yet: no model that is trained now can be validated.")


@app.command()
def show(
    version: Annotated[str | None, typer.Argument(help="Of declared gates; by default those built in.")] = None,
    store: Annotated[
        str | None, typer.Option("--store", envvar="BENNE_STORE", help="Where they were declared.")
    ] = None,
    toml: Annotated[bool, typer.Option("--toml", help="The file itself, to begin one's own with.")] = False,
    want_json: WantJson = False,
) -> None:
    """Show gates: each metric with what it must be, and what it is for.

    \b
    Example:
      benne gates show --toml > gates.toml
    """
    text = _text(version, store)
    if toml:
        answer(text.rstrip())
        return
    from benne.scoring.governance.gates_file import parse_gates

    gates = parse_gates(text, "gates")
    if want_json:
        answer_json({"version": gates.version, "gates": [_gate(one) for one in gates.gates]})
        return
    _tell(gates)


def _text(version: str | None, store: str | None) -> str:
    from benne.errors import GatesError
    from benne.scoring.governance.declaring import every_declared
    from benne.scoring.governance.gates_file import default_text

    if version is None:
        return default_text()
    if store is None:
        raise typer.BadParameter("a version is looked up where it was declared: --store.")
    with opened_governance_store(store) as governance, governance.store.read() as connection:
        found = [one.content for one in every_declared(connection) if one.version == version]
    if not found:
        raise GatesError(f"Gates must be ones that were declared, got no version {version}. See: benne gates list")
    return found[0]


def _tell(gates: Gates) -> None:
    answer(f"Version {gates.version}")
    for title, required in (("Required", True), ("Worth a look; hinder nothing", False)):
        rows = [(one.metric, one.threshold, one.smallest_n, one.why) for one in gates.gates if one.required is required]
        if rows:
            answer(f"\n{title}")
            table(("metric", "must be", "rests on", "what for"), rows, left=4)


def _gate(gate: Any) -> dict[str, Any]:
    return {name: getattr(gate, name) for name in type(gate).__dataclass_fields__}


def _facts(declared: DeclaredGates) -> dict[str, Any]:
    from benne.scoring.consent.moments import from_microseconds

    return {
        "version": declared.version,
        "approver": declared.approver,
        "declared_at": from_microseconds(declared.declared_at_us).isoformat(),
        "gates_hash": declared.gates_hash,
    }
