"""``benne service demo``: a service to try out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import Steps, answer, answer_json, note
from benne.cli.edge import database_of
from benne.cli.options import Seed, WantJson
from benne.errors import SettingsError

if TYPE_CHECKING:
    from benne.experiments.demo.serving import ServedPlatform
    from benne.scoring.service import Service

__all__ = ["demo"]

_A_DAY = timedelta(days=1)
_COMMANDS = """\
# 1  {consenting}'s score, as the recipient "{recipient}"
curl -s {url}/v1/scores -H 'Authorization: Bearer {recipient_key}' \\
  -H 'Content-Type: application/json' \\
  -d '{{"member_id": "{consenting}", "purpose": "{purpose}", "granularity": "exact"}}'

# 2  What it is made of, as {consenting}
curl -s {url}/v1/members/me/explanation -H 'Authorization: Bearer {member_key}'

# 3  {consenting} takes their consent back. Ask 1 again: refused, from the next call on
curl -s -X DELETE '{url}/v1/members/me/consents?purpose={purpose}&recipient={recipient}' \\
  -H 'Authorization: Bearer {member_key}'

# In a browser: compliance staff at {url}/console (then look up {consenting}), {consenting} at {url}/me
#   compliance key  {compliance_key}
#   member's key    {member_key}
"""


def demo(
    home: Annotated[Path, typer.Argument(help="Folder of the service; laid out if it is not there.")],
    model: Annotated[Path, typer.Option("--model", help="Folder of a saved model; `make demo` leaves one.")] = Path(
        "build/demo/model"
    ),
    validated_in: Annotated[
        str,
        typer.Option("--validated-in", callback=database_of, help="Store that holds its verdict; that of `make demo`."),
    ] = "build/demo/consents.db",
    members: Annotated[int, typer.Option(min=200, help="How many members the simulated platform has.")] = 1_000,
    seed: Seed = 1,
    want_json: WantJson = False,
) -> None:
    """Lay out a service with simulated members in it, and show three things to ask it.

    Features are computed from the members' events, which go up to now. Where the folder is there already only
    keys of access for a day are made anew.

    \b
    Example:
      benne service demo build/demo/service --model build/demo/model
    """
    from benne.experiments.demo.serving import STEPS, advance, lay_out_with_members, served_platform
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import FILE_NAME, read_settings
    from benne.scoring.wiring import system_clock

    if not home.exists():
        with Steps(STEPS) as steps:
            lay_out_with_members(
                home, model, validated_in=validated_in, members=members, seed=seed, now=system_clock(),
                on_step=steps.begin,
            )  # fmt: skip
    elif not (home / FILE_NAME).is_file() or not (home / "demo.json").is_file():
        raise SettingsError(f"The folder must be new, or one that this command laid out, got {home}. Name another.")
    advance(home, system_clock())
    settings = read_settings(home)
    with opened_service(settings) as service:
        shown = served_platform(home, service.ledger, service.subject_key)
        keys = _keys(service, shown)
    found = {"url": f"http://{settings.host}:{settings.port}", **vars(shown), **keys}
    if want_json:
        answer_json(found)
        return
    answer(_COMMANDS.format(**found))
    note("The keys hold for a day. Simulated members: what they score proves nothing about real people.")


def _keys(service: Service, shown: ServedPlatform) -> dict[str, str]:
    """Keys of access for a day, for the recipient (registered if it is not), a member, and compliance staff."""
    import secrets

    from benne.scoring.access import Administration, ApiKeys, Principal
    from benne.scoring.access.recipients import every_recipient

    office = Administration(Principal(id="benne-cli", role="admin"), service.ids, service.policies.version)
    with service.store.read() as connection:
        known = {one.name for one in every_recipient(connection)}
    if shown.recipient not in known:
        purposes = sorted({one.terms.purpose for one in service.terms.values()})
        service.group.submit(office.register(shown.recipient, contact="dpo@platform.example", purposes=purposes))

    def made(role: Any, **bound: Any) -> str:
        return service.group.submit(
            office.new_key(ApiKeys(secrets.token_bytes), role, valid=_A_DAY, **bound)
        ).result.text

    return {
        "recipient_key": made("recipient", recipient=shown.recipient),
        "member_key": made("member", subject_id=service.subject_of(shown.consenting)),
        "compliance_key": made("compliance"),
    }
