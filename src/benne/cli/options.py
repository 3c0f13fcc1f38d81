"""Options that several commands share, under one name and one explanation each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Actor",
    "AsOf",
    "CategoryName",
    "KeyFile",
    "LedgerAddress",
    "Member",
    "ModelFolder",
    "PurposeName",
    "PurposeOption",
    "RecipientOption",
    "Seed",
    "Subject",
    "WantJson",
]


class PurposeName(StrEnum):
    """The purposes a consent can be for; a test holds them against the ledger's own."""

    lending = "lending"
    checkout_credit = "checkout_credit"
    rental = "rental"
    deposit_waiver = "deposit_waiver"
    fast_lane = "fast_lane"
    own_report = "own_report"
    model_training = "model_training"


class CategoryName(StrEnum):
    """The five categories; a test holds them against those of the features."""

    credit_history = "credit_history"
    behaviour = "behaviour"
    ability = "ability"
    personal_information = "personal_information"
    social = "social"


LedgerAddress = Annotated[
    str, typer.Option("--ledger", envvar="BENNE_LEDGER", help="Consent ledger: a SQLite file, or a database URL.")
]
PurposeOption = Annotated[PurposeName, typer.Option("--purpose", help="What the score is for.")]
RecipientOption = Annotated[str, typer.Option("--recipient", help="The service that receives it, such as platform.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", envvar="BENNE_KEY_FILE", help="Key of the events, where ids are raw.")
]
Member = Annotated[str | None, typer.Option("--member", help="Raw id of one member; needs --key-file.")]
Subject = Annotated[str | None, typer.Option("--subject", help="Subject id of one member, instead of --member.")]
ModelFolder = Annotated[Path, typer.Option("--model", help="Folder that `benne train` wrote.")]
Actor = Annotated[str, typer.Option("--actor", help="Who asks, as the ledger records it.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="ISO", help="Moment of the row, with timezone; by default the newest.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]
WantJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program to read.")]
