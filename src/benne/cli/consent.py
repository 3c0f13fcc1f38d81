"""``benne consent``: what members let be computed, for which purpose and recipient."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli import consent_upkeep
from benne.cli.affirming import YesIConsent, affirmed, capture_of
from benne.cli.console import answer, answer_json, note
from benne.cli.edge import existing_ledger, key_from, new_ledger, subject_from
from benne.cli.options import (
    CategoryName,
    KeyFile,
    LedgerAddress,
    Member,
    PurposeOption,
    RecipientOption,
    SigningKey,
    Subject,
    WantJson,
)

if TYPE_CHECKING:
    from benne.scoring.consent.terms_file import TermsFile

__all__ = ["app"]

app = typer.Typer(
    help="What members let be computed: every switch is off until they switch it on.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip

TermsPath = Annotated[Path, typer.Option("--terms", help="Notice and terms; `benne consent terms` drafts them.")]


@app.command()
def terms(
    path: Annotated[Path, typer.Argument(help="TOML file to write; must not exist.")],
    purpose: PurposeOption,
    recipient: RecipientOption,
    controller: Annotated[str, typer.Option(help="Who answers for the processing: your company.")],
    granularity: Annotated[
        str, typer.Option(help="The most a recipient may learn: threshold, band or exact.")
    ] = "band",
    validity_days: Annotated[int, typer.Option(min=1, help="How long a consent lasts.")] = 365,
    want_json: WantJson = False,
) -> None:
    """Draft the notice that members read and the terms that rest on it. Read and change the file before use.

    \b
    Example:
      benne consent terms lending.toml --purpose lending --recipient platform --controller "Example Ltd"
    """
    from benne.scoring.consent.terms_file import TermsDraft, write_terms

    draft = TermsDraft(purpose.value, recipient, controller, granularity, validity_days)
    written = write_terms(path, draft)
    if want_json:
        answer_json({"path": str(path), "notice_id": written.notice.notice_id, "hash": written.notice.ref.hash})
        return
    answer(f"{path}:\n\n{written.notice.text}\n")
    note("A draft: have it checked and change it before members see it.")


@app.command()
def grant(
    ledger: LedgerAddress,
    terms: TermsPath,
    category: Annotated[
        list[CategoryName] | None, typer.Option("--category", help="A category to switch on; repeat it. None is on.")
    ] = None,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    yes: YesIConsent = False,
    age: Annotated[
        int | None, typer.Option(min=0, max=130, help="The member's age where known; minors are refused. Never kept.")
    ] = None,
    signing_key: SigningKey = None,
    want_json: WantJson = False,
) -> None:
    """Show a member the notice and record their yes to one purpose, one recipient and the categories named.

    Whoever runs this shows the notice and passes on the member's own act; nothing is switched on without it.

    \b
    Example:
      benne consent grant --ledger consents.db --terms lending.toml --member anna --key-file subject.key \\
        --category credit_history --category ability
    """
    from benne.scoring import ConsentRequest
    from benne.scoring.consent.terms_file import read_terms

    asked, chosen = read_terms(terms), tuple(name.value for name in category or ())
    subject_id = subject_from(member, subject, key_file)
    if not chosen:
        raise typer.BadParameter(f"name at least one --category of {', '.join(CategoryName)}; none is on by itself.")
    _show_notice(asked, chosen)
    typed = affirmed(yes)
    book = new_ledger(ledger, signing_key)
    book.register_notice(asked.notice)
    record = book.grant(ConsentRequest(
        subject_id=subject_id, terms=asked.terms, categories=chosen, age_years=age,
        capture=capture_of(asked.terms.notice.hash, chosen, typed),
    ))  # fmt: skip
    if want_json:
        answer_json({"record_id": record.record_id, "categories": list(chosen), "purpose": asked.terms.purpose,
                     "recipient": asked.terms.recipient, "valid_until": record.valid_until.isoformat(),
                     "receipt_id": record.receipt_id})  # fmt: skip
        return
    answer(f"Recorded: {', '.join(chosen)}, until {record.valid_until:%Y-%m-%d}. Record {record.record_id}.")


@app.command()
def withdraw(
    ledger: LedgerAddress,
    purpose: PurposeOption,
    recipient: RecipientOption,
    category: Annotated[
        list[CategoryName] | None, typer.Option("--category", help="Only this category; by default everything.")
    ] = None,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """End a member's consent at once. No question is asked, and twice is as good as once.

    \b
    Example:
      benne consent withdraw --ledger consents.db --purpose lending --recipient platform --member anna \\
        --key-file subject.key
    """
    subject_id = subject_from(member, subject, key_file)
    names = [name.value for name in category] if category else None
    ended = existing_ledger(ledger).withdraw(subject_id, purpose.value, recipient, names)
    if want_json:
        answer_json({"ended": list(ended)})
        return
    answer(f"Ended: {', '.join(ended)}." if ended else "Nothing stood, so nothing had to end.")


@app.command()
def show(
    ledger: LedgerAddress,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Show a member's consents with everything that happened to them, and every refusal on record.

    \b
    Example:
      benne consent show --ledger consents.db --member anna --key-file subject.key
    """
    from benne.scoring.consent.plain_values import consent_as_dict

    book, subject_id = existing_ledger(ledger), subject_from(member, subject, key_file)
    records = book.history(subject_id)
    pairs = {(r.request.terms.purpose, r.request.terms.recipient) for r, _ in records}
    active = {f"{p} for {r}": sorted(book.active(subject_id, p, r)) for p, r in sorted(pairs)}
    denials = [denial._asdict() for denial in book.denials(subject_id)]
    if want_json:
        shown = [consent_as_dict(record, events) for record, events in records]
        answer_json({"subject_id": subject_id, "active": active, "records": shown, "denials": denials})
        return
    if not records:
        answer("No consent was ever recorded: every switch is off.")
    for asked, names in active.items():
        answer(f"{asked}: {', '.join(names) or 'nothing is on'}")
    for record, events in records:
        answer(f"  {record.given_at:%Y-%m-%d}  record {record.record_id}, {record.request.terms.purpose} "
               f"for {record.request.terms.recipient}, until {record.valid_until:%Y-%m-%d}")  # fmt: skip
        for event in events:
            answer(f"      {event.time:%Y-%m-%d}  {event.state}: {event.category}")
    if denials:
        reasons = ", ".join(sorted({denial["reason"] for denial in denials}))
        answer(f"{len(denials)} refusals on record: {reasons}")


