"""``benne interchange``: obligations and repayments from one institution to another."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note, rows_counted, table
from benne.cli.edge import existing_ledger, moment_from
from benne.cli.options import EventsFolder, PurposeName, WantJson

if TYPE_CHECKING:
    from benne.features import ConsentMask

__all__ = ["app"]

app = typer.Typer(
    help="Obligations and repayments from one institution to another, in an open format.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip


class FileFormat(StrEnum):
    """How the tables of a package are written."""

    parquet = "parquet"
    csv = "csv"


ExchangeKey = Annotated[
    Path,
    typer.Option(envvar="BENNE_EXCHANGE_KEY_FILE", help="Key that only the two institutions hold: benne keys new"),
]
Identifiers = Annotated[
    Path, typer.Option(help="Parquet with member_id and identifier: the identifier both institutions know.")
]
Identifier = Annotated[str, typer.Option(help="Agreed name of that identifier, such as national-id.")]
AgreedCurrency = Annotated[str, typer.Option(help="The one ISO 4217 currency of every amount.")]


@app.command()
def export(
    events: EventsFolder,
    out: Annotated[Path, typer.Argument(help="Folder, or file that ends in .zip, to write; must not exist.")],
    institution: Annotated[str, typer.Option(help="Your own agreed id, such as inst-a.")],
    name: Annotated[str, typer.Option(help="Your name, for people to read.")],
    recipient: Annotated[str, typer.Option(help="Agreed id of the institution it is for; the ledger's recipient.")],
    jurisdiction: Annotated[str, typer.Option(help="Whose law you are under: an ISO 3166-1 code such as de, or eu.")],
    consent_basis: Annotated[str, typer.Option(help="On what evidence you hold the members' consent to share.")],
    currency: AgreedCurrency,
    identifier: Identifier,
    identifiers: Identifiers,
    key_file: Annotated[Path, typer.Option(envvar="BENNE_KEY_FILE", help="Key of the events.")],
    exchange_key_file: ExchangeKey,
    purpose: Annotated[PurposeName, typer.Option(help="What the recipient may use it for.")],
    legal_basis: Annotated[str, typer.Option(help="On which basis it is shared.")] = "consent",
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", envvar="BENNE_LEDGER", help="Consent ledger: whose credit history may be shared."),
    ] = None,
    all_granted: Annotated[
        str | None, typer.Option(metavar="REASON", help="Instead of a ledger: why everybody's may be shared.")
    ] = None,
    known_from: Annotated[
        str | None, typer.Option(metavar="ISO", help="Only what was known from then on; by default everything.")
    ] = None,
    withdrawn_since: Annotated[
        str | None, typer.Option(metavar="ISO", help="When the package before this one was made: names who withdrew.")
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="How the tables are written.")] = (
        FileFormat.parquet
    ),
    want_json: WantJson = False,
) -> None:
    """Pack the obligations and repayments of the members who consented, for one recipient.

    Who consented to sharing credit history with the recipient, for the purpose, at this moment, is
    shared; nobody else is. Raw ids stay here, and so does what other institutions reported.
    If nobody consents and nobody has withdrawn there is no package, and the exit code is 4.

    \b
    Example:
      benne interchange export events package.zip --institution inst-a --name "Institute A" \\
        --recipient inst-b --purpose lending --ledger consents.db --consent-basis "signed sharing notice v3" \\
        --jurisdiction de --currency EUR --identifier national-id --identifiers identifiers.parquet \\
        --key-file subject.key --exchange-key-file a-and-b.key
    """
    from benne.features import Events, read_key_file
    from benne.features.events.interchange import ExportOptions, Terms, export_package
    from benne.scoring.wiring import system_clock

    consents = _consents(ledger, purpose, recipient, all_granted)
    terms = Terms(
        institution_id=institution, institution_name=name, recipient_id=recipient, jurisdiction=jurisdiction,
        legal_basis=legal_basis, purpose=purpose.value, consent_basis=consent_basis, currency=currency,
        identifier=identifier,
    )  # fmt: skip
    options = ExportOptions(
        file_format=file_format.value,
        known_from=moment_from(known_from, "--known-from"),
        withdrawn_since=moment_from(withdrawn_since, "--withdrawn-since"),
    )
    with rows_counted("packing") as count:
        report = export_package(
            Events.open(events), out, terms=terms, key=read_key_file(key_file),
            exchange_key=read_key_file(exchange_key_file), identifiers=identifiers, consents=consents,
            created_at=system_clock(), options=options, progress=count,
        )  # fmt: skip
    if not report.members_shared:
        note(f"Nobody is shared: {report.members_withheld:,} members do not let {recipient} have their credit history "
             f"for {purpose.value}. The package only names the {report.members_withdrawn:,} who withdrew.")  # fmt: skip
    if want_json:
        answer_json(asdict(report))
        return
    table(("table", "rows"), [(one, f"{rows:,}") for one, rows in report.rows.items()])
    answer(f"{out}: {report.members_shared:,} members shared, {report.members_withheld:,} without consent, "
           f"{report.members_without_identifier:,} without identifier, {report.members_withdrawn:,} withdrawn; "
           f"package {report.sha256[:16]}")  # fmt: skip
    note("Next: send it, and tell the recipient the package's number another way.")


@app.command(name="import")
def import_(
    package: Annotated[Path, typer.Argument(help="Folder or zip that another institution sent.")],
    own: Annotated[Path, typer.Argument(help="Folder of your own raw tables, as `benne ingest` takes it.")],
    out: Annotated[Path, typer.Argument(help="Folder to write; must not exist.")],
    institution: Annotated[str, typer.Option(help="Agreed id of the institution that sent it.")],
    recipient: Annotated[str, typer.Option(help="Your own agreed id.")],
    currency: AgreedCurrency,
    identifier: Identifier,
    identifiers: Identifiers,
    exchange_key_file: ExchangeKey,
    previous: Annotated[
        Path | None, typer.Option(help="What the import before this one wrote: its rows are taken over.")
    ] = None,
    duplicate_days: Annotated[
        int, typer.Option(min=0, help="How many days apart two institutions may date the same contract.")
    ] = 3,
    imported_at: Annotated[
        str | None, typer.Option(metavar="ISO", help="The import clock, with timezone; by default now.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Take what is new in a package, beside your own tables. All of it is taken, or nothing.

    A row is loaded once, however often it is sent, and counts as known from the import clock on. Rows of
    people who are not your members are counted and left out. Contracts that two institutions may both
    have reported are named in possible_duplicates.parquet, and both kept.

    \b
    Example:
      benne interchange import package.zip raw imported --institution inst-a --recipient inst-b \\
        --currency EUR --identifier national-id --identifiers identifiers.parquet --exchange-key-file a-and-b.key
    """
    from benne.features import read_key_file
    from benne.features.events.interchange import Agreement, ImportOptions, import_package
    from benne.scoring.wiring import system_clock

    agreement = Agreement(institution, recipient, currency, identifier, read_key_file(exchange_key_file))
    with rows_counted("reading the package") as count:
        report = import_package(
            package, own, out, agreement=agreement, identifiers=identifiers, previous=previous,
            imported_at=moment_from(imported_at, "--imported-at") or system_clock(),
            options=ImportOptions(duplicate_days=duplicate_days), progress=count,
        )  # fmt: skip
    if want_json:
        answer_json(asdict(report))
        return
    columns = ("received", "new", "already_there", "of_unknown_members", "withdrawn", "dropped")
    rows = [(name, *(f"{getattr(c, column):,}" for column in columns)) for name, c in report.tables.items()]
    table(("table", *(column.replace("_", " ") for column in columns)), rows)
    answer(f"{out}: {report.members:,} of your members, {report.unknown_members:,} others left out; "
           f"{report.possible_duplicates:,} possible duplicates; package {report.sha256[:16]}")  # fmt: skip
    note(f"Next: benne ingest {report.raw} events --key-file …")


