"""The registry in words: plain rows for the command line, and the page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benne.errors import RegistrationError
from benne.features.categories import CATEGORIES, CATEGORY_LABELS
from benne.features.forbidden_rows import lineage
from benne.features.registered import registry as registered
from benne.features.specification import FeatureSpec, Registry

__all__ = ["describe", "documentation"]

_DIRECTIONS = {-1: "more lowers the risk", 0: "learned from data", 1: "more raises the risk"}

_HEAD = """\
# Features

Generated from the registry; do not edit. To bring it up to date:

    python -c "from pathlib import Path; from benne.features import documentation; \\
    Path('docs/features.md').write_text(documentation(), encoding='utf-8')"

A feature sees an event only if it happened and was known before `as_of`; a window of *n* days is
`[as_of - n days, as_of)` in UTC. Money is in minor units. Where the columns a feature reads are not
there, the feature is absent by name. Features of a category that a member withholds are not computed.
"""


def describe(names: Iterable[str] | None = None, *, registry: Registry | None = None) -> list[dict[str, str]]:
    """Say of each feature what there is to say, as text.

    Parameters
    ----------
    names : iterable of str, optional
        By default all features, in the order of the categories.
    registry : Registry, optional
        By default the registered features.

    Returns
    -------
    list of dict of str to str
        The same keys in each: ``name``, ``category``, ``label``, ``unit``, ``range``,
        ``null_means``, ``direction``, ``reason_group``, ``adverse_reason``,
        ``favourable_reason``, ``actionable``, ``rationale``, ``source``, ``reads``,
        ``gaming``, ``retention``, ``owner``, ``jurisdictions_off``.

    Raises
    ------
    RegistrationError
        If a name is not registered.

    Examples
    --------
    >>> describe(["late_30_count_90d"])[0]["label"]
    'Times a payment stood 30 days or more late, last 90 days'
    """
    registry = registered if registry is None else registry
    wanted = list(registry if names is None else names)
    unknown = [name for name in wanted if name not in registry]
    if unknown:
        raise RegistrationError(f"Features must be registered, got {', '.join(unknown)}. List the names there are.")
    return [_row(registry[name]) for name in wanted]


def documentation(registry: Registry | None = None) -> str:
    """The documentation's page of features, in Markdown."""
    registry = registered if registry is None else registry
    return "\n".join([_HEAD, *_overview(registry), *(line for c in CATEGORIES for line in _section(c, registry))])


def _row(spec: FeatureSpec) -> dict[str, str]:
    return {
        "name": spec.name,
        "category": spec.category,
        "label": spec.label,
        "unit": spec.unit,
        "range": f"{_number(spec.minimum)} to {_number(spec.maximum)}",
        "null_means": spec.null_means or "never null",
        "direction": _DIRECTIONS[spec.direction],
        "reason_group": spec.reason_group,
        "adverse_reason": spec.adverse_reason,
        "favourable_reason": spec.favourable_reason,
        "actionable": spec.actionable or "nothing",
        "rationale": spec.rationale,
        "source": spec.source,
        "reads": _reads(spec),
        "gaming": spec.gaming,
        "retention": _retention(spec),
        "owner": spec.owner,
        "jurisdictions_off": ", ".join(spec.jurisdictions_off) or "none",
    }


def _reads(spec: FeatureSpec) -> str:
    """Tables and columns that bear on a value, in the form ``table (column, column); table (column)``."""
    columns: dict[str, list[str]] = {}
    for table, column in sorted(lineage(spec.expression)):
        columns.setdefault(table, []).append(column)
    return "; ".join(f"{table} ({', '.join(names)})" for table, names in columns.items())


def _number(value: float) -> str:
    return f"{round(value, 4):,.15g}"


def _retention(spec: FeatureSpec) -> str:
    return "as long as they may be kept" if spec.retention_days is None else f"{spec.retention_days} days"


def _overview(registry: Registry) -> Iterator[str]:
    """How many features each category has, by what more of one means and by what a member can do."""
    yield "| category | features | more raises risk | more lowers risk | learned | one can act on | easily gamed |"
    yield "|---|---|---|---|---|---|---|"
    for category in CATEGORIES:
        specs = [registry[name] for name in registry.columns(category)]
        counts = [len(specs), *(sum(spec.direction == d for spec in specs) for d in (1, -1, 0))]
        counts += [sum(spec.actionable is not None for spec in specs), sum(spec.gaming == "high" for spec in specs)]
        yield f"| {CATEGORY_LABELS[category]} | {' | '.join(map(str, counts))} |"
    yield ""


def _section(category: str, registry: Registry) -> Iterator[str]:
    rows = describe(registry.columns(category), registry=registry)
    yield f"## {CATEGORY_LABELS[category]} ({len(rows)})\n"
    for row in rows:
        yield f"### `{row['name']}`\n"
        yield f"{row['label']}. Unit: {row['unit']}; from {row['range']}. Null: {row['null_means']}."
        yield f"{row['rationale']} ({row['source']})."
        yield f"Direction: {row['direction']}. Reads {row['reads']}."
        yield f"Said of it: “{row['adverse_reason']}” or “{row['favourable_reason']}”; group: {row['reason_group']}."
        yield f"What a member can do: {row['actionable']}. Ease of gaming: {row['gaming']}. Owner: {row['owner']}."
        yield f"Events are needed for {row['retention']}. Off in: {row['jurisdictions_off']}.\n"
