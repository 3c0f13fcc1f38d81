"""``benne gaming``: how far a model's scores can be pushed by members who stay what they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.audited_rows import consented_rows, unseen_by
from benne.cli.console import Steps, answer, table
from benne.cli.edge import key_from
from benne.cli.filing import answer_written, file_in_store
from benne.cli.options import (
    FileIn,
    HeldOut,
    KeyFile,
    LedgerBehind,
    MadeByYou,
    OutcomesIfKnown,
    OutFolder,
    SavedModel,
    Seed,
    WantJson,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

__all__ = ["gaming"]

_ALONE = {"points": ".1f", "pd_fall": ".2%", "actual_to_predicted": ".2f", "auc_lost": "+.4f"}
_STEPS = ("read model, features and outcomes", "attack", "scale spending", "write the report")


def gaming(
    model: SavedModel,
    features: Annotated[Path, typer.Argument(help="Features of members it was not trained on.")],
    out: OutFolder,
    outcomes: OutcomesIfKnown = None,
    ledger: LedgerBehind = None,
    held_out: HeldOut = False,
    events: Annotated[
        Path | None, typer.Option("--events", help="Folder of `benne ingest`: scale what members spend. The gate asks.")
    ] = None,
    known_pd: Annotated[
        Path | None,
        typer.Option(
            "--known-pd", help="Parquet: subject_id (or member_id and a key), as_of, pd, as a simulator knows it."
        ),
    ] = None,
    costs: Annotated[
        Path | None, typer.Option("--costs", help="Your own table of what moves cost (TOML); by default Benne's.")
    ] = None,
    members: Annotated[int, typer.Option("--members", min=100, help="Members attacked at most, drawn by seed.")] = 1000,
    store: FileIn = None,
    by: MadeByYou = "",
    seed: Seed = 0,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Attack a model's scores: cheap moves, bursts, collusion, withholding, and spending more on the platform.

    Members push features at a declared cost and are scored again by the model itself. With outcomes, it is said what
    that does to ranks; with events, members' spending is scaled up and no score may rise. Members must be others than
    it was trained on: --held-out leaves those out, by the record of its training.

    \b
    Example:
      benne gaming model training_features.parquet --held-out --outcomes world/outcomes.parquet --ledger consents.db \\
        --events events --key-file subject.key --out gaming
    """
    from benne.experiments.gaming import CostTable, GamingOptions, spending_test, stress_test, with_spending
    from benne.experiments.gaming.document import gaming_document, write_gaming_report
    from benne.experiments.report.model_document import AboutDocument
    from benne.features import Events
    from benne.models import CreditScoreModel
    from benne.scoring.wiring import system_clock

    with Steps(list(_STEPS)) as steps:
        steps.begin(0)
        opened = CreditScoreModel.load(model)
        options = GamingOptions(costs=CostTable.default() if costs is None else CostTable.read(costs), members=members)
        frame, known = unseen_by(consented_rows(features, ledger), [model], held_out=held_out, filed=store is not None)
        bad = None if outcomes is None else _column(outcomes, "bad", frame, key_file)
        true = None if known_pd is None else _column(known_pd, "pd", frame, key_file)
        kept = _known(frame, bad, true)
        frame, bad, true = frame[kept], None if bad is None else bad[kept], None if true is None else true[kept]
        steps.begin(1)
        report = stress_test(opened, frame, bad, known_pd=true, options=options, seed=seed)
        if events is not None:
            steps.begin(2)
            # The consent columns of the features say what may be computed for whom.
            report = with_spending(report, spending_test(opened, Events.open(events), frame, seed=seed))
        steps.begin(3)
        about = AboutDocument.of(model, made_at=system_clock(), by=by, trained_on=known)
        paths = write_gaming_report(report, out, about)
        document = gaming_document(report, about)
    file_in_store(store, document, by)
    answer_written(paths, document, lambda: _tell(document), want_json=want_json)


def _column(path: Path, name: str, features: pd.DataFrame, key_file: Path | None) -> Floats:
    """A column of another file for each row, NaN where it says nothing."""
    from benne.errors import LabelError
    from benne.features.frames import read_observations

    found = read_observations(path, key_from(key_file)).set_index(["subject_id", "as_of"])
    if name not in found.columns or found.index.has_duplicates:
        raise LabelError(f"{path} must have subject_id, as_of and {name}, one row an observation. Correct the file.")
    values: Floats = found[name].reindex(features.index).to_numpy(dtype=float, na_value=float("nan"))
    return values


def _known(features: pd.DataFrame, *columns: Floats | None) -> npt.NDArray[np.bool_]:
    """Rows of which everything that was given is known."""
    import numpy as np

    from benne.errors import LabelError

    kept = np.ones(len(features), dtype=bool)
    for column in columns:
        kept &= True if column is None else ~np.isnan(column)
    if not kept.any():
        raise LabelError("Outcomes must be of the features' observations, got none of them. Check ids and as_of.")
    return kept


def _tell(document: dict[str, Any]) -> None:
    answer(f"{document['model']['model_id']}: {document['rows']:,} members attacked")
    for line in document["notes"]:
        answer(line)
    answer()
    attacks = [
        (one["attack"], f"{one['mean']:.1f}", f"{one['p90']:.1f}", f"{one['max']:.1f}", f"{one['effort']:.1f}")
        for one in document["tables"]["attacks"]
    ]
    if attacks:
        table(("attack", "points, mean", "one in ten wins", "most", "effort"), attacks)
        answer()
        _tell_categories(document)
    rows = [
        (name, _fixed(one["value"], ".4f"), one["state"], one["note"]) for name, one in document["measures"].items()
    ]
    table(("figure", "value", "state", "note"), rows, left=4)


def _tell_categories(document: dict[str, Any]) -> None:
    """What each category's moves do alone, in the first attack that was tried."""
    first = document["tables"]["attacks"][0]["attack"]
    lines = [
        (one["category"], *(_fixed(one[name], form) for name, form in _ALONE.items()))
        for one in document["tables"]["categories"]
        if one["attack"] == first
    ]
    answer(f"Moves of the attack {first!r}, those of each category alone:")
    table(("category", "points, mean", "mean PD falls by", "actual over predicted", "AUC lost"), lines)
    answer()


def _fixed(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
