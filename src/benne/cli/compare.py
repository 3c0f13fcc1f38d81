"""``benne compare``: a challenger held against the champion on the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import Steps, answer, answer_json, note, table
from benne.cli.edge import existing_ledger, key_from
from benne.cli.options import KeyFile, Seed, WantJson

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare"]

_STEPS = ("read models, features and outcomes", "score with both", "write")
_SETS = {"swapped_in": "comes in", "swapped_out": "falls out"}


def compare(
    champion: Annotated[Path, typer.Argument(help="Folder of the saved model that serves.")],
    challenger: Annotated[Path, typer.Argument(help="Folder of the saved model that might.")],
    features: Annotated[Path, typer.Argument(help="Parquet of features that neither was trained on.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the page, the document and the pictures.")],
    outcomes: Annotated[
        Path | None, typer.Option("--outcomes", help="Parquet: subject_id (or member_id and a key), as_of, bad.")
    ] = None,
    protected: Annotated[
        Path | None, typer.Option("--protected", help="Parquet or CSV file of protected attributes, to show groups.")
    ] = None,
    cutoff: Annotated[
        list[int] | None, typer.Option("--cutoff", help="Lowest score let in; again for more; by default of each band.")
    ] = None,
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", envvar="BENNE_LEDGER", help="Consent ledger the features were built under."),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who compares, as the document names them.")] = "benne-cli",
    store: Annotated[
        str | None, typer.Option("--store", help="Also file the document: a service's folder, or a database.")
    ] = None,
    seed: Seed = 0,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Hold a challenger against the champion: who would be treated otherwise, what became of them, who moves and why.

    Both models score the same rows under the same consents. Parts of a change of score add up to it exactly.

    \b
    Example:
      benne compare model model-2 training_features.parquet --outcomes world/outcomes.parquet --out comparison
    """
    from benne.experiments.champion_challenger import AboutComparison, compare_models, write_comparison
    from benne.models import CreditScoreModel
    from benne.scoring.decisions.served_model import identity_of
    from benne.scoring.wiring import system_clock

    with Steps(_STEPS) as steps:
        steps.begin(0)
        serving, rival = (CreditScoreModel.load(folder) for folder in (champion, challenger))
        rows, bad = _rows(features, outcomes, ledger, key_file)
        attributes = None if protected is None else _attributes(protected, key_file)
        steps.begin(1)
        found = compare_models(serving, rival, rows, bad, attributes, cutoffs=cutoff or (), seed=seed)
        about = AboutComparison(
            champion=identity_of(champion), challenger=identity_of(challenger), made_at=system_clock(), by=by
        )
        steps.begin(2)
        written = write_comparison(found, out, about)
        if store is not None:
            from benne.cli.filing import file_in_store
            from benne.experiments.champion_challenger import comparison_document

            file_in_store(store, comparison_document(found, about), by)
    if want_json:
        from benne.experiments.champion_challenger import comparison_measures

        measures = {name: one.as_dict() for name, one in comparison_measures(found).items()}
        answer_json({"files": [str(path) for path in written], "rows": found.rows, "measures": measures})
        return
    _tell(found)
    note(f"Look at the comparison: {written[0]}")


def _rows(features: Path, outcomes: Path | None, ledger: str | None, key_file: Path | None) -> tuple[pd.DataFrame, Any]:
    from benne.experiments.fairness.scored_members import outcomes_of
    from benne.experiments.labelling import require_training_consent, still_consented
    from benne.features.frames import read_features, read_observations

    file = require_training_consent(read_features(features))
    rows = file.features[still_consented(file, None if ledger is None else existing_ledger(ledger))]
    if outcomes is None:
        return rows, None
    return rows, outcomes_of(rows, read_observations(outcomes, key_from(key_file)))


def _attributes(place: Path, key_file: Path | None) -> pd.DataFrame:
    from benne.cli.protected import read_attributes

    return read_attributes(place, key_from(key_file))


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
    answer("\nWho would be treated otherwise, at the same score and where as many are let in:")
    table(("cut-off", "challenger's", "", "rows", "share", "became bad"), [
        (f"{line.cutoff:g}", f"{line.challenger_cutoff:g}", _SETS[line.set], *_cells(line))
        for line in found.swaps.itertuples() if line.set in _SETS
    ], left=3)  # fmt: skip
    answer("\nWhat moves scores:")
    table(("part", "mean change", "mean absolute change", "of all movement"),
          [(name, f"{line['mean_change']:+.2f}", f"{line['mean_absolute_change']:.2f}",
            f"{line['share_of_movement']:.1%}") for name, line in found.parts.iterrows()])  # fmt: skip


def _cells(line: Any) -> tuple[str, str, str]:
    known = [None if value != value else value for value in (line.n, line.share, line.bad_rate)]
    forms = ("{:,.0f}", "{:.1%}", "{:.1%}")
    n, share, rate = ("–" if one is None else form.format(one) for one, form in zip(known, forms, strict=True))
    return n, share, rate
