"""The manual of the command line, written from the commands themselves.

``python -m benne.cli.manual docs/cli.md`` writes it; a test says when it must be written again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from benne.cli.application import app
from benne.cli.exit_codes import MEANINGS

__all__ = ["manual"]

_OPENING = """\
# The command line

Written by `python -m benne.cli.manual docs/cli.md` from the commands' own help.

Answers go to stdout; progress, hints and complaints go to stderr. With `--json` the answer is one JSON document.
A complaint is one line and never holds a member's data; the tracebacks of `benne --debug …` (or `BENNE_DEBUG=1`) may.
`BENNE_LEDGER`, `BENNE_KEY_FILE` and `BENNE_DATA` stand for `--ledger`, `--key-file` and `--folder`.

| exit code | means |
|---|---|
{codes}

## A platform's way, tried on a simulated one

```console
$ benne simulate world --members 2000 --seed 1
$ benne keys new subject.key
$ benne ingest world/raw events --key-file subject.key
$ benne consent import world/consents.parquet --ledger consents.db --terms world/terms --key-file subject.key
$ benne features build events world/observations.parquet --ledger consents.db --purpose model_training \\
    --recipient platform --key-file subject.key --out training.parquet
$ benne train training.parquet world/outcomes.parquet --ledger consents.db --out model --tracking mlflow \\
    --key-file subject.key
$ benne features build events world/observations.parquet --ledger consents.db --purpose lending \\
    --recipient platform --key-file subject.key --out features.parquet
$ benne score features.parquet --model model --ledger consents.db --purpose lending --recipient platform \\
    --out scores.parquet --refused refused.parquet
$ benne explain features.parquet --model model --ledger consents.db --purpose lending --recipient platform \\
    --key-file subject.key --member m00000003
```

Training, scoring and a member's own report are purposes of their own: features are built for one of them, their file
says for which, and a command that serves another one refuses it.
"""


def manual() -> str:
    """The whole page in Markdown."""
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    sections = [_section(name, command) for name, command in _commands("benne", typer.main.get_command(app))]
    return "\n".join([_OPENING.format(codes=codes), *sections])


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for sub, child in children.items():
        yield from _commands(f"{name} {sub}", child)


def _section(name: str, command: Any) -> str:
    told, _, example = command.help.partition("\b\nExample:\n")
    rows = [row for parameter in command.params if (row := _row(parameter))]
    lines = [f"## {name}", "", told.strip(), "", "```console", _shown(example), "```", ""]
    return "\n".join([*lines, "| argument or option | what it is |", "|---|---|", *rows, ""])


def _shown(example: str) -> str:
    lines = example.rstrip().splitlines()
    return "\n".join(re.sub(r"^  (?=benne)", "$ ", line) for line in lines)


def _row(parameter: Any) -> str:
    if "--help" in parameter.opts:
        return ""
    names = ", ".join(f"`{name}`" for name in parameter.opts)
    default = parameter.default if not callable(parameter.default) else None
    shown = default is not None and default is not False
    note = " (required)" if parameter.required else f" (default: {default})" if shown else ""
    told = parameter.help.replace("<", "&lt;")
    return f"| {names} | {told}{note} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(manual(), encoding="utf-8")
