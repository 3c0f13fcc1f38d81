"""One currency in one load: amounts are never added up across currencies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import duckdb
import numpy as np

from benne.features.events.layout import Layout
from benne.features.events.refusals import Findings, Place, Refusal, Rule, row_refusals
from benne.features.events.tables import TABLES

__all__ = ["check_currency"]

_RULE: Final = Rule("currency", "be in one currency in one load", "Convert them first.")
_SHOWN: Final = 10

# What is no code at all was refused with its value.
_CODES: Final = """
    select currency, count(*) from {table} where regexp_full_match(currency, '[A-Z]{{3}}') group by 1"""
_OTHERS: Final = """
    select row from {table} where regexp_full_match(currency, '[A-Z]{{3}}') and currency <> ? order by row"""


def check_currency(
    connection: duckdb.DuckDBPyConnection, layouts: Mapping[str, Layout], currency: str | None, findings: Findings
) -> None:
    """Check that all amounts of a load are in one currency.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With a view of each table.
    layouts : mapping of str to Layout
    currency : str, optional
        The one that is expected; by default the one most rows name.
    findings : Findings

    Raises
    ------
    EventValueError
        If there is another one.
    """
    codes = {
        name: _codes(connection, name) for name in layouts if any(c.name == "currency" for c in TABLES[name].columns)
    }
    counted: Counter[str] = sum(codes.values(), Counter())
    found = sorted(set(counted) | ({currency} if currency else set()))
    if len(found) < 2:
        return
    expected = currency or max(found, key=lambda code: counted[code])
    refused: list[Refusal] = []
    for name, there in codes.items():
        if set(there) - {expected}:
            rows = connection.execute(_OTHERS.format(table=name), [expected]).fetchnumpy()["row"]
            by_file = layouts[name].by_file(np.asarray(rows, dtype=np.int64))
            refused += row_refusals(_RULE, Place(name), by_file, _said(found, expected, codes))
    findings.add([replace(refusal, subject="Amounts") for refusal in refused])


def _codes(connection: duckdb.DuckDBPyConnection, name: str) -> Counter[str]:
    return Counter(dict(connection.execute(_CODES.format(table=name)).fetchall()))


def _said(found: list[str], expected: str, codes: Mapping[str, Counter[str]]) -> str:
    others = [code for code in found if code != expected][:_SHOWN]
    where = "; ".join(
        f"{code} in {', '.join(name for name, there in codes.items() if code in there)}" for code in others
    )
    return f"{', '.join(found[:_SHOWN])} ({where})"
