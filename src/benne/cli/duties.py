"""``benne duties``: what members are owed, by deadline, and how often reviewers overturn decisions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.edge import moment_from
from benne.cli.options import WantJson
from benne.cli.service import ServiceHome

__all__ = ["From", "KindName", "Until", "app", "moment_of"]

app = typer.Typer(help="What members are owed, by deadline: disputes, corrections, reviews, notices.",
                  no_args_is_help=True, rich_markup_mode=None)  # fmt: skip

From = Annotated[str, typer.Option("--from", metavar="ISO", help="From this moment on, with timezone.")]
Until = Annotated[str, typer.Option("--until", metavar="ISO", help="Up to, but not including, this moment.")]


class KindName(StrEnum):
    """The kinds of duties; a test holds them against those of the cases."""

    dispute = "dispute"
    correction = "correction"
    review = "review"
    notice = "notice"


@app.command(name="list")
def list_duties(
    home: ServiceHome,
    kind: Annotated[list[KindName] | None, typer.Option("--kind", help="Only of this kind; by default all.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what has passed its deadline.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 100,
    want_json: WantJson = False,
) -> None:
    """Everything with something left to do, the soonest due first. What is overdue is escalated by that, on record.

    \b
    Example:
      benne duties list shop-scores --overdue
    """
    from benne.scoring.rights.rows import CaseQuery
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    with opened_service(read_settings(home)) as service:
        deadlines = service.rights.deadlines
        query = CaseQuery(
            kinds=[one.value for one in kind or ()], only_open=True, limit=limit,
            due_before_us=deadlines.now_us() if overdue else None,
        )  # fmt: skip
        found = [case.as_dict() for case in deadlines.duties(query)]
    if want_json:
        answer_json(found)
        return
    if not found:
        answer("Nothing is due.")
        return
    table(
        ("case", "kind", "topic", "state", "due", "escalated", "handler"),
        [(one["case_id"], one["kind"], one["topic"], one["state"], one["due_at"][:16],
          "yes" if one["escalated_at"] else "no", one["handler"] or "-") for one in found],
        left=7,
    )  # fmt: skip


@app.command()
def overturned(home: ServiceHome, begin: From, until: Until, want_json: WantJson = False) -> None:
    """How often reviewers overturned decisions, by month, policy version and recipient.

    No rate is given of fewer than twenty reviews: one more or less would change it by more than five points.

    \b
    Example:
      benne duties overturned shop-scores --from 2026-01-01T00:00:00Z --until 2027-01-01T00:00:00Z
    """
    from benne.scoring.reviews.statistics import FEWEST, Period
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    period = Period(moment_of(begin, "--from"), moment_of(until, "--until"))
    with opened_service(read_settings(home)) as service:
        rates = service.reviews.statistics(period)
    if want_json:
        answer_json([{"month": one.month, "policy_version": one.policy_version, "recipient": one.recipient,
                      "decided": one.decided, "overturned": one.overturned, "rate": one.rate}
                     for one in rates])  # fmt: skip
        return
    table(
        ("month", "policy", "recipient", "decided", "overturned", "rate"),
        [(one.month or "all", one.policy_version or "all", one.recipient or "all", one.decided, one.overturned,
          "too few" if one.rate is None else f"{one.rate:.1%}") for one in rates],
        left=3,
    )  # fmt: skip
    note(f"Too few: fewer than {FEWEST} reviews.")


def moment_of(text: str, option: str) -> datetime:
    """A moment that must be given."""
    found = moment_from(text, option)
    if found is None:
        raise typer.BadParameter(f"{option} must be a moment with timezone, got nothing.")
    return found
