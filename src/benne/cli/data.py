"""``benne data``: public data sets, where they come from, and what the model does on them."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note, progress_bar
from benne.cli.options import WantJson

if TYPE_CHECKING:
    from benne.experiments.datasets.ablation import Ablation
    from benne.experiments.datasets.results import Comparison

__all__ = ["app"]

app = typer.Typer(
    help="Public data sets: where to get them, and the model's figures on them.",
    invoke_without_command=True, rich_markup_mode=None,
)  # fmt: skip

Folder = Annotated[
    Path | None, typer.Option("--folder", envvar="BENNE_DATA", help="Where the originals lie; else ../shared/data.")
]


@app.callback()
def data(context: typer.Context) -> None:
    """Public data sets: where to get them, and the model's figures on them."""
    if context.invoked_subcommand is None:
        list_()


@app.command(name="list")
def list_(folder: Folder = None, want_json: WantJson = False) -> None:
    """Say of each set what it is, where to download it, and whether it is found and is the known original.

    \b
    Example:
      benne data list --folder downloads
    """
    from benne.errors import DatasetError
    from benne.experiments.datasets import CATALOGUE, load

    found: list[dict[str, Any]] = []
    with progress_bar("checking the originals", len(CATALOGUE)) as update:
        for name, (about, _) in CATALOGUE.items():
            facts = {"name": name, "title": about.title, "licence": about.licence, "download": about.download}
            try:
                dataset = load(name, folder)
                found.append(facts | {"found": True, "members": len(dataset.labels), "files": dict(dataset.files)})
            except DatasetError as error:
                found.append(facts | {"found": False, "why": str(error)})
            update(len(found), None)
    if want_json:
        answer_json(found)
        return
    for one in found:
        state = f"found, checksums known, {one['members']:,} members" if one["found"] else f"not usable: {one['why']}"
        answer(
            f"{one['name']}: {one['title']}\n  licence: {one['licence']}\n  download: {one['download']}\n  {state}\n"
        )
    if any(one["found"] for one in found):
        note("Next: benne data results")


@app.command()
def results(
    names: Annotated[list[str] | None, typer.Argument(help="Sets, by name; by default all.")] = None,
    folder: Folder = None,
    want_json: WantJson = False,
) -> None:
    """Train and hold out on each set, through Benne's own event tables, with plain LightGBM beside.

    \b
    Example:
      benne data results taiwan
    """
    from benne.experiments.datasets import CATALOGUE
    from benne.experiments.datasets.results import results as run
    from benne.experiments.datasets.results_table import render_results, results_table, shares_table
    from benne.features import SubjectKey
    from benne.scoring.wiring import system_clock

    # The key changes ids, not figures, and nothing made with it is kept.
    key, chosen = SubjectKey(secrets.token_bytes(32)), names or list(CATALOGUE)
    compared: list[Comparison] = []
    with progress_bar("training on real data", len(chosen)) as update:
        for name in chosen:
            compared += run([name], folder, key=key, ingested_at=system_clock())
            update(len(compared), None)
    if want_json:
        answer_json({
            "sets": results_table(compared).reset_index().to_dict("records"),
            "shares": shares_table(compared).reset_index().to_dict("records"),
        })  # fmt: skip
        return
    answer(render_results(compared))


@app.command()
def categories(
    name: Annotated[str, typer.Argument(help="A set, or simulated.")],
    folder: Folder = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the page and the document.")] = None,
    want_json: WantJson = False,
) -> None:
    """Say whether each category earns its weight on a public set: accuracy, calibration, disparity with and without.

    simulated stands for 20,000 simulated members, the only ones with all five categories: no evidence about people.

    \b
    Example:
      benne data categories taiwan --out worth
    """
    from benne.cli.categories import tell_worth
    from benne.experiments.category_value.document import write_category_value
    from benne.experiments.category_value.public_sets import category_value_of, document_of
    from benne.features import SubjectKey
    from benne.scoring.wiring import system_clock

    now = system_clock()
    with progress_bar(f"fitting on {name}") as update:
        found = category_value_of(name, folder, key=SubjectKey(secrets.token_bytes(32)), ingested_at=now, on_fit=update)
    document = document_of(name, found, now)
    paths = [] if out is None else write_category_value(found, document, out)
    if want_json:
        answer_json({"files": [str(path) for path in paths], **document})
        return
    tell_worth(found)
    for path in paths[:1]:
        note(f"Look at it: {path}")


@app.command()
def ablation(
    names: Annotated[
        list[str] | None, typer.Argument(help="Sets, by name, or simulated; by default all and simulated.")
    ] = None,
    folder: Folder = None,
    want_json: WantJson = False,
) -> None:
    """Train on each category alone and on all but each, held out as for results: what does a category add?

    simulated stands for 20,000 simulated members, the only ones with all five categories: no evidence about people.

    \b
    Example:
      benne data ablation taiwan
    """
    from benne.experiments.datasets import CATALOGUE
    from benne.experiments.datasets.ablation import ablate, trial_named
    from benne.experiments.datasets.ablation_table import ablation_notes, ablation_table, render_ablation
    from benne.experiments.datasets.simulated import SIMULATED
    from benne.features import SubjectKey
    from benne.scoring.wiring import system_clock

    key = SubjectKey(secrets.token_bytes(32))
    ablated: list[Ablation] = []
    for name in names or [*CATALOGUE, SIMULATED]:
        with progress_bar(f"training on {name}") as update:
            trial = trial_named(name, folder, key=key, ingested_at=system_clock())
            ablated.append(ablate(trial, update))
    if want_json:
        rows = ablation_table(ablated).astype(object)
        answer_json({
            "categories": rows.where(rows.notna(), None).to_dict("records"),
            "notes": ablation_notes(ablated),
        })  # fmt: skip
        return
    answer(render_ablation(ablated))
