"""The command line put together: its commands, and what becomes of what goes wrong."""

from __future__ import annotations

from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from benne.cli import (
    apikeys,
    audit,
    card,
    categories,
    compare,
    consent,
    data,
    demo,
    disclosures,
    duties,
    erase,
    explain,
    fairness,
    features,
    gaming,
    gates,
    hold,
    ingest,
    interchange,
    keyring,
    keys,
    models,
    monitor,
    policies,
    promote,
    proofs,
    protected,
    recipients,
    rollout,
    score,
    serve,
    service,
    simulate,
    store,
    template,
    train,
    validate,
    velocity,
)
from benne.cli.console import answer, note
from benne.cli.exit_codes import BAD_INPUT, MEANINGS, UNEXPECTED, USAGE, exit_code_of
from benne.cli.usage import usage_complaint
from benne.errors import BenneError

__all__ = ["app", "main"]

_HELP = """Consented, explained credit scores from 350 to 950.

\b
The way of the data:
  keys new, ingest         raw event tables become keyed, validated events
  consent                  who lets what be computed, for which purpose and recipient
  features build           what is known about a member at a moment
  store                    events in a database, for one member's features at once
  train, score, explain    a model, scores, and what a score is made of
  gates, validate          what a model must have shown, and whether it has
  promote, rollback        which model serves, on record
  models                   versions of the model in MLflow
  rollout, compare         a challenger beside the champion: in its shadow, for a share of members, on paper
  policies                 what may be asked, for which purpose
  recipients, apikey       who may ask
  proofs                   what a member may show to others
  service, serve           scores over HTTP
  duties, disclosures      what members are owed by when, and what laws compelled
  monitor                  whether scores stay what they were: shifts, broken sources, what became of them
  fairness, protected      what a model does to groups, and the attributes that only an audit reads
  categories               whether each category earns its weight
  card, template           what must be known of a model; projects to begin your own with
  gaming                   how far scores can be pushed by members who stay what they are
  velocity                 who moved cheap features faster than honest members do, for a person to look at
  keyring, erase, hold     what members' records are encrypted with, forgetting them, and what the law keeps
`benne demo` goes this way on simulated members, `benne data` on public data sets.

\b
Exit codes:
"""


_OF_THE_SERVICE: Final = frozenset(
    ("cryptography", "fastapi", "httptools", "httpx2", "joserfc", "prometheus_client", "pydantic", "pydantic_settings",
     "starlette", "uvicorn", "uvloop")
)  # fmt: skip
"""Packages that only the service and its client need."""


class _Commands(TyperGroup):
    """Turns errors into one line on stderr and an exit code."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read the options before the command's name."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except Exception as error:
            complaint = usage_complaint(error, "benne")
            if complaint is None:
                raise
        raise _exit(complaint, USAGE)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            complaint = usage_complaint(error, f"{ctx.command_path} {ctx.invoked_subcommand}")
            if complaint is None and (_is_the_frameworks_own(error) or ctx.params.get("debug")):
                raise
            text, code = _complaint(error) if complaint is None else (complaint, USAGE)
        raise _exit(text, code)


def _exit(text: str, code: int) -> typer.Exit:
    note(f"benne: {text}")
    return typer.Exit(code)


def _is_the_frameworks_own(error: Exception) -> bool:
    """Help, exits and closed pipes, which Typer answers itself."""
    return isinstance(error, typer.Abort | BrokenPipeError) or hasattr(error, "exit_code")


def _complaint(error: Exception) -> tuple[str, int]:
    """One line without a member's data, and the exit code."""
    if isinstance(error, BenneError):
        return " ".join(str(error).split()), exit_code_of(type(error))
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        extras = "service,client" if package in _OF_THE_SERVICE else "train,report"
        return f"this command needs the package {package}. Install it: pip install 'benne[{extras}]'", BAD_INPUT
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or type(error).__name__}", BAD_INPUT
    # The text of a foreign error may quote the row it stumbled over.
    where = "Run again as `benne --debug …` to see where, and report it."
    return f"something unexpected happened ({type(error).__name__}). {where}", UNEXPECTED


app = typer.Typer(
    name="benne",
    cls=_Commands,
    help=_HELP + "\n".join(f"  {code}  {meaning}" for code, meaning in MEANINGS.items()),
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"max_content_width": 110},
    pretty_exceptions_enable=False,
)
app.command()(simulate.simulate)
app.add_typer(keys.app, name="keys")
app.command()(ingest.ingest)
app.add_typer(interchange.app, name="interchange")
app.add_typer(consent.app, name="consent")
app.add_typer(audit.app, name="audit")
app.add_typer(policies.app, name="policies")
app.add_typer(recipients.app, name="recipients")
app.add_typer(apikeys.app, name="apikey")
app.add_typer(proofs.app, name="proofs")
app.add_typer(keyring.app, name="keyring")
app.command()(erase.erase)
app.add_typer(hold.app, name="hold")
app.add_typer(features.app, name="features")
app.add_typer(store.app, name="store")
app.command()(train.train)
app.add_typer(gates.app, name="gates")
app.command()(validate.validate)
app.command()(promote.promote)
app.command()(promote.rollback)
app.add_typer(models.app, name="models")
app.command()(card.card)
app.command()(categories.categories)
app.command()(score.score)
app.command()(explain.explain)
app.command()(fairness.fairness)
app.command()(monitor.monitor)
app.command()(gaming.gaming)
app.add_typer(velocity.app, name="velocity")
app.add_typer(protected.app, name="protected")
app.add_typer(service.app, name="service")
app.command()(compare.compare)
app.add_typer(rollout.app, name="rollout")
app.add_typer(duties.app, name="duties")
app.add_typer(disclosures.app, name="disclosures")
app.command()(serve.serve)
app.add_typer(data.app, name="data")
app.add_typer(template.app, name="template")
app.command()(demo.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        answer(f"benne {version('benne')}")
        raise typer.Exit


@app.callback()
def benne(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="BENNE_DEBUG", help="Show tracebacks; they may hold members' data.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which Benne this is.")
    ] = False,
) -> None:
    """The help is the application's own."""


def main() -> NoReturn:
    """Run the command line."""
    app(prog_name="benne")
    raise SystemExit
