"""What the parts of a card look like in a registry: each in its forms, the longest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from benne.experiments.model_card.card import SECTIONS, ModelCard, Section
from benne.experiments.model_card.feature_lines import counts_by_category
from benne.experiments.report.document_page import markdown_table, plain_markdown, shown_table

__all__ = ["IF_ROOM", "NEEDED", "forms_of", "title_of"]

NEEDED: Final = ("uses", "data", "contract", "price", "performance", "fairness", "limits", "approvals", "gaming",
                 "features")  # fmt: skip
"""What a reader of a registry must not miss, the most needed first."""

IF_ROOM: Final = ("categories", "labels", "calibration", "patterns", "bands", "origin", "deciles", "reproduction")
"""What is good to have; the last of it goes first when room is short."""

_PARTS_OF: Final = {"origin": ("data", "Where the data come from", ("data.origin", "data.left_out")),
                    "deciles": ("calibration", "Calibration by decile", ("calibration.deciles",))}  # fmt: skip
"""Tables that go before the rest of their section does: section, title, names."""

_NOT_YET: Final = {"approvals": "Nobody has decided about it yet.", "fairness": "Not audited yet.",
                   "gaming": "Not attacked yet."}  # fmt: skip
_MANY: Final = (60, 14, 6)
"""Lines of a table that may be long, from the longest form to the shortest."""

Rows = Sequence[Mapping[str, Any]]


def title_of(key: str) -> str:
    """Title of a part."""
    return _PARTS_OF[key][1] if key in _PARTS_OF else SECTIONS[key]


def forms_of(card: ModelCard, key: str) -> tuple[str, ...]:
    """A part in Markdown, the longest form first; empty where there is nothing to show and nobody would miss it.

    Parameters
    ----------
    card : ModelCard
    key : str
        One of :data:`NEEDED` or :data:`IF_ROOM`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> made = datetime(2026, 11, 30, tzinfo=UTC)
    >>> card = ModelCard(model_id="benne/1", config_hash="1" * 64, made_at=made, by="ada", sections={})
    >>> forms_of(card, "approvals"), forms_of(card, "bands")
    (('## Approvals\\n\\nNobody has decided about it yet.\\n',), ())
    """
    section = card.sections.get(_PARTS_OF[key][0] if key in _PARTS_OF else key)
    if section is None:
        bodies = [_NOT_YET.get(key, "Not on the card.")] if key in NEEDED else []
    elif key in _BODIES:
        bodies = _BODIES[key](section)
    else:
        bodies = [_whole(section, key)]
    return tuple(f"## {title_of(key)}\n\n{body}\n" for body in dict.fromkeys(bodies) if body)


def _uses(section: Section) -> list[str]:
    rows = section.tables["uses"]
    kinds = dict.fromkeys(row["use"] for row in rows)
    lists = [f"{kind.capitalize()}: {'; '.join(str(row['what']) for row in rows if row['use'] == kind)}."
             for kind in kinds]  # fmt: skip
    return [_table(rows), _paragraphs(*lists)]


def _data(section: Section) -> list[str]:
    rows = _columns(section.tables["data.rows"], "rows of", "rows", "members", "bad", "first as_of", "last as_of")
    return [_paragraphs(*section.text, _table(rows)), _table(rows)]


def _contract(section: Section) -> list[str]:
    rows = section.tables["contract"]
    with_ends = ("reference_low", "reference_high", "out_of_fold", "out_of_fold_low", "out_of_fold_high")
    forms = [_paragraphs(*section.text, _table(_columns(rows, "category", "target", "reference", *with_ends)))]
    return forms + [_table(_columns(rows, "category", "target", "reference"), most) for most in (None, _MANY[-1])]


def _price(section: Section) -> list[str]:
    rows = section.tables["price"]
    price = ("auc_price", "auc_price_low", "auc_price_high")
    lead = "Out of fold. The price is ours under contract minus this model."
    return [
        _paragraphs(*section.text, _table(_columns(rows, "model", "auc", "auc_low", "auc_high", *price, "ks_price",
                                                   "brier_price", "log_loss_price"))),
        _paragraphs(lead, _table(_columns(rows, "model", "auc", *price))),
    ]  # fmt: skip


def _performance(section: Section) -> list[str]:
    rows = section.tables["performance"]
    table = shown_table("performance", rows)
    told = [f"{row[0].text} {row[1].text}{f' ({row[1].small})' if row[1].small else ''}" for row in table.rows]
    return [_paragraphs(*section.text, _table(rows)), _paragraphs(*section.text, ", ".join(told) + ".")]


def _fairness(section: Section) -> list[str]:
    figures = section.tables.get("fairness.figures", [])
    groups = _columns(section.tables.get("fairness.groups", []), "attribute", "group", "rows", "bad", "predicted",
                      "observed", "auc", "finding")  # fmt: skip
    short = _columns(groups, "attribute", "group", "rows", "predicted", "observed", "auc", "finding")
    full, brief = _figures(figures, "note"), _figures(figures)
    return [
        _paragraphs(*section.text, full, _table(groups, _MANY[0])),
        *(_paragraphs(full, _table(groups, most)) for most in _MANY[:2]),
        *(_paragraphs(brief, _table(short, most)) for most in _MANY[1:]),
    ]


def _limits(section: Section) -> list[str]:
    rows = section.tables.get("limits", [])
    return [_paragraphs(*section.text, _table(rows)), _table(rows), _table(rows, _MANY[-1])]


def _approvals(section: Section) -> list[str]:
    """The newest first: of many decisions the last ones count."""
    rows = [dict(row) | {"at": str(row["at"])[:10]} for row in reversed(section.tables["approvals"])]
    told = _columns(rows, "at", "what", "verdict", "by", "author", "gates_version")
    return [_table(told, most) for most in (*_MANY[:2], 3)]


def _gaming(section: Section) -> list[str]:
    rows = section.tables.get("gaming.figures", [])
    return [_paragraphs(*section.text, _figures(rows, "note")), _figures(rows, "note"), _figures(rows)]


def _features(section: Section) -> list[str]:
    rows = counts_by_category(section.tables["features"])
    features, bare = (sum(row[what] for row in rows) for what in ("features", "without rationale"))
    return [_table(rows), f"{features:,} in {len(rows)} categories, {bare:,} of them without a rationale."]


_BODIES: Final[Mapping[str, Callable[[Section], list[str]]]] = {
    "uses": _uses,
    "data": _data,
    "contract": _contract,
    "price": _price,
    "performance": _performance,
    "fairness": _fairness,
    "limits": _limits,
    "approvals": _approvals,
    "gaming": _gaming,
    "features": _features,
}


def _whole(section: Section, key: str) -> str:
    """Sentences and tables as the card has them, without what is a part of its own."""
    if key in _PARTS_OF:
        return _paragraphs(*(_table(section.tables.get(name, [])) for name in _PARTS_OF[key][2]))
    elsewhere = {name for _, _, names in _PARTS_OF.values() for name in names}
    tables = [_figures(rows) if name.endswith(".figures") and "state" in rows[0] else _table(rows)
              for name, rows in section.tables.items() if rows and name not in elsewhere]  # fmt: skip
    return _paragraphs(*section.text, *tables)


def _figures(rows: Rows, *more: str) -> str:
    """Figures of another report, with their interval and what they rest on."""
    return _table(_columns(rows, "figure", "value", "low", "high", "n", "state", *more))


def _columns(rows: Rows, *names: str) -> list[dict[str, Any]]:
    return [{name: row[name] for name in names if name in row} for row in rows]


def _table(rows: Rows, most: int | None = None) -> str:
    """A table of at most so many lines, and how many more there are."""
    if not rows:
        return ""
    shown = "\n".join(markdown_table(shown_table("", rows[:most])))
    return shown if most is None or len(rows) <= most else f"{shown}\n\nand {len(rows) - most} more."


def _paragraphs(*blocks: str) -> str:
    return "\n\n".join(block if block.startswith("| ") else plain_markdown(block) for block in blocks if block)
