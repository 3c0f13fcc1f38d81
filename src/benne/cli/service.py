"""``benne service``: the folder a service lives in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benne.cli import service_demo
from benne.cli.console import answer, answer_json, note, progress_bar, table
from benne.cli.edge import database_of
from benne.cli.options import DoneByYou, SavedModel, ValidatedIn, WantJson

__all__ = ["ServiceHome", "app"]

app = typer.Typer(help="The folder a scoring service lives in: lay it out, feed it, keep it.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip

ServiceHome = Annotated[
    Path, typer.Argument(envvar="BENNE_HOME", help="The service's folder, which `benne service init` lays out.")
]


@app.command()
def init(
    home: Annotated[Path, typer.Argument(help="Folder to lay out; must not exist, or be empty.")],
    model: Annotated[
        Path | None, typer.Option("--model", help="Folder of a saved model that is to serve, with --validated-in.")
    ] = None,
    validated_in: Annotated[
        str | None,
        typer.Option(
            "--validated-in", callback=database_of, help="Store that holds the verdict on the model; it is taken over."
        ),
    ] = None,
    terms: Annotated[
        Path | None,
        typer.Option("--terms", help="Consent terms that members are offered: a file or a folder."),
    ] = None,
    subject_key: Annotated[
        Path | None, typer.Option("--subject-key", help="Key the events were keyed with; by default a new one.")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", help="Address of an empty PostgreSQL; by default SQLite in the folder.")
    ] = None,
    events: Annotated[
        str | None,
        typer.Option("--events", help="Event store to compute features from: an address, or a file in the folder."),
    ] = None,
    by: DoneByYou = "",
    want_json: WantJson = False,
) -> None:
    """Lay out a service's folder: keys, database, policies, consent terms, and the model that is to serve.

    The administrator's key is shown once and kept only as a hash. All or nothing: where something is wrong, there is
    no folder. Without a model it serves nothing until one is validated and promoted.

    \b
    Example:
      benne service init shop-scores --model model --validated-in governance.db --terms terms
    """
    from benne.scoring.laying_out import lay_out

    laid_out = lay_out(
        home, model, validated_in=validated_in, subject_key=subject_key, terms=terms, database=database, events=events,
        by=by,
    )  # fmt: skip
    if want_json:
        answer_json({"home": str(home), "admin_key": laid_out.admin_key})
        return
    answer(f"{home}: a service's folder. Serve it: benne serve {home}")
    answer(f"The administrator's key, shown this once: {laid_out.admin_key}")
    if model is None:
        note(f"It has no model yet. Once one is validated: benne promote --store {home} --by NAME")
    note("Keep keyring.json safe and apart from backups of the database: whoever has both can read everything.")
    if terms is None:
        note(f"Members are offered nothing yet. Draft what: benne consent terms {home}/terms/lending.toml …")
    if events is None:
        note(f"Next: benne service load {home} FEATURES (or set `events` in {home}/benne.toml to an event store)")
    note(f"Then say who may ask: benne recipients add NAME --ledger {home} …, "
         f"benne apikey new --ledger {home} --role recipient --recipient NAME")  # fmt: skip


@app.command()
def promote(
    home: ServiceHome,
    model: SavedModel,
    by: DoneByYou = "",
    validated_in: ValidatedIn = None,
    want_json: WantJson = False,
) -> None:
    """Let another model serve, which somebody other than its author has validated.

    Running services load it within seconds; a decision is made by one model throughout. Without MLflow; with it, see
    `benne promote`.

    \b
    Example:
      benne service promote shop-scores model-2 --by ops
    """
    from benne.cli.promote import put_to_serve

    served = put_to_serve(home, model, by, validated_in)
    if want_json:
        answer_json({"model_id": served.model_id, "config_hash": served.config_hash})
        return
    answer(f"{served.model_id} serves from now on; earlier models stay, so that their decisions can be replayed.")


@app.command()
def load(
    home: ServiceHome,
    features: Annotated[Path, typer.Argument(help="Parquet of features, which `benne features build` wrote.")],
    purpose: Annotated[str | None, typer.Option(help="What they were built for; by default as the file says.")] = None,
    recipient: Annotated[str | None, typer.Option(help="For whom; by default as the file says.")] = None,
    want_json: WantJson = False,
) -> None:
    """Keep features that were computed beforehand, each encrypted under its member's key, in place of older ones.

    Members whose consent does not stand now are left out, and of the others what they withhold.

    \b
    Example:
      benne service load shop-scores features.parquet
    """
    from benne.scoring.decisions.loading import load_features
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    with opened_service(read_settings(home)) as service, progress_bar("members") as bar:
        loaded = load_features(service, features, purpose=purpose, recipient=recipient, progress=bar)
    if want_json:
        answer_json({"kept": loaded.kept, "left_out": loaded.left_out, "purpose": loaded.purpose,
                     "recipient": loaded.recipient})  # fmt: skip
        return
    answer(f"{loaded.kept:,} members' features kept for {loaded.purpose} for {loaded.recipient}, "
           f"{loaded.left_out:,} left out")  # fmt: skip


@app.command()
def settings(home: ServiceHome, want_json: WantJson = False) -> None:
    """Show every setting in force, without secrets, and what each one is.

    \b
    Example:
      benne service settings shop-scores
    """
    from benne.scoring.settings import Settings, read_settings

    found = read_settings(home)
    shown = {name: str(getattr(found, name)) for name in Settings.model_fields}
    if want_json:
        answer_json(shown)
        return
    rows = [(name, shown[name], str(field.description)) for name, field in Settings.model_fields.items()]
    table(("setting", "value", "what it is"), rows, left=3)


@app.command()
def tidy(
    home: ServiceHome,
    compact: Annotated[
        bool, typer.Option("--compact", help="Also write database files anew where somebody was erased.")
    ] = False,
    want_json: WantJson = False,
) -> None:
    """Put on record which consents ran out and what is overdue, and go on with corrections and erasures.

    What was kept long enough is deleted. A running service does the same every quarter of an hour, without --compact:
    run that by a timer at night.

    \b
    Example:
      benne service tidy shop-scores --compact
    """
    from benne.scoring.housekeeping import tidy as tidy_service
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    with opened_service(read_settings(home)) as service:
        done = tidy_service(service, compacting=compact)
    if want_json:
        answer_json({name: getattr(done, name) for name in type(done).__dataclass_fields__})
        return
    answer(f"{done.consents_expired:,} consents ran out; {done.payloads_dropped:,} payloads and "
           f"{done.keys_forgotten:,} idempotency keys dropped; {done.erasures_finished:,} erasures done; "
           f"{done.deadlines_escalated:,} deadlines escalated, {done.corrections_done:,} corrections done")  # fmt: skip


@app.command()
def backup(
    home: ServiceHome,
    to: Annotated[Path, typer.Argument(help="Folder to write; must not exist.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Also the keys; whoever has such a backup can read everything.")
    ] = False,
    want_json: WantJson = False,
) -> None:
    """Copy a service's folder while it serves: the database as of one moment, models, policies, terms and settings.

    Without --with-keys the copy can be verified but not read. Keep keys elsewhere. PostgreSQL has its own tools
    (pg_dump, or a base backup); this is for the embedded database.

    \b
    Example:
      benne service backup shop-scores /backups/2026-11-30
    """
    from benne.scoring.backup import back_up
    from benne.scoring.settings import read_settings

    made = back_up(read_settings(home), to, with_keys=with_keys)
    if want_json:
        answer_json({"backup": str(to), "records": made.records, "head": made.head})
        return
    answer(f"{to}: {made.records:,} audit records, verified; the last is {made.head}")


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="A folder that `benne service backup` wrote.")],
    home: Annotated[Path, typer.Argument(help="Folder to write; must not exist, or be empty.")],
    keys: Annotated[
        Path | None, typer.Option("--keys", help="Folder with the keys, where the backup is without them.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Make a service's folder from a backup, once its audit chain has been verified.

    Members erased since the backup was made are in it again: erase them anew before anybody is served.

    \b
    Example:
      benne service restore /backups/2026-11-30 shop-scores --keys /safe/keys
    """
    from benne.scoring.backup import restore as restore_backup

    made = restore_backup(backup, home, keys=keys)
    if want_json:
        answer_json({"home": str(home), "records": made.records, "head": made.head})
        return
    answer(f"{home}: {made.records:,} audit records, verified; the last is {made.head}")
    note("Whoever was erased since then is in it again: erase them anew before anybody is served.")


app.command()(service_demo.demo)
