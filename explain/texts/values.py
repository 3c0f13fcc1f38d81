"""A number with its unit, as a person reads it."""

from __future__ import annotations

__all__ = ["value_in_words"]


def value_in_words(value: float, unit: str, shown_unit: str) -> str:
    """A number with its unit.

    Parameters
    ----------
    value : float
        Finite.
    unit : str
        As the registry names it; decides about per cents and amounts.
    shown_unit : str
        The same in the reader's language.

    Examples
    --------
    >>> value_in_words(0.4, "share", "share"), value_in_words(12345.0, "minor units", "minor units")
    ('40%', '123')
    >>> value_in_words(3.0, "days", "天")
    '3 天'
    """
    if unit == "share" or unit.startswith("share of"):
        return f"{value:.0%}"
    if unit == "minor units":
        return f"{value / 100:,.0f}"
    number = f"{value:,.0f}" if abs(value) >= 10 else f"{value:,.2g}"
    # A unit that says a range, such as "strength 1 to 3", would read as part of the number.
    bracketed = any(sign.isdigit() for sign in unit)
    return f"{number} ({shown_unit})" if bracketed else f"{number} {shown_unit}".rstrip()
