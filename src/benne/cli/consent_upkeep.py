"""``benne consent``, what follows a yes: its receipt, its end, its renewal, and a notice that changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from benne.cli.affirming import YesIConsent, affirmed, capture_of
from benne.cli.console import answer, answer_json, note, table
from benne.cli.edge import existing_ledger, subject_from
from benne.cli.options import KeyFile, LedgerAddress, Member, SigningKey, Subject, WantJson

__all__ = ["COMMANDS"]

RecordId = Annotated[str, typer.Argument(help="Id of the record, as `benne consent show` says it.")]


class ChangeName(StrEnum):
    """What a new version of a notice can change; a test holds them against the ledger's own."""

    purpose = "purpose"
    categories = "categories"
    meaning = "meaning"


def receipt(
    record: RecordId,
    ledger: LedgerAddress,
    out: Annotated[Path | None, typer.Option("--out", help="File to write it to; by default it is printed.")] = None,
    want_json: WantJson = False,
) -> None:
    """Give out the member's signed copy of a consent: what they agreed to, and how to end it.

    It is there for consents given with `--signing-key`. Anybody verifies it with the public key alone.

    \b
    Example:
      benne consent receipt 4f0c2a9e-6d1b-4a53-9a0e-0d5a3c1e7b42 --ledger consents.db --out receipt.jws
    """
    token = existing_ledger(ledger).receipt_of(record)
    if out is not None:
        out.write_text(token + "\n", encoding="ascii")
    if want_json:
        answer_json({"receipt": token, "path": None if out is None else str(out)})
        return
    answer(token if out is None else f"{out}: the receipt of record {record}")


def verify_receipt(
    path: Annotated[Path, typer.Argument(help="File that `benne consent receipt` wrote.")],
    public_key: Annotated[Path, typer.Option("--public-key", help="The issuer's public key: PEM, JWK or JWK set.")],
    want_json: WantJson = False,
) -> None:
    """Say whether a receipt is genuine and unchanged, and what it says. Needs no ledger and no network.

    Ends with exit code 6 where it is not.

    \b
    Example:
      benne consent verify-receipt receipt.jws --public-key receipts.key.pub
    """
    from benne.scoring.consent.receipts import RECEIPT_TYP
    from benne.scoring.signing import read_public_keys, verify

    claims = verify(path.read_text("ascii", "replace").strip(), read_public_keys(public_key), RECEIPT_TYP)
    if want_json:
        answer_json(claims)
        return
    answer("The receipt is genuine and unchanged.")
    for line in _in_words(claims):
        answer(f"  {line}")


def expire(
    ledger: LedgerAddress,
    batch: Annotated[int, typer.Option(min=1, help="How many to write in one transaction.")] = 1_000,
    want_json: WantJson = False,
) -> None:
    """Put on record which consents have run out. They ended by themselves; run this by a timer.

    \b
    Example:
      benne consent expire --ledger consents.db
    """
    marked = existing_ledger(ledger).expire(batch)
    if want_json:
        answer_json({"expired": marked})
        return
    answer(f"Ran out and were marked: {marked:,} categories of members.")


def ending(
    ledger: LedgerAddress,
    within_days: Annotated[int, typer.Option(min=1, help="How far to look ahead.")] = 30,
    want_json: WantJson = False,
) -> None:
    """List the consents that will have run out soon: whom to ask whether they agree again.

    \b
    Example:
      benne consent ending --ledger consents.db --within-days 30
    """
    from benne.scoring.wiring import system_clock

    found = existing_ledger(ledger).ending_before(system_clock() + timedelta(days=within_days))
    if want_json:
        answer_json([one._asdict() | {"valid_until": one.valid_until.isoformat()} for one in found])
        return
    rows = [(one.subject_id, one.purpose, one.recipient, f"{one.valid_until:%Y-%m-%d}", one.record_id) for one in found]
    if not rows:
        answer(f"No consent runs out within {within_days} days.")
        return
    table(("subject", "purpose", "recipient", "until", "record"), rows, left=5)


