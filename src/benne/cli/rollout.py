"""``benne rollout``: a challenger in the champion's shadow, then for a share of members."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.options import DoneByYou, ValidatedIn, WantJson
from benne.cli.service import ServiceHome
from benne.errors import RolloutError

if TYPE_CHECKING:
    from benne.scoring.decisions.request import Actor
    from benne.scoring.rollout.rollout import Rollout
    from benne.scoring.rollout.status import RolloutStatus
    from benne.scoring.service import Service

__all__ = ["app"]

app = typer.Typer(help="A challenger beside the champion: unseen in its shadow, then for a share of members.",
                  no_args_is_help=True, rich_markup_mode=None)  # fmt: skip


LEAST_COMPARED: Final = 100
"""As :data:`benne.scoring.rollout.rollout.LEAST_COMPARED`, without loading a service to show what may be asked."""

_SHARE: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))? ?%")
_SETS: Final = {
    "both_in": "in with both", "swapped_in": "comes in", "swapped_out": "falls out", "both_out": "out with both",
}  # fmt: skip


@app.command()
def shadow(
    home: ServiceHome,
    model: Annotated[str, typer.Argument(help="Folder of a saved model, or the id of one on the service's shelf.")],
    by: DoneByYou = "",
    want_json: WantJson = False,
) -> None:
    """Put a challenger into the champion's shadow: it scores what is answered, and nobody sees it.

    Running services begin within seconds. Only sums are kept of what it makes of the answers.

    \b
    Example:
      benne rollout shadow shop-scores model-2 --by ops
    """
    with _opened(home, by) as (service, actor):
        on_shelf = model.startswith("benne/") and not Path(model).exists()
        challenger = service.shelf.get(model) if on_shelf else service.shelf.put(Path(model))
        begun = service.rollouts.begin(challenger, actor)
    _tell(begun, want_json, f"{begun.model_id} is in the shadow. See how it goes: benne rollout status {home}")


@app.command()
def stage(
    home: ServiceHome,
    share: Annotated[str, typer.Option("--share", help="Of members, such as 5%; it may only grow.")],
    validated_in: ValidatedIn = None,
    least_compared: Annotated[
        int,
        typer.Option(
            "--least-compared",
            metavar="N",
            min=0,
            help="Answers that the challenger must have been compared on in the shadow; 0 asks for none. On record.",
        ),
    ] = LEAST_COMPARED,
    by: DoneByYou = "",
    want_json: WantJson = False,
) -> None:
    """Let the challenger serve a share of members; whoever is in it stays in it as it grows.

    The challenger must have passed its validation, and been compared with the champion on enough answers in the
    shadow. Where it fails or refuses, the champion answers.

    \b
    Example:
      benne rollout stage shop-scores --share 5% --by ops
    """
    basis_points = _basis_points(share)
    with _opened(home, by) as (service, actor):
        if validated_in is not None:
            _take_over(service, validated_in, actor)
        staged = service.rollouts.stage(basis_points, actor, least_compared=least_compared)
    _tell(staged, want_json, f"{staged.model_id} serves {share} of members from now on: {_compared(staged)}.")


@app.command()
def end(
    home: ServiceHome,
    reason: Annotated[str, typer.Option("--reason", help="Why, in one word such as too_many_move.")],
    by: DoneByYou = "",
    want_json: WantJson = False,
) -> None:
    """End the roll-out: the champion serves everybody again.

    \b
    Example:
      benne rollout end shop-scores --reason too_many_move --by ops
    """
    with _opened(home, by) as (service, actor):
        ended = service.rollouts.end(reason, actor)
    _tell(ended, want_json, f"The roll-out of {ended.model_id} has ended: {reason}.")


@app.command()
def status(
    home: ServiceHome,
    cutoff: Annotated[
        list[int] | None, typer.Option("--cutoff", help="Lowest score let in, in whole tens; by default of each band.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Show the newest roll-out: its steps, who would be treated otherwise, who moves and why.

    \b
    Example:
      benne rollout status shop-scores --cutoff 600
    """
    from benne.scoring.rollout.status import rollout_status

    with _opened(home, "benne-cli") as (service, _):
        bands = getattr(service.models.current.model, "scale_").bands  # noqa: B009 - a protocol, and models have it
        with service.store.read() as connection:
            found = rollout_status(connection, cutoffs=cutoff or (), bands=bands)
    if want_json:
        answer_json(None if found is None else found.as_dict())
    elif found is None:
        answer("There has been no roll-out. Begin one: benne rollout shadow")
    else:
        _show(found)