@app.command()
def check(
    package: Annotated[Path, typer.Argument(help="Folder or zip.")],
    exchange_key_file: Annotated[
        Path | None,
        typer.Option(envvar="BENNE_EXCHANGE_KEY_FILE", help="To tell whether a holder of this key made it."),
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Say everything that is wrong with a package, and nothing of what is in it.

    \b
    Example:
      benne interchange check package.zip --exchange-key-file a-and-b.key
    """
    from benne.cli.edge import key_from
    from benne.errors import EventValueError
    from benne.features.events.interchange import check_package
    from benne.scoring.wiring import system_clock

    with rows_counted("reading the package") as count:
        report = check_package(
            package, checked_at=system_clock(), exchange_key=key_from(exchange_key_file), progress=count
        )
    if want_json:
        answer_json({"manifest": report.manifest.to_json(), "sealed": report.sealed, "rows": dict(report.rows),
                     "problems": list(report.problems)})  # fmt: skip
    else:
        table(("table", "rows"), [(name, f"{rows:,}") for name, rows in report.rows.items()])
        for problem in report.problems:
            answer(f"- {problem}")
        answer({None: "seal not checked: no key given", True: "sealed with the exchange key",
                False: "not sealed with the exchange key"}[report.sealed])  # fmt: skip
    if report.problems:
        raise EventValueError(
            f"{package} must be as its manifest and the format say, got {len(report.problems)} thing(s) that are not. "
            "Ask the sender to correct them."
        )


def _consents(ledger: str | None, purpose: PurposeName, recipient: str, all_granted: str | None) -> ConsentMask:
    from benne.features import ConsentMask

    if (ledger is None) == (all_granted is None):
        raise typer.BadParameter("say who consented: --ledger, or --all-granted REASON.")
    if all_granted is not None:
        return ConsentMask.all_granted(reason=all_granted)
    return existing_ledger(str(ledger)).mask(purpose=purpose.value, recipient=recipient)
