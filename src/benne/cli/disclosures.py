"""``benne disclosures``: what laws compelled to be disclosed, on record, and counted for everybody to see."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.duties import From, Until, moment_of
from benne.cli.options import WantJson
from benne.cli.service import ServiceHome
from benne.cli.vaulted import StaffName

__all__ = ["BasisName", "app"]

app = typer.Typer(help="Disclosures that laws compelled: put on record, and counted.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip


class BasisName(StrEnum):
    """The legal bases; a test holds them against those of the notices."""

    court_order = "court_order"
    regulator_order = "regulator_order"
    statutory_duty = "statutory_duty"
    criminal_investigation = "criminal_investigation"


@app.command()
def record(
    home: ServiceHome,
    member: Annotated[str, typer.Option("--member", help="The platform's own id of the member.")],
    actor: StaffName,
    basis: Annotated[BasisName, typer.Option("--basis", help="What required it.")],
    reference: Annotated[str, typer.Option("--reference", help="Number of the case or order; no free text.")],
    authority: Annotated[str, typer.Option("--authority", help="To whom it was disclosed.")],
    scope: Annotated[str, typer.Option("--scope", help="What was disclosed, in words for the member.")],
    on: Annotated[str, typer.Option("--on", metavar="ISO", help="When, with timezone.")],
    barred_until: Annotated[
        str | None, typer.Option("--barred-until", metavar="ISO", help="Until when the member may not be told.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Put a disclosure on record. The member sees it, at once or from the moment on that the law allows it.

    \b
    Example:
      benne disclosures record shop-scores --member anna --actor counsel-1 --basis court_order \\
        --reference 2026-AZ-117 --authority "District Court" --scope "Scores of 2026" --on 2026-11-30T10:00:00Z
    """
    from benne.scoring.decisions.request import Actor
    from benne.scoring.members.recording import Doing
    from benne.scoring.notices.asked_notices import CompelledDisclosure
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    disclosure = CompelledDisclosure(
        legal_basis=basis.value, reference=reference, authority=authority, scope=scope,
        disclosed_at=moment_of(on, "--on"),
        barred_until=None if barred_until is None else moment_of(barred_until, "--barred-until"),
    )  # fmt: skip
    with opened_service(read_settings(home)) as service:
        doing = Doing(Actor(actor, "compliance"), f"disclosure:{reference}")
        notice = service.rights.disclosures.record(service.subject_of(member), disclosure, doing)
    if want_json:
        answer_json({"notice_id": notice.notice_id})
        return
    answer(f"Notice {notice.notice_id}: on record, and counted.")
    note(f"The member {'sees it from that moment on' if barred_until else 'sees it now'}.")


@app.command()
def report(home: ServiceHome, begin: From, until: Until, want_json: WantJson = False) -> None:
    """How many there were in a period, by legal basis, as they may be published; nobody is named.

    \b
    Example:
      benne disclosures report shop-scores --from 2026-01-01T00:00:00Z --until 2027-01-01T00:00:00Z
    """
    from benne.scoring.reviews.statistics import Period
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    period = Period(moment_of(begin, "--from"), moment_of(until, "--until"))
    with opened_service(read_settings(home)) as service:
        found = service.rights.disclosures.transparency(period)
    if want_json:
        answer_json({"disclosures": found.disclosures, "by_basis": found.by_basis, "barred": found.barred})
        return
    table(("legal basis", "disclosures"), list(found.by_basis.items()))
    answer(f"{found.disclosures:,} in all; the members of {found.barred:,} may not be told yet.")
