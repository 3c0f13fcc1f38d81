"""``benne features``: what is known about a member at a moment."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.features_build import build
from benne.cli.options import WantJson
from benne.cli.quality import quality

if TYPE_CHECKING:
    from benne.features import FeatureSpec

__all__ = ["app"]

app = typer.Typer(
    help="The features: what they are, and to compute them where consent allows.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip


app.command()(build)


@app.command(name="list")
def list_(
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    actionable: Annotated[
        bool | None, typer.Option("--actionable/--not-actionable", help="Only what a member can do something about.")
    ] = None,
    gaming: Annotated[str | None, typer.Option(help="Only what is so easily moved: low, medium or high.")] = None,
    direction: Annotated[str | None, typer.Option(help="Only where more means this: riskier, safer or either.")] = None,
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
    from benne.features.registration import EASE_OF_GAMING

    if category is not None and category not in CATEGORIES:
        raise CategoryError(f"A category must be one of {', '.join(CATEGORIES)}, got {category!r}.")
    absent = {} if events is None else available(Events.open(events))[1]
    for option, value, allowed in (
        ("--gaming", gaming, EASE_OF_GAMING), ("--direction", direction, tuple(_DIRECTIONS.values())),
    ):  # fmt: skip
        if value is not None and value not in allowed:
            raise typer.BadParameter(f"{option} must be one of {', '.join(allowed)}, got {value!r}.")
    chosen = [
        spec for spec in registry.values()
        if category in (None, spec.category) and actionable in (None, spec.actionable is not None)
        and gaming in (None, spec.gaming) and direction in (None, _DIRECTIONS[spec.direction])
    ]  # fmt: skip
    if want_json:
        answer_json([_as_dict(spec) | ({} if events is None else {"absent": absent.get(spec.name)}) for spec in chosen])
        return
    reasons = {name: f"absent: no {columns}" for name, columns in absent.items()}
    rows = [(s.name, s.category, s.unit, _DIRECTIONS[s.direction], reasons.get(s.name, "")) for s in chosen]
    table(("feature", "category", "unit", "more means", ""), rows, left=5)
    counts = [(sum(s.category == c for s in chosen), c) for c in CATEGORIES]
    note(", ".join(f"{n} {c}" for n, c in counts if n) or "no features")


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
        text = (", ".join(value) or "none") if isinstance(value, list) else str(value)
        if value is None:
            text = "as long as they may be kept"
        answer(textwrap.fill(text, 100, initial_indent=f"{key.replace('_', ' '):<20}", subsequent_indent=" " * 20))


app.command()(quality)

_DIRECTIONS = {1: "riskier", -1: "safer", 0: "either"}


def _as_dict(spec: FeatureSpec) -> dict[str, Any]:
    from benne.features.forbidden_rows import lineage

    return {
        "name": spec.name,
        "category": spec.category,
        "label": spec.label,
        "unit": spec.unit,
        "minimum": spec.minimum,
        "maximum": spec.maximum,
        "null_means": spec.null_means or "never null",
        "more_means": _DIRECTIONS[spec.direction],
        "reads": sorted(f"{table}.{column}" for table, column in lineage(spec.expression)),
        "adverse_reason": spec.adverse_reason,
        "favourable_reason": spec.favourable_reason,
        "actionable": spec.actionable or "nothing a member can do",
        "rationale": spec.rationale,
        "source": spec.source,
        "gaming": spec.gaming,
        "reason_group": spec.reason_group,
        "jurisdictions_off": list(spec.jurisdictions_off),
        "retention_days": spec.retention_days,
        "owner": spec.owner,
    }
