"""``benne store``: members' events in a database, for features one member at a time."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from benne.cli.console import answer, answer_json, note, progress_bar, table
from benne.cli.edge import moment_from, subject_from
from benne.cli.granting import mask_from
from benne.cli.options import (
    AllGranted,
    ClockSkew,
    Currency,
    EventsFolder,
    EventsKeyFile,
    IngestedAt,
    KeyFile,
    LedgerToAsk,
    Member,
    PurposeToAsk,
    RecipientToAsk,
    Subject,
    WantJson,
)
from benne.errors import ConsentRequired, EventSchemaError

__all__ = ["app"]

app = typer.Typer(
    help="Members' events in a database: features of one member in a millisecond.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip

StoreAddress = Annotated[
    str, typer.Option("--store", envvar="BENNE_STORE", help="Event store: a SQLite file, or a database URL.")
]


@app.command()
def create(
    events: EventsFolder,
    store: StoreAddress,
    watermark: Annotated[
        str | None, typer.Option(metavar="ISO", help="The ingest clock of these events; by default now.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Put ingested events into a new store. All of them, or nothing.

    \b
    Example:
      benne store create events --store events.db
    """
    from benne.features import Events
    from benne.features.engines.event_store import EventStore
    from benne.scoring.wiring import system_clock

    opened, moment = Events.open(events), moment_from(watermark, "--watermark") or system_clock()
    with progress_bar("loading members") as update:
        EventStore.create(store, opened, watermark=moment, progress=update).close()
    rows = sum(opened.rows(name) for name in opened.tables)
    if want_json:
        answer_json({"store": store, "rows": rows, "watermark": moment.isoformat()})
        return
    answer(f"{store}: {rows:,} events, known until {moment.isoformat()}")
    note(f"Next: benne store append NEW_RAW --store {store} --key-file …")


@app.command()
def append(
    raw: Annotated[Path, typer.Argument(help="Folder of raw tables with the new rows, as for `benne ingest`.")],
    store: StoreAddress,
    key_file: EventsKeyFile,
    ingested_at: IngestedAt = None,
    currency: Currency = None,
    clock_skew_seconds: ClockSkew = 0,
    want_json: WantJson = False,
) -> None:
    """Add new rows of members who are in the store, or who join with them. All of them, or nothing.

    The rows are held against what is stored of their members. They become known now: no score of the past changes.

    \b
    Example:
      benne store append today --store events.db --key-file subject.key
    """
    from benne.features.engines.event_store import EventStore
    from benne.features.events.key_files import read_key_file
    from benne.scoring.wiring import system_clock

    opened = EventStore.open(store)
    moment = moment_from(ingested_at, "--ingested-at") or system_clock()
    added = opened.append(
        _tables(raw), key=read_key_file(key_file), ingested_at=moment, currency=currency,
        clock_skew=timedelta(seconds=clock_skew_seconds),
    )  # fmt: skip
    opened.close()
    if want_json:
        answer_json({"store": store, "added": added, "watermark": moment.isoformat()})
        return
    answer(f"{store}: {added:,} events added, known until {moment.isoformat()}")


@app.command()
def advance(
    store: StoreAddress,
    ingested_at: IngestedAt = None,
    want_json: WantJson = False,
) -> None:
    """Say that nothing new came: everything known until now is in the store, and features may be asked for until now.

    \b
    Example:
      benne store advance --store events.db
    """
    from benne.features.engines.event_store import EventStore
    from benne.scoring.wiring import system_clock

    moment = moment_from(ingested_at, "--ingested-at") or system_clock()
    opened = EventStore.open(store)
    opened.advance(moment)
    opened.close()
    if want_json:
        answer_json({"store": store, "watermark": moment.isoformat()})
        return
    answer(f"{store}: known until {moment.isoformat()}")


@app.command(name="features")
def features_(
    store: StoreAddress,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="ISO", help="Moment; by default the last the store knows all of.")
    ] = None,
    ledger: LedgerToAsk = None,
    purpose: PurposeToAsk = None,
    recipient: RecipientToAsk = None,
    all_granted: AllGranted = None,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Compute one member's features, as `benne features build` would, bit for bit.

    If the member consents to no category, nothing is computed, and the exit code is 4.

    \b
    Example:
      benne store features --store events.db --ledger consents.db --purpose lending --recipient platform \\
        --key-file subject.key --member m00000004
    """
    from benne.features import registry
    from benne.features.engines.event_store import EventStore
    from benne.features.engines.online import OnlineFeatures
    from benne.features.events.moments import moment_of

    mask, who = mask_from(ledger, purpose, recipient, all_granted), subject_from(member, subject, key_file)
    opened = EventStore.open(store)
    moment = moment_from(as_of, "--as-of") or moment_of(opened.watermark)
    found = OnlineFeatures(opened).compute(who, moment, consents=mask)
    opened.close()
    if not any(found.consented.values()):
        raise ConsentRequired(
            f"Features as of {moment.isoformat()} must rest on active consent, got none to "
            f"{', '.join(found.consented)} ({mask.reason}). Nothing was computed; ask the member: benne consent grant"
        )
    values = {n: None if math.isnan(v) else v for n, v in zip(found.names, found.values.tolist(), strict=True)}
    if want_json:
        answer_json({"as_of": moment.isoformat(), "consented": dict(found.consented), "features": values})
        return
    shown = [(n, registry[n].category, "" if v is None else f"{v:,.6g}", registry[n].unit) for n, v in values.items()
             if found.consented[registry[n].category]]  # fmt: skip
    table(("feature", "category", "value", "unit"), shown, left=2)
    withheld = [category for category, given in found.consented.items() if not given]
    if withheld:
        note(f"Not computed, as not consented to: {', '.join(withheld)}.")


def _tables(raw: Path) -> dict[str, Path]:
    """The new raw tables; unlike a first load, without members where nobody joins."""
    if not raw.is_dir():
        raise EventSchemaError(f"{raw} must be a folder of raw tables, got none. Name the folder that holds them.")
    return {
        path.stem if path.suffix == ".parquet" else path.name: path
        for path in sorted(raw.iterdir()) if not path.name.startswith((".", "_"))
    }  # fmt: skip
