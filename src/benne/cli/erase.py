"""``benne erase``: forget a member for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note
from benne.cli.edge import subject_from
from benne.cli.exit_codes import BAD_INPUT, KEPT_BY_LAW
from benne.cli.options import KeyFile, LedgerAddress, Member, Subject, WantJson
from benne.cli.vaulted import KeyRingPath, StaffName, Vaulted, opened
from benne.errors import UnderLegalHold

if TYPE_CHECKING:
    from benne.scoring.erasure.erasing import Erasure, ErasureReport
    from benne.scoring.erasure.parts import Erasable

__all__ = ["erase"]

EventStoreAddress = Annotated[
    str | None,
    typer.Option("--store", envvar="BENNE_STORE", help="Event store to erase from too: a SQLite file, or a URL."),
]
ExportsFolder = Annotated[
    Path | None, typer.Option("--exports", help="Folder of exports to erase from too, with everything in it.")
]


def erase(
    ledger: LedgerAddress,
    keyring: KeyRingPath,
    actor: StaffName,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Ask for nobody new: go on with erasures that are not finished.")
    ] = False,
    store: EventStoreAddress = None,
    exports: ExportsFolder = None,
    want_json: WantJson = False,
) -> None:
    """Erase a member: their consents end, their key is destroyed, and no byte of what they were stays in any file.

    Name every place that holds something about members: what is not named is not erased from. The database is
    written anew at the end, which takes its time and a free disk of its size. What stays, and why, is in
    docs/keys-and-erasure.md. If it is interrupted, run it again with --resume. If a legal hold stands, nothing is
    done, the holds are listed, and the exit code is 10.

    \b
    Example:
      benne erase --ledger benne.db --keyring keyring.json --actor counsel-1 --member anna --key-file subject.key \\
        --store events.db --exports exports
      benne erase --ledger benne.db --keyring keyring.json --actor counsel-1 --resume --store events.db
    """
    if resume and (member is not None or subject is not None):
        raise typer.BadParameter("--resume asks for nobody new: leave --member and --subject out.")
    whom = None if resume else subject_from(member, subject, key_file)
    with opened(ledger, keyring) as at:
        report = _run(at, _erasure(at, store, exports), whom, actor, want_json)
    if want_json:
        answer_json({"finished": list(report.finished), "held": list(report.held), "waiting": list(report.waiting),
                     "failed": report.failed})  # fmt: skip
    else:
        _tell(report)
    if report.failed:
        raise typer.Exit(BAD_INPUT)
    if report.held:
        raise typer.Exit(KEPT_BY_LAW)


def _erasure(at: Vaulted, store: str | None, exports: Path | None) -> Erasure:
    from benne.scoring.erasure.parts import EventStorePart
    from benne.scoring.wiring import open_erasure, open_exports

    parts: list[Erasable] = [] if store is None else [EventStorePart(store)]
    if exports is not None:
        parts.append(open_exports(exports, at.store, at.ring))
    return open_erasure(at.store, at.vault, at.audit, parts)


def _run(at: Vaulted, erasure: Erasure, whom: str | None, actor: str, want_json: bool) -> ErasureReport:
    from benne.scoring.erasure.acts import Actor

    if whom is not None:
        try:
            erasure.request(whom, by=Actor("compliance", actor))
        except UnderLegalHold as error:
            _tell_holds(error, want_json)
            raise
    return erasure.run()


def _tell_holds(error: UnderLegalHold, want_json: bool) -> None:
    from benne.cli.hold import as_dict, tell

    if want_json:
        answer_json({"held_by": [as_dict(hold) for hold in error.holds]})
    else:
        tell(error.holds)


def _tell(report: ErasureReport) -> None:
    answer(f"Erasures finished: {len(report.finished)}")
    if report.held:
        answer(f"Kept by a legal hold: {len(report.held)}. List them: benne hold list")
    if report.waiting:
        answer(f"Erased, with bytes left in files that somebody is reading: {len(report.waiting)}")
        note("Run it again with --resume when they have done.")
    for erasure_id, why in report.failed.items():
        note(f"{erasure_id} could not go on: {why}")
    if report.failed:
        note("Mend that and run it again with --resume.")
