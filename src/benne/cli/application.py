"""The command line put together: its commands, and what becomes of what goes wrong."""

from __future__ import annotations

import os
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from benne.cli import consent, data, demo, explain, features, ingest, keys, score, simulate, train
from benne.cli.console import answer, note
from benne.cli.exit_codes import BAD_INPUT, MEANINGS, UNEXPECTED, exit_code_of
from benne.errors import BenneError

__all__ = ["app", "main"]

_EXIT_CODES = "\n".join(f"  {code}  {meaning}" for code, meaning in MEANINGS.items())
_HELP = f"""Consented, explained credit scores from 350 to 950.

The way of the data: keys new, ingest, consent import or grant, features build, train, score, explain.
`benne demo` goes that way on simulated members.

\b
Exit codes:
{_EXIT_CODES}
"""


class _Commands(TyperGroup):
    """Turns errors into one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        if _wants_traceback(ctx):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except BenneError as error:
            note(f"benne: {error}")
            code = exit_code_of(type(error))
        except ModuleNotFoundError as error:
            note(f"benne: this command needs the package {error.name}. Install it: pip install 'benne[train,report]'")
            code = BAD_INPUT
        except OSError as error:
            note(f"benne: {error.filename or 'a file'}: {error.strerror or type(error).__name__}")
            code = BAD_INPUT
        except (RuntimeError, KeyboardInterrupt) as error:
            if not _is_surprise(error):
                raise
            code = _unexpected(error)
        except Exception as error:  # noqa: BLE001 - the one place behind which nobody catches anything
            code = _unexpected(error)
        raise typer.Exit(code)


def _wants_traceback(ctx: Any) -> bool:
    return bool(ctx.params.get("debug"))


app = typer.Typer(
    name="benne",
    cls=_Commands,
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)