@app.command(name="import")
def import_(
    history: Annotated[
        Path, typer.Argument(help="Parquet: member_id or subject_id, purpose, recipient, category, event, time.")
    ],
    ledger: LedgerAddress,
    terms: Annotated[
        list[Path], typer.Option("--terms", help="Terms the consents were given under: files, or folders of them.")
    ],
    key_file: KeyFile = None,
    signing_key: SigningKey = None,
    want_json: WantJson = False,
) -> None:
    """Take over the consents that another system has kept, with their own times.

    Consents to each purpose and recipient are taken under the terms that name them; others are left alone.
    All of it is kept, or nothing; importing the same history again adds nothing.

    \b
    Example:
      benne consent import world/consents.parquet --ledger consents.db --terms world/terms \\
        --key-file subject.key
    """
    from benne.features.frames import read_table
    from benne.scoring import Capture
    from benne.scoring.consent.importing import import_history
    from benne.scoring.consent.terms_file import read_all_terms

    rows, key = read_table(history, "A consent history").to_pandas(), key_from(key_file)
    every = read_all_terms(terms)
    book = new_ledger(ledger, signing_key)
    origin = hashlib.sha256(history.read_bytes()).hexdigest()
    capture = Capture(channel="command_line", method="toggle_switched_on", steps=1, session_hash=origin)
    added = import_history(book, rows, every, capture, key=key)
    counts = {f"{one.terms.purpose} for {one.terms.recipient}": new for one, new in zip(every, added, strict=True)}
    if want_json:
        answer_json({"records": {asked: new.records for asked, new in counts.items()},
                     "withdrawals": {asked: new.withdrawals for asked, new in counts.items()}})  # fmt: skip
        return
    for asked, new in counts.items():
        if any(new):
            answer(f"{asked}: {new.records:,} records of consent, {new.withdrawals:,} withdrawals")
        else:
            answer(f"{asked}: nothing new; the ledger holds this history already")


def _show_notice(asked: TermsFile, chosen: tuple[str, ...]) -> None:
    note(f"\n{asked.notice.text}\n")
    agreed = asked.terms
    note(f"Purpose: {agreed.purpose}. Recipient: {agreed.recipient}, who learns at most: {agreed.granularity}.")
    for name in CategoryName:
        note(f"  [{'on ' if name.value in chosen else 'off'}] {name.value}")


for what_follows in consent_upkeep.COMMANDS:
    app.command()(what_follows)
