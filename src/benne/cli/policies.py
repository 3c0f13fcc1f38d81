"""``benne policies``: what a deployment allows, and what a changed file changes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note, table
from benne.cli.options import WantJson

if TYPE_CHECKING:
    from benne.scoring.policy import Policies, PurposePolicy

__all__ = ["app"]

app = typer.Typer(help="What a deployment allows: purposes, benefits and recipients.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip


@app.command()
def show(
    file: Annotated[Path | None, typer.Argument(help="File of policies; by default those built in.")] = None,
    toml: Annotated[bool, typer.Option("--toml", help="The file itself, to begin one's own with.")] = False,
    want_json: WantJson = False,
) -> None:
    """Show policies: what may be asked for which purpose, what a good score brings, who may ask what.

    \b
    Example:
      benne policies show policies.toml
    """
    from benne.scoring.policy.policy_file import default_text

    policies = _policies(file)
    if toml:
        answer((default_text() if file is None else file.read_text(encoding="utf-8")).rstrip())
    elif want_json:
        answer_json({"version": policies.version, **policies.content()})
    else:
        _tell(policies)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="File of policies to check.")],
    against: Annotated[
        Path | None, typer.Option("--against", help="File to compare with; by default the built-in policies.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Check a file of policies, and tell what it changes. A file with a mistake ends with exit code 3 and its place.

    \b
    Example:
      benne policies check new.toml --against policies.toml
    """
    from benne.scoring.policy.comparing import differences

    before, after = _policies(against), _policies(file)
    changed = differences(before, after)
    if want_json:
        answer_json({"version": after.version, "compared_with": before.version,
                     "changed": [one._asdict() for one in changed]})  # fmt: skip
        return
    answer(f"{file}: version {after.version}, nothing wrong with it")
    if changed:
        answer(f"Differs in {len(changed)} places from {against or 'the built-in policies'} ({before.version}):")
        table(("place", "before", "after"), [(d.key, _word(d.before), _word(d.after)) for d in changed], left=3)
    else:
        answer(f"Says the same as {against or 'the built-in policies'}.")


def _policies(file: Path | None) -> Policies:
    from benne.scoring.policy import default_policies, read_policies

    return default_policies() if file is None else read_policies(file)


def _tell(policies: Policies) -> None:
    answer(f"Version {policies.version}, jurisdiction {policies.jurisdiction}")
    rows = [_row(policy) for policy in policies.purposes.values() if policy.enabled]
    answer("\nPurposes")
    columns = (
        "purpose",
        "class",
        "contexts",
        "reliance up to",
        "finest",
        "marks",
        "holds",
        "features",
        "kept",
        "review",
    )
    table(columns, rows, left=len(columns))
    if off := [name for name, policy in policies.purposes.items() if not policy.enabled]:
        answer(f"  not served: {', '.join(off)}")
    answer("\nBenefits; everybody else goes the ordinary way")
    benefits = [(b.name, b.purpose, f"{b.threshold or b.band} or better", b.grants) for b in policies.benefits.values()]
    table(("benefit", "purpose", "from", "grants"), benefits, left=4)
    answer("\nRecipients; nobody else is served")
    who = {"*": "* (registered, not named here)"}
    table(
        ("recipient", "purposes"), [(who.get(n, n), _word(sorted(p))) for n, p in policies.recipients.items()], left=2
    )
    if not policies.recipients:
        note("No recipient is named, so every request is denied.")


def _row(policy: PurposePolicy) -> tuple[str, ...]:
    return (
        policy.purpose,
        policy.purpose_class,
        _word(sorted(policy.contexts)),
        policy.reliance,
        policy.granularity,
        _word(policy.marks),
        _hours(policy.answer_valid),
        _hours(policy.vector_age),
        f"{policy.payload_retention.days} d",
        policy.review_route or "-",
    )


def _hours(period: timedelta) -> str:
    return f"{period // timedelta(hours=1)} h"


def _word(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