@contextmanager
def _opened(home: Path, by: str) -> Iterator[tuple[Service, Actor]]:
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.people import named
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    with opened_service(read_settings(home)) as service:
        yield service, Actor(named(by, "Whoever rolls out"), "admin")


def _take_over(service: Service, place: str, actor: Actor) -> None:
    """The challenger's verdict out of another store; none is taken where no roll-out is under way."""
    from benne.cli.governance_store import opened_governance_store
    from benne.scoring.governance.governance_store import GovernanceStore
    from benne.scoring.governance.taking_over import bring_over, to_bring_over
    from benne.scoring.rollout.register import newest_rollout

    with service.store.read() as connection:
        newest = newest_rollout(connection)
    if newest is None or not newest.stands:
        return
    with opened_governance_store(place) as other, other.store.read() as connection:
        brought = to_bring_over(connection, newest.config_hash)
    here = GovernanceStore(service.store, service.group, service.policies.version, None)
    bring_over(brought, here, actor, ids=service.ids)


def _basis_points(share: str) -> int:
    found = _SHARE.fullmatch(share.strip())
    if found is None:
        raise RolloutError("A share must be given in per cent, such as 5% or 0.25%, got something else. Write it so.")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _tell(step: Rollout, want_json: bool, text: str) -> None:
    if want_json:
        answer_json(step.as_dict())
    else:
        answer(text)


def _compared(step: Rollout) -> str:
    """On how many compared answers it was staged, as far as that is on record."""
    if step.compared is None:
        return ""
    told = f"{step.compared:,} answers or more" if step.compared else "fewer than 10 answers"
    return f"compared on {told}, {step.least_compared:,} were asked for"


def _show(found: RolloutStatus) -> None:
    from benne.scoring.consent.moments import from_microseconds
    from benne.scoring.rollout.rollout import share_in_words

    rows = [
        (
            f"{from_microseconds(step.changed_at_us):%Y-%m-%d %H:%M:%S} UTC", step.state,
            share_in_words(step.share_basis_points), step.actor_id, step.reason or _compared(step),
        )
        for step in found.steps
    ]  # fmt: skip
    answer(f"{found.rollout.model_id} beside {found.champion_id}: {found.rollout.state}")
    if found.over is not None:
        note(f"It is over ({found.over}); a running service will put that on record.")
    table(("when", "state", "share", "by", "why"), rows, left=5)
    counts = found.counts
    answer(f"\n{counts['compared']:,} answers compared in the shadow; the challenger refused {counts['refused']:,}, "
           f"failed at {counts['failed']:,}, and {counts['dropped']:,} were let go of.")  # fmt: skip
    if counts["served"] or counts["gave_way"] or counts["failed_serving"]:
        answer(f"It served {counts['served']:,} answers, gave way to the champion in {counts['gave_way']:,}, and "
               f"failed in {counts['failed_serving']:,} passes.")  # fmt: skip
    if found.mean_change is not None:
        _show_shadow(found)


def _show_shadow(found: RolloutStatus) -> None:
    answer(f"Scores change by {found.mean_change:+.2f} points in the mean, of which:")
    table(("part", "mean change", "mean absolute change"),
          [(line["part"], _fixed(line["mean_change"], "+.2f"), _fixed(line["mean_absolute_change"], ".2f"))
           for line in found.changes])  # fmt: skip
    answer("\nWho would be treated otherwise:")
    table(("cut-off", "", "answers", "share", "PD, champion", "PD, challenger"), [
        (line["cutoff"], _SETS[line["set"]], _fixed(line["n"], ","), _fixed(line["share"], ".1%"),
         _fixed(line["champion_pd"], ".2%"), _fixed(line["challenger_pd"], ".2%"))
        for line in found.swap_sets
    ], left=2)  # fmt: skip
    if found.matrix:
        bands = [line["champion"] for line in found.matrix]
        answer("\nAnswers by band, the champion's down and the challenger's across:")
        table(("", *bands), [(line["champion"], *(_fixed(line[band], ",") for band in bands)) for line in found.matrix])
    for text in found.notes:
        note(text)


def _fixed(value: Any, form: str) -> str:
    return "–" if value is None else format(value, form)
