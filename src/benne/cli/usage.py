"""A command that was not written as its help says: what must be what, got what, and where to read on."""

from __future__ import annotations

import re
from typing import Any, Final

import typer

from benne.cli.exit_codes import USAGE

__all__ = ["usage_complaint"]

# Typer checks numbers with pydantic or, before 0.29, by itself: its own words follow its version, ours do not.
_MUST: Final = {
    "greater_than_equal": "be at least {ge:g}",
    "less_than_equal": "be at most {le:g}",
    "int_parsing": "be a whole number",
    "float_parsing": "be a number",
}
_FORMS: Final = (
    (re.compile(r"(?:Value error, )?(?P<got>.+) is not one of (?P<must>.+?)\.?"), "be one of {must}"),
    (re.compile(r"(?P<got>.+) is not in the range (?P<must>.+)\."), "be in the range {must}"),
    (re.compile(r"(?P<got>.+) is not a valid int\w*(?: range)?\.(?P<must>)"), "be a whole number"),
    (re.compile(r"(?P<got>.+) is not a valid float(?: range)?\.(?P<must>)"), "be a number"),
)


def usage_complaint(error: Exception, command: str) -> str | None:
    """One line about a usage error; None where the error is none, or is the help that was missing.

    Parameters
    ----------
    error : Exception
    command : str
        What was called, for errors that do not say it.
    """
    asked_for_help = type(error).__name__ == "NoArgsIsHelpError"  # its text is the whole help
    if asked_for_help or getattr(error, "exit_code", None) != USAGE or not hasattr(error, "format_message"):
        return None
    context: Any = getattr(error, "ctx", None)
    told = " ".join(_told(error, context).split()).rstrip(".")
    end = "" if told.endswith("?") else "."
    return f"{told}{end} See: {context.command_path if context is not None else command} --help"


def _told(error: Any, context: Any) -> str:
    parameter = getattr(error, "param", None)
    if parameter is None and isinstance(error, typer.BadParameter):
        return str(error.message)  # said by a command of ours
    if parameter is None:
        return _about_the_line(error, context)
    name = max(parameter.opts, key=len)
    if type(error) is not typer.BadParameter:  # missing
        instead = f", or {parameter.envvar} set" if parameter.envvar else ""
        return f"{name} must be given{instead}, got nothing"
    must, got = _must_and_got(error)
    return f"{name} must {must}, got {got}"


def _about_the_line(error: Any, context: Any) -> str:
    """Of an option or command that is not there, or of words too many, which may be anything and are not repeated."""
    if alike := getattr(error, "possibilities", None):
        return f"No such option: {error.option_name}. Did you mean {' or '.join(sorted(alike))}?"
    text = str(error.format_message())
    if context is None or not text.startswith("Got unexpected extra argument"):
        return text
    taken = [p.name for p in context.command.params if p.param_type_name == "argument"]
    return (
        f"{context.command_path} takes {' and '.join(taken) or 'options only'}, got more words. "
        "Put a value with spaces in quotes"
    )


def _must_and_got(error: Any) -> tuple[str, str]:
    errors = getattr(error.__cause__, "errors", None)
    first: dict[str, Any] = errors()[0] if errors is not None else {}
    if first.get("type") in _MUST:
        return _MUST[first["type"]].format(**first.get("ctx", {})), repr(first["input"])
    for form, must in _FORMS:
        if said := form.fullmatch(first.get("msg", error.message)):
            return must.format(must=said["must"].replace("'", "")), said["got"]
    return "be as its help says", repr(first["input"]) if "input" in first else "something else"
