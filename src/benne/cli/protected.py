"""``benne protected``: protected attributes, kept apart for fairness audits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.edge import key_from, subject_from
from benne.cli.exit_codes import PROMISE_BROKEN
from benne.cli.options import KeyFile, Member, Subject, WantJson
from benne.cli.vaulted import StaffName

if TYPE_CHECKING:
    import pandas as pd

    from benne.features import SubjectKey

__all__ = ["ProtectedHome", "app", "read_attributes"]

app = typer.Typer(help="Protected attributes, kept apart for fairness audits; each read is on record.",
                  no_args_is_help=True, rich_markup_mode=None)  # fmt: skip

ProtectedHome = Annotated[Path, typer.Argument(help="Folder of the store, which `benne protected init` lays out.")]


@app.command()
def init(
    home: Annotated[Path, typer.Argument(help="Folder to lay out; must not exist, or be empty.")],
    attribute: Annotated[
        list[str],
        typer.Option("--attribute", metavar="NAME=BASIS", help="What is held, and its legal basis; again for more."),
    ],
    jurisdiction: Annotated[str, typer.Option(help="Where: cn, eu, us or default.")] = "default",
    want_json: WantJson = False,
) -> None:
    """Lay out a store of protected attributes: a database, a key ring and an audit chain of its own.

    What may be held is closed: sex, age, age_band and marital_status; in the us also race, national_origin and
    public_assistance. Religion, health, biometrics, politics and the like are refused, consent or not.

    \b
    Example:
      benne protected init protected --jurisdiction us --attribute "sex=Regulation B 1002.5(b)(1), self-test"
    """
    from benne.scoring.protected import Declared, lay_out_protected

    bases = dict(_split(one) for one in attribute)
    made = lay_out_protected(home, Declared(jurisdiction, bases))
    if want_json:
        answer_json({"home": str(made), "jurisdiction": jurisdiction, "legal_basis": bases})
        return
    answer(f"{home}: may hold {', '.join(bases)} in {jurisdiction}")
    note(f'Keep it away from the service. Set `protected = "{made}"` in its benne.toml, so that erasures reach it.')


@app.command()
def add(
    home: ProtectedHome,
    file: Annotated[Path, typer.Argument(help="Parquet or CSV: subject_id (or member_id and a key), attributes.")],
    actor: StaffName,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Keep members' attributes, each encrypted under its member's own key, in place of earlier ones. All, or nothing.

    \b
    Example:
      benne protected add protected attributes.parquet --key-file subject.key --actor counsel-1
    """
    from benne.scoring.decisions.request import Actor
    from benne.scoring.protected import opened_protected

    attributes = read_attributes(file, key_from(key_file))
    with opened_protected(home) as protected:
        kept = protected.add(attributes, actor=Actor(actor, "compliance"))
    if want_json:
        answer_json({"members": kept.members, "values": kept.values, "erased": kept.erased})
        return
    erased = f"; {kept.erased:,} were erased and stay so" if kept.erased else ""
    answer(f"{home}: {kept.values:,} values of {kept.members:,} members{erased}")


@app.command()
def log(home: ProtectedHome, want_json: WantJson = False) -> None:
    """List who kept, read, was refused or erased what, and for which audit; the chain is verified first.

    \b
    Example:
      benne protected log protected
    """
    from benne.scoring.audit.chain import verify
    from benne.scoring.protected import opened_protected
    from benne.scoring.protected.folder import opened_parts

    with opened_parts(home) as parts, parts.store.read() as connection:
        chain = verify(connection, ())
    with opened_protected(home) as protected:
        lines = protected.log()
    if want_json:
        answer_json({"intact": chain.intact, "records": lines})
    else:
        named = ("what", "actor", "purpose", "decision", "outcome")
        rows = [[str(line["time"])[:19].replace("T", " "), *(str(line[name] or "") for name in named)]
                for line in lines]  # fmt: skip
        table(("time (UTC)", "what", "actor", "for", "decision", "outcome"), rows, left=6)
        answer(f"{chain.records:,} records, {'the chain is intact' if chain.intact else f'BROKEN: {chain.why}'}")
    if not chain.intact:
        raise typer.Exit(PROMISE_BROKEN)


@app.command()
def erase(
    home: ProtectedHome,
    actor: StaffName,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Forget a member here alone. Their erasure from a service does so too, where its setting `protected` names this.

    \b
    Example:
      benne protected erase protected --member m00000004 --key-file subject.key --actor counsel-1
    """
    from benne.scoring.erasure.acts import Actor
    from benne.scoring.protected.part import erase_protected

    erase_protected(home, subject_from(member, subject, key_file), by=Actor("compliance", actor), compacting=True)
    if want_json:
        answer_json({"erased": True})
        return
    answer("Erased: the member's key is destroyed, and what was under it deleted.")


def read_attributes(file: Path, key: SubjectKey | None) -> pd.DataFrame:
    """A file of protected attributes, one row for each member, indexed by ``subject_id``.

    Raises
    ------
    FairnessError
        If it has no ids, or a member twice.
    """
    import pandas as pd

    from benne.errors import FairnessError
    from benne.features.frames import key_member_ids
    from benne.features.frames import read_table as read_parquet

    if file.suffix == ".csv":
        try:
            frame = pd.read_csv(file, dtype={"member_id": "string", "subject_id": "string"})
        except ValueError:  # its text may quote a line
            raise FairnessError(f"{file} must be a CSV file that can be read, got another. Write it anew.") from None
    else:
        frame = read_parquet(file, "Protected attributes").to_pandas()
    if "member_id" in frame.columns:
        frame = key_member_ids(frame, key)
    if "subject_id" not in frame.columns or frame["subject_id"].duplicated().any():
        raise FairnessError(f"{file} must name each member once by subject_id or member_id, got others. Correct it.")
    return frame.set_index("subject_id")


def _split(one: str) -> tuple[str, str]:
    name, equals, basis = one.partition("=")
    if not equals:
        raise typer.BadParameter(f"--attribute must be NAME=BASIS, such as 'sex=Regulation B 1002.5(b)', got {name!r}.")
    return name.strip(), basis.strip()
