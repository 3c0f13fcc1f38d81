"""``benne categories``: does each category earn its weight?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note, progress_bar, table
from benne.cli.edge import existing_ledger, key_from
from benne.cli.options import KeyFile, Seed, WantJson

if TYPE_CHECKING:
    import pandas as pd

    from benne.experiments.category_value import CategoryValueReport
    from benne.experiments.training import TrainingSplit

__all__ = ["categories", "tell_worth"]


def categories(
    model: Annotated[Path, typer.Argument(help="Folder of a saved model.")],
    features: Annotated[Path, typer.Argument(help="Features it was trained on: `benne train`'s, same seed and split.")],
    outcomes: Annotated[
        Path, typer.Option("--outcomes", help="Parquet: subject_id (or member_id and a key), as_of, bad.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the page and the document.")],
    by: Annotated[str, typer.Option("--by", help="Who asks.")],
    protected: Annotated[
        Path | None,
        typer.Option("--protected", help="Store of protected attributes, or a file: disparity with and without."),
    ] = None,
    purpose: Annotated[
        str | None, typer.Option("--purpose", help="What the attributes are read for: fairness_audit:2026-q4.")
    ] = None,
    free: Annotated[
        bool, typer.Option("--free/--no-free", help="Also where weights are free; twice as many fits.")
    ] = True,
    test_share: Annotated[float, typer.Option(min=0.05, max=0.95, help="As `benne train` was told.")] = 0.3,
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", envvar="BENNE_LEDGER", help="Consent ledger the features were built under."),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", help="Also file the document: a service's folder, or a database.")
    ] = None,
    seed: Seed = 0,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Fit the model again without each category, and say whether each earns its weight, in accuracy and in fairness.

    Measured on the members whom `benne train` held out. Also says what it costs members to withhold a category.

    \b
    Example:
      benne categories model training_features.parquet --outcomes world/outcomes.parquet --by anna --out worth
    """
    from benne.experiments.category_value import ValueOptions, category_value
    from benne.experiments.category_value.document import as_document, write_category_value
    from benne.experiments.fairness import FairnessOptions
    from benne.models import CreditScoreModel
    from benne.scoring.decisions.served_model import identity_of
    from benne.scoring.wiring import system_clock

    loaded = CreditScoreModel.load(model)
    split = _split(features, outcomes, ledger, key_file, test_share, seed)
    attributes = None if protected is None else _attributes(protected, by, purpose, key_file, split.test.features)
    with progress_bar("fitting without each category") as update:
        report = category_value(
            split, loaded, protected=attributes, options=ValueOptions(free=free, seed=seed),
            fairness=FairnessOptions(), on_fit=update,
        )  # fmt: skip
    document = as_document(
        report, identity=identity_of(model), made_at=system_clock(), by=by, notices=_notices(outcomes)
    )
    paths = write_category_value(report, document, out)
    if store is not None:
        from benne.cli.filing import file_in_store

        file_in_store(store, document, by)
    if want_json:
        answer_json({"files": [str(path) for path in paths], **document})
        return
    tell_worth(report)
    note(f"Look at it: {paths[0]}")


def tell_worth(report: CategoryValueReport) -> None:
    """The verdicts, one line each, and by which figures."""
    rows = [(one.category, f"{one.weight:.2%}", f"{one.rows:,}", f"{one.bad:,}", one.verdict.words)
            for one in report.values]  # fmt: skip
    table(("category", "weight", "rows", "bad", "verdict"), rows, left=1)
    answer()
    for one in report.values:
        answer(f"{one.category}: {one.verdict.why}")


def _split(
    features: Path, outcomes: Path, ledger: str | None, key_file: Path | None, test_share: float, seed: int
) -> TrainingSplit:
    from benne.experiments.labelling import label_rows, require_training_consent, still_consented
    from benne.experiments.splitting import Splitting
    from benne.experiments.training import split_labelled
    from benne.features.frames import read_features, read_observations

    file = require_training_consent(read_features(features))
    stands = still_consented(file, None if ledger is None else existing_ledger(ledger))
    rows = label_rows(file.features, read_observations(outcomes, key_from(key_file)), stands=stands)
    return split_labelled(rows, Splitting("auto", test_share, seed))


def _notices(outcomes: Path) -> list[str]:
    from benne.experiments.simulator import NOTICE, is_simulation

    return [NOTICE] if is_simulation(outcomes.parent) else []


def _attributes(place: Path, by: str, purpose: str | None, key_file: Path | None, rows: pd.DataFrame) -> Any:
    """From their own store, on record there, or from a file."""
    if not place.is_dir():
        from benne.cli.protected import read_attributes

        return read_attributes(place, key_from(key_file))
    from benne.scoring.decisions.request import Actor
    from benne.scoring.protected import opened_protected

    subjects = set(rows.index.get_level_values("subject_id"))
    with opened_protected(place) as store:
        names = list(store.declared.legal_basis)
        return store.read(names, actor=Actor(by, "compliance"), purpose=purpose or "", subject_ids=subjects)
