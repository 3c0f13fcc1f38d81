"""``benne explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from benne.cli.console import answer, answer_json
from benne.cli.edge import existing_ledger, moment_from, subject_from
from benne.cli.options import (
    Actor,
    AsOf,
    FeaturesFile,
    KeyFile,
    LedgerAddress,
    Member,
    ModelFolder,
    PurposeName,
    RecipientOption,
    Subject,
    WantJson,
)

__all__ = ["explain"]


def explain(
    features: FeaturesFile,
    model: ModelFolder,
    ledger: LedgerAddress,
    recipient: RecipientOption,
    purpose: Annotated[PurposeName, typer.Option(help="What the score is for.")] = PurposeName.own_report,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    as_of: AsOf = None,
    every: Annotated[int, typer.Option("--features", min=0, help="How many features to name in each category.")] = 3,
    actor: Actor = "benne-cli",
    want_json: WantJson = False,
) -> None:
    """Say what one member's score is made of, in whole points that add up.

    It takes the same consent as the score itself, and consent to the exact score.

    \b
    Example:
      benne explain features.parquet --model model --ledger consents.db --purpose lending \\
        --recipient platform --member anna --key-file subject.key
    """
    from benne.features.frames import read_features
    from benne.models import CreditScoreModel
    from benne.scoring.batch import Asked
    from benne.scoring.explaining import explain_subject

    subject_id, moment = subject_from(member, subject, key_file), moment_from(as_of, "--as-of")
    file = read_features(features)
    if file.provenance is not None:
        file.provenance.require(purpose.value, recipient)
    asked = Asked(purpose.value, recipient, actor)
    loaded, book = CreditScoreModel.load(model), existing_ledger(ledger)
    explanation = explain_subject(file.features, loaded, book, asked, subject_id=subject_id, as_of=moment)
    if want_json:
        answer_json(explanation.as_dict())
        return
    answer(explanation.as_text(every))
