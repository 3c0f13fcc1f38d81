"""``benne compare``: a challenger held against the champion on the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from benne.cli.audited_rows import consented_rows, outcomes_of_rows, protected_attributes, unseen_by
from benne.cli.console import Steps, answer, table
from benne.cli.filing import answer_written, file_in_store
from benne.cli.options import (
    FileIn,
    HeldOut,
    KeyFile,
    LedgerBehind,
    MadeByYou,
    OutcomesIfKnown,
    OutFolder,
    ProtectedIfWanted,
    ProtectedPurpose,
    Seed,
    WantJson,
)

__all__ = ["compare"]

_STEPS = ("read models, features and outcomes", "score with both", "write")
_SETS = {"swapped_in": "comes in", "swapped_out": "falls out"}


def compare(
    champion: Annotated[Path, typer.Argument(help="Folder of the saved model that serves.")],
    challenger: Annotated[Path, typer.Argument(help="Folder of the saved model that might.")],
    features: Annotated[Path, typer.Argument(help="Parquet of features that neither was trained on.")],
    out: OutFolder,
    outcomes: OutcomesIfKnown = None,
    protected: ProtectedIfWanted = None,
    purpose: ProtectedPurpose = None,
    cutoff: Annotated[
        list[int] | None, typer.Option("--cutoff", help="Lowest score let in; again for more; by default of each band.")
    ] = None,
    ledger: LedgerBehind = None,
    held_out: HeldOut = False,
    by: MadeByYou = "",
    store: FileIn = None,
    seed: Seed = 0,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Hold a challenger against the champion: who would be treated otherwise, what became of them, who moves and why.

    Both models score the same rows under the same consents. With outcomes they must be of members on whom neither was
    trained: --held-out leaves the others out, by the records of both trainings. Parts of a change of score add up to it
    exactly.
    Protected attributes show groups; from their store they are read for a stated purpose, on record there.

    \b
    Example:
      benne compare model model-2 training_features.parquet --held-out --outcomes world/outcomes.parquet \\
        --ledger consents.db --key-file subject.key --out comparison
    """
    from benne.experiments.champion_challenger import (
        AboutComparison,
        compare_models,
        comparison_document,
        comparison_measures,
        write_comparison,
    )
    from benne.models import CreditScoreModel
    from benne.scoring.decisions.served_model import identity_of
    from benne.scoring.wiring import system_clock

    with Steps(_STEPS) as steps:
        steps.begin(0)
        serving, rival = (CreditScoreModel.load(folder) for folder in (champion, challenger))
        rows, known = unseen_by(
            consented_rows(features, ledger), (champion, challenger), held_out=held_out,
            judged=outcomes is not None, filed=store is not None,
        )  # fmt: skip
        bad = None if outcomes is None else outcomes_of_rows(rows, outcomes, key_file)
        members = rows.index.unique("subject_id")
        attributes = None if protected is None else protected_attributes(
            protected, members, by=by, purpose=purpose, key_file=key_file
        )  # fmt: skip
        steps.begin(1)
        found = compare_models(serving, rival, rows, bad, attributes, cutoffs=cutoff or (), seed=seed)
        about = AboutComparison.of(
            challenger, champion=identity_of(champion), made_at=system_clock(), by=by, trained_on=known
        )
        steps.begin(2)
        written = write_comparison(found, out, about)
        file_in_store(store, comparison_document(found, about), by)
    measures = {name: one.as_dict() for name, one in comparison_measures(found).items()}
    answer_written(written, {"rows": found.rows, "measures": measures}, lambda: _tell(found), want_json=want_json)


def _tell(found: Any) -> None:
    answer(f"{found.rows:,} rows of {found.members:,} members; scores change by {found.summary['mean']:+.2f} points in "
           f"the mean, by {found.summary['mean_absolute']:.2f} either way.")  # fmt: skip
    if len(found.figures):
        champion, challenger = found.figures.loc["champion"], found.figures.loc["challenger"]
        table(("", "champion", "challenger", "difference", "95 % interval"), [
            (name, f"{champion[name]:.4f}", f"{challenger[name]:.4f}", f"{champion[f'{name}_difference']:+.4f}",
             f"{champion[f'{name}_difference_low']:+.4f} to {champion[f'{name}_difference_high']:+.4f}")
            for name in ("auc", "ks", "brier", "ece")
        ])  # fmt: skip
    answer("\nWho would be treated otherwise (–: fewer than ten, or what would tell such a number):")
    table(("at", "cut-off", "challenger's", "", "rows", "share", "became bad"), [
        (line.at, f"{line.cutoff:g}", f"{line.challenger_cutoff:g}", _SETS[line.set], *_cells(line))
        for line in found.swaps.itertuples() if line.set in _SETS
    ], left=4)  # fmt: skip
    answer("\nWhat moves scores:")
    table(("part", "mean change", "mean absolute change", "of all movement"),
          [(name, f"{line['mean_change']:+.2f}", f"{line['mean_absolute_change']:.2f}",
            f"{line['share_of_movement']:.1%}") for name, line in found.parts.iterrows()])  # fmt: skip


def _cells(line: Any) -> tuple[str, str, str]:
    known = [None if value != value else value for value in (line.n, line.share, line.bad_rate)]
    forms = ("{:,.0f}", "{:.1%}", "{:.1%}")
    n, share, rate = ("–" if one is None else form.format(one) for one, form in zip(known, forms, strict=True))
    return n, share, rate
