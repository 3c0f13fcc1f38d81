"""``benne features``: what is known about a member at a moment."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note, progress_bar, table
from benne.cli.edge import existing_ledger, key_from, moment_from
from benne.cli.options import KeyFile, PurposeName, WantJson
from benne.cli.quality import quality

if TYPE_CHECKING:
    from benne.features import ConsentMask, FeatureSpec

__all__ = ["app"]

app = typer.Typer(
    help="The features: what they are, and to compute them where consent allows.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip


@app.command()
def build(
    events: Annotated[Path, typer.Argument(help="Folder that `benne ingest` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Parquet file to write; replaced if it is there.")],
    observations: Annotated[
        Path | None, typer.Argument(help="Parquet with as_of and subject_id, or member_id and a key; or --as-of.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="ISO", help="Instead of a file: every adult who had joined by this moment."),
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", envvar="BENNE_LEDGER", help="Consent ledger: what may be computed for whom."),
    ] = None,
    purpose: Annotated[PurposeName | None, typer.Option(help="What for; with --ledger.")] = None,
    recipient: Annotated[str | None, typer.Option(help="For whom; with --ledger.")] = None,
    all_granted: Annotated[
        str | None, typer.Option(metavar="REASON", help="Instead of a ledger: why every category may be computed.")
    ] = None,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Compute the features at each observation, from what was known before it and is consented to.

    Nothing of a withheld category is read. Features for training are built with --purpose model_training.

    \b
    Example:
      benne features build events observations.parquet --ledger consents.db --purpose lending \\
        --recipient platform --out features.parquet
    """
    from benne.features import MASK_COLUMNS, Events, available, build_features
    from benne.features.frames import Provenance, read_observations, write_features
    from benne.features.observations import observe_everybody

    mask = _mask(ledger, purpose, recipient, all_granted)
    opened = Events.open(events)
    moment = moment_from(as_of, "--as-of")
    if observations is not None and moment is None:
        observed = read_observations(observations, key_from(key_file))
    elif observations is None and moment is not None:
        observed = observe_everybody(opened, moment)
    else:
        raise typer.BadParameter("say who is observed when: a file of observations, or --as-of.")
    with progress_bar("building features") as update:
        features = build_features(opened, observed, consents=mask, progress=update)
    asked = (None, None) if mask.grants_everything else (purpose and purpose.value, recipient)
    write_features(features, out, Provenance(mask.reason, *asked, opened.fingerprint, opened.key_fingerprint))
    consented = {category: int(features[column].sum()) for category, column in MASK_COLUMNS.items()}
    absent = available(opened)[1]
    columns = features.shape[1] - len(consented)
    if want_json:
        answer_json({"path": str(out), "observations": len(features), "features": columns, "consented": consented,
                     "absent": absent})  # fmt: skip
        return
    answer(f"{out}: {columns} features at {len(features):,} observations")
    table(("category", "consented"), [(name, f"{count:,}") for name, count in consented.items()])
    if absent:
        missing = "; ".join(sorted(set(absent.values())))
        note(f"{len(absent)} features are absent, because these events carry no {missing}.")


@app.command(name="list")
def list_(
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    events: Annotated[Path | None, typer.Option(help="Say which features these events can carry.")] = None,
    want_json: WantJson = False,
) -> None:
    """List every feature with its category, unit and direction.

    \b
    Example:
      benne features list --category ability
    """
    from benne.errors import CategoryError
    from benne.features import CATEGORIES, Events, available, registry

    if category is not None and category not in CATEGORIES:
        raise CategoryError(f"A category must be one of {', '.join(CATEGORIES)}, got {category!r}.")
    absent = {} if events is None else available(Events.open(events))[1]
    chosen = [spec for spec in registry.values() if category in (None, spec.category)]
    if want_json:
        answer_json([_as_dict(spec) | ({} if events is None else {"absent": absent.get(spec.name)}) for spec in chosen])
        return
    reasons = {name: f"absent: no {columns}" for name, columns in absent.items()}
    rows = [(s.name, s.category, s.unit, _DIRECTIONS[s.direction], reasons.get(s.name, "")) for s in chosen]
    table(("feature", "category", "unit", "more means", ""), rows, left=5)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the feature.")],
    want_json: WantJson = False,
) -> None:
    """Show everything that is known and promised about one feature.

    \b
    Example:
      benne features show on_time_share_365d
    """
    from benne.errors import FeatureColumnsError
    from benne.features import registry

    if name not in registry:
        raise FeatureColumnsError(f"A feature must be one of the registry, got {name!r}. See: benne features list")
    facts = _as_dict(registry[name])
    if want_json:
        answer_json(facts)
        return
    for key, value in facts.items():
        text = ", ".join(value) if isinstance(value, list) else str(value)
        answer(textwrap.fill(text, 100, initial_indent=f"{key.replace('_', ' '):<20}", subsequent_indent=" " * 20))


app.command()(quality)

_DIRECTIONS = {1: "riskier", -1: "safer", 0: "either"}


def _mask(
    ledger: str | None, purpose: PurposeName | None, recipient: str | None, all_granted: str | None
) -> ConsentMask:
    from benne.features import ConsentMask

    if all_granted is not None:
        if purpose is not None or recipient is not None:
            raise typer.BadParameter("give --all-granted, or --ledger with --purpose and --recipient, not both.")
        return ConsentMask.all_granted(reason=all_granted)
    if ledger is None or purpose is None or recipient is None:
        raise typer.BadParameter("say who consented: --ledger, --purpose and --recipient; or --all-granted REASON.")
    return existing_ledger(ledger).mask(purpose=purpose.value, recipient=recipient, include_ended=False)


def _as_dict(spec: FeatureSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "category": spec.category,
        "label": spec.label,
        "unit": spec.unit,
        "minimum": spec.minimum,
        "maximum": spec.maximum,
        "null_means": spec.null_means or "never null",
        "more_means": _DIRECTIONS[spec.direction],
        "reads": sorted(f"{table}.{column}" for table, column in spec.expression.reads()),
        "adverse_reason": spec.adverse_reason,
        "favourable_reason": spec.favourable_reason,
        "actionable": spec.actionable or "nothing a member can do",
        "rationale": spec.rationale,
        "source": spec.source,
        "gaming": spec.gaming,
        "retention_days": spec.retention_days,
        "owner": spec.owner,
    }
