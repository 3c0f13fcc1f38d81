"""``benne score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benne.cli.console import answer, answer_json, table
from benne.cli.edge import existing_ledger
from benne.cli.options import Actor, FeaturesFile, LedgerAddress, ModelFolder, PurposeOption, RecipientOption, WantJson

__all__ = ["score"]


def score(
    features: FeaturesFile,
    model: ModelFolder,
    ledger: LedgerAddress,
    purpose: PurposeOption,
    recipient: RecipientOption,
    out: Annotated[Path, typer.Option("--out", help="Parquet file of scores to write; replaced if it is there.")],
    refused: Annotated[
        Path | None, typer.Option(help="Also write who has no score, and why, to this Parquet file.")
    ] = None,
    actor: Actor = "benne-cli",
    want_json: WantJson = False,
) -> None:
    """Score the members who consent. The ledger records every answer, refusals too.

    The file holds no more than each member lets the recipient have: all of it, or the band alone.
    If nobody consents there is no file, and the exit code is 4.

    \b
    Example:
      benne score features.parquet --model model --ledger consents.db --purpose lending \\
        --recipient platform --out scores.parquet
    """
    from benne.features.frames import read_features, write_table
    from benne.models import CreditScoreModel
    from benne.scoring.batch import Asked, score_frame

    file = read_features(features)
    if file.provenance is not None:
        file.provenance.require(purpose.value, recipient)
    loaded, book = CreditScoreModel.load(model), existing_ledger(ledger)
    result = score_frame(file.features, loaded, book, Asked(purpose.value, recipient, actor))
    permitted = result.as_permitted()
    write_table(permitted.reset_index(), out)
    if refused is not None:
        write_table(result.refused, refused)
    bands = {str(band): int(count) for band, count in permitted["band"].value_counts().items()}
    if want_json:
        answer_json({"path": str(out), "scored": len(permitted), "refused": result.reasons, "bands": bands})
        return
    answer(f"{out}: {len(permitted):,} scored, {len(result.refused):,} not")
    table(("band", "members"), [(band.name, f"{bands.get(band.name, 0):,}") for band in loaded.scale_.bands])
    if result.reasons:
        answer()
        table(("not scored", "members"), [(reason, f"{count:,}") for reason, count in result.reasons.items()])
