"""What compiled code can do, by number."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ADD", "ANY", "BETWEEN", "COUNT", "DAYS_SINCE_FIRST", "DAYS_SINCE_LAST", "DISTINCT", "DIVIDE", "LARGEST",
    "LATEST", "NOT_ONE_OF", "NO_FAR_END", "ONE_OF", "RATIO", "SMALLEST", "SUBTRACT", "TOTAL", "VARIATION",
]  # fmt: skip

# Conditions on a row: low <= cell <= high; the cell's bit in a set; or not so, or not said.
BETWEEN: Final = 0
ONE_OF: Final = 1
NOT_ONE_OF: Final = 2

# Aggregates of rows in a window.
COUNT: Final = 0
ANY: Final = 1
TOTAL: Final = 2
LARGEST: Final = 3
SMALLEST: Final = 4
LATEST: Final = 5
DISTINCT: Final = 6
DAYS_SINCE_LAST: Final = 7
DAYS_SINCE_FIRST: Final = 8

NO_FAR_END: Final = -(2**62)
"""``far`` of a window that reaches back to the beginning."""

# Arithmetic on values: every null makes null.
RATIO: Final = 0
ADD: Final = 1
SUBTRACT: Final = 2
DIVIDE: Final = 3
VARIATION: Final = 4
