"""A number with its unit, as a person reads it."""

from __future__ import annotations

import math

__all__ = ["number_in_words", "value_in_words"]

_MINUS = "\N{MINUS SIGN}"


def value_in_words(value: float, unit: str, shown_unit: str) -> str:
    """A number with its unit.

    Parameters
    ----------
    value : float
        Finite.
    unit : str
        As the registry names it; decides about per cents and amounts.
    shown_unit : str
        The same in the reader's language: what follows the number, or the whole with ``{number}`` in it,
        which is given without its sign where the words say that it is below zero.

    Examples
    --------
    >>> value_in_words(0.4, "share", "share"), value_in_words(12345.0, "minor units", "minor units")
    ('40%', '123')
    >>> value_in_words(3.0, "days", "天"), value_in_words(2.0, "payments in a row", "连续 {number} 笔")
    ('3 天', '连续 2 笔')
    >>> value_in_words(float("nan"), "days", "days")
    Traceback (most recent call last):
    ...
    ValueError: A value must be a finite number, got another. Say what it means that there is none.
    """
    if not math.isfinite(value):
        raise ValueError("A value must be a finite number, got another. Say what it means that there is none.")
    if unit == "share" or unit.startswith("share of"):
        return _per_cent(value)
    if unit == "minor units":
        return _amount(value / 100)
    number = number_in_words(value)
    if "{number}" in shown_unit:
        return shown_unit.replace("{number}", number)
    # A unit that says a range, such as "strength 1 to 3", would read as part of the number.
    bracketed = any(sign.isdigit() for sign in shown_unit)
    return f"{number} ({shown_unit})" if bracketed else f"{number} {shown_unit}".rstrip()


def number_in_words(value: float) -> str:
    """A number with as many digits as a person needs: whole from ten on, else two that count, never an exponent.

    Examples
    --------
    >>> [number_in_words(value) for value in (12345.6, 3.0, 1.26, 0.00001, -2.0)]
    ['12,346', '3', '1.3', '<0.01', '−2']
    """
    if abs(value) >= 9.95:
        return _whole(value)
    rounded = round(value, 1 if abs(value) >= 1 else 2)
    if not rounded and value:
        return "<0.01" if value > 0 else f">{_MINUS}0.01"
    return _signed(f"{abs(rounded):g}", rounded)


def _per_cent(value: float) -> str:
    """Whole per cents; what is nearly nothing or nearly everything does not pass for it."""
    shown = _whole(100 * value)
    if shown in ("0", "100") and not any(math.isclose(value, whole, abs_tol=1e-9) for whole in (0, 1)):
        tenth = f"{100 * value:.1f}"
        shown = {"0.0": "<0.1", "-0.0": f">{_MINUS}0.1", "100.0": ">99.9" if value < 1 else "100"}.get(tenth, tenth)
    return shown.replace("-", _MINUS) + "%"


def _amount(value: float) -> str:
    """Whole units of money; below one, also its hundredths, so that little does not pass for nothing."""
    return _whole(value) if abs(value) >= 1 or not round(value, 2) else _signed(f"{abs(value):.2f}", value)


def _whole(value: float) -> str:
    return _signed(f"{abs(value):,.0f}", value)


def _signed(digits: str, value: float) -> str:
    """Digits with a true minus, but nothing below zero that shows as zero."""
    return f"{_MINUS}{digits}" if value < 0 and digits.strip("0.,") else digits
