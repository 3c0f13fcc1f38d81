"""Rows as a Markdown table, and a figure with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from benne.experiments.datasets.discrimination import Interval

__all__ = ["markdown_table", "with_interval"]


def with_interval(figure: Interval, sign: str = "") -> str:
    """A value to four decimals, and its interval in brackets.

    Examples
    --------
    >>> with_interval((0.01234, -0.5, 0.5), sign="+")
    '+0.0123 [-0.5000, +0.5000]'
    """
    value, low, high = figure
    return f"{value:{sign}.4f} [{low:{sign}.4f}, {high:{sign}.4f}]"


def markdown_table(rows: Sequence[dict[str, str]]) -> str:
    """A table with the keys of the first row as its head; nothing for no rows.

    Examples
    --------
    >>> print(markdown_table([{"set": "berka", "bad": "30"}]))
    | set | bad |
    |---|---|
    | berka | 30 |
    <BLANKLINE>
    """
    if not rows:
        return ""
    lines = ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
    lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
    return "\n".join(lines) + "\n"
