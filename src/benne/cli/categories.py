"""``benne categories``: does each category earn its weight?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.audited_rows import labelled_rows, protected_attributes, record_of
from benne.cli.console import answer, progress_bar, table
from benne.cli.filing import answer_written, file_in_store
from benne.cli.options import (
    FileIn,
    KeyFile,
    LedgerBehind,
    MadeBy,
    OutcomesFile,
    OutFolder,
    ProtectedIfWanted,
    ProtectedPurpose,
    SavedModel,
    Seed,
    WantJson,
)

if TYPE_CHECKING:
    from benne.experiments.category_value import CategoryValueReport

__all__ = ["categories", "tell_worth"]


def categories(
    model: SavedModel,
    features: Annotated[Path, typer.Argument(help="Features it was trained on, as `benne train` had them.")],
    outcomes: OutcomesFile,
    out: OutFolder,
    by: MadeBy,
    protected: ProtectedIfWanted = None,
    purpose: ProtectedPurpose = None,
    free: Annotated[
        bool, typer.Option("--free/--no-free", help="Also where weights are free; twice as many fits.")
    ] = True,
    ledger: LedgerBehind = None,
    store: FileIn = None,
    seed: Seed = 0,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Fit the model again without each category, and say whether each earns its weight, in accuracy and in fairness.

    Measured on the members whom its training held out, by the record of it. Also says what it costs members to withhold
    a category.

    \b
    Example:
      benne categories model training_features.parquet --outcomes world/outcomes.parquet --by anna --out worth
    """
    from benne.experiments.category_value import ValueOptions, category_value
    from benne.experiments.category_value.document import categories_document, write_category_value
    from benne.experiments.fairness import FairnessOptions
    from benne.experiments.report.model_document import AboutDocument
    from benne.experiments.unseen_rows import split_as_trained
    from benne.models import CreditScoreModel
    from benne.scoring.wiring import system_clock

    loaded = CreditScoreModel.load(model)
    rows = labelled_rows(features, outcomes, ledger, key_file)
    split = split_as_trained(rows, record_of(model))
    subjects = split.test.features.index.unique("subject_id")
    attributes = None if protected is None else protected_attributes(
        protected, subjects, by=by, purpose=purpose, key_file=key_file
    )  # fmt: skip
    with progress_bar("fitting without each category") as update:
        report = category_value(
            split, loaded, protected=attributes, options=ValueOptions(free=free, seed=seed),
            fairness=FairnessOptions(), on_fit=update,
        )  # fmt: skip
    about = AboutDocument.of(model, made_at=system_clock(), by=by)
    document = categories_document(report, about, notices=_notices(outcomes))
    paths = write_category_value(report, document, out)
    file_in_store(store, document, by)
    answer_written(paths, document, lambda: tell_worth(report), want_json=want_json)


def tell_worth(report: CategoryValueReport) -> None:
    """The verdicts, one line each, and by which figures."""
    rows = [(one.category, f"{one.weight:.2%}", f"{one.rows:,}", f"{one.bad:,}", one.verdict.words)
            for one in report.values]  # fmt: skip
    table(("category", "weight", "rows", "bad", "verdict"), rows, left=1)
    answer()
    for one in report.values:
        answer(f"{one.category}: {one.verdict.why}")


def _notices(outcomes: Path) -> list[str]:
    from benne.experiments.simulator import NOTICE, is_simulation

    return [NOTICE] if is_simulation(outcomes.parent) else []