def renew(
    record: RecordId,
    ledger: LedgerAddress,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    yes: YesIConsent = False,
    signing_key: SigningKey = None,
    want_json: WantJson = False,
) -> None:
    """Show a member again what they agreed to and record that they agree once more, to what still stands of it.

    \b
    Example:
      benne consent renew 4f0c2a9e-6d1b-4a53-9a0e-0d5a3c1e7b42 --ledger consents.db --member anna \\
        --key-file subject.key
    """
    book, subject_id = existing_ledger(ledger, signing_key), subject_from(member, subject, key_file)
    old = book.record(record).request.terms
    note(f"\n{book.notice_text(old.notice)}\n")
    typed = affirmed(yes)
    renewed = book.renew(subject_id, record, capture_of(old.notice.hash, (record,), typed))
    if want_json:
        answer_json({"record_id": renewed.record_id, "categories": list(renewed.request.categories),
                     "valid_until": renewed.valid_until.isoformat(), "receipt_id": renewed.receipt_id})  # fmt: skip
        return
    names = ", ".join(renewed.request.categories)
    answer(f"Renewed: {names}, until {renewed.valid_until:%Y-%m-%d}. Record {renewed.record_id}.")


def replace_notice(
    terms: Annotated[Path, typer.Argument(help="Terms with the new version of the notice.")],
    ledger: LedgerAddress,
    changes: Annotated[list[ChangeName], typer.Option("--changes", help="What means something else now; repeat it.")],
    want_json: WantJson = False,
) -> None:
    """Register a notice that means something else: consents to its other versions end at once.

    Nobody can consent to those any more. `benne consent ask-again` lists who has to be asked.

    \b
    Example:
      benne consent replace-notice lending.toml --ledger consents.db --changes categories
    """
    from benne.scoring.consent.terms_file import read_terms

    notice = read_terms(terms).notice
    ended = existing_ledger(ledger).replace_notice(notice, [change.value for change in changes])
    if want_json:
        answer_json({"notice_id": notice.notice_id, "version": notice.version, "ended": ended})
        return
    answer(f"Version {notice.version} of {notice.notice_id} stands; {ended:,} consents to others ended.")
    if ended:
        note(f"Whom to ask: benne consent ask-again {notice.notice_id} --ledger {ledger}")


def ask_again(
    notice_id: Annotated[str, typer.Argument(help="Id of the notice, as its terms say it.")],
    ledger: LedgerAddress,
    want_json: WantJson = False,
) -> None:
    """List the members whose consent ended with an old version of a notice and who have not chosen since.

    \b
    Example:
      benne consent ask-again platform_lending --ledger consents.db
    """
    found = existing_ledger(ledger).must_be_asked_again(notice_id)
    if want_json:
        answer_json([one._asdict() for one in found])
        return
    if not found:
        answer("Nobody has to be asked again.")
        return
    rows = [(one.subject_id, one.purpose, one.recipient, ", ".join(one.categories)) for one in found]
    table(("subject", "purpose", "recipient", "categories"), rows, left=4)


COMMANDS: Final[tuple[Callable[..., None], ...]] = (
    receipt,
    verify_receipt,
    expire,
    ending,
    renew,
    replace_notice,
    ask_again,
)


def _in_words(claims: dict[str, Any]) -> list[str]:
    withdrawal = claims["withdrawal_method"]
    recipient = claims["recipient_third_parties"][0]["party_id"]
    names = ", ".join(one["pii_attribute_id"] for one in claims["pii_information"])
    return [
        f"purpose      {claims['purpose']}, answered for by {claims['pii_controllers'][0]['party_name']}",
        f"recipient    {recipient}, who learns at most: {claims['finest_answer']}",
        f"categories   {names}",
        f"until        {claims['events'][0]['valid_until']}",
        f"to withdraw  {withdrawal['how']}, in {withdrawal['steps_at_most']} step(s) at most and without a reason",
        f"record       {claims['record_id']}, hash {claims['record_hash']}",
    ]
