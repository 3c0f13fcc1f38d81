"""Options that several commands share, under one name and one explanation each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benne.cli.edge import database_of, logged_in

__all__ = [
    "Actor",
    "AllGranted",
    "AsOf",
    "CategoryName",
    "ClockSkew",
    "Currency",
    "DoneBy",
    "DoneByYou",
    "EventsFolder",
    "EventsKeyFile",
    "FeaturesFile",
    "FileIn",
    "HeldOut",
    "IngestedAt",
    "KeyFile",
    "LedgerAddress",
    "LedgerBehind",
    "LedgerToAsk",
    "MadeBy",
    "MadeByYou",
    "Member",
    "ModelFolder",
    "OutFolder",
    "OutcomesFile",
    "OutcomesIfKnown",
    "ProtectedIfWanted",
    "ProtectedPurpose",
    "PurposeName",
    "PurposeOption",
    "PurposeToAsk",
    "RecipientOption",
    "RecipientToAsk",
    "RegisteredName",
    "SavedModel",
    "Seed",
    "SigningKey",
    "Subject",
    "TrackingPlace",
    "ValidatedIn",
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
    str,
    typer.Option(
        "--ledger", envvar="BENNE_LEDGER", callback=database_of,
        help="Consent ledger: a SQLite file, a database URL, or a service's folder.",
    ),
]  # fmt: skip
PurposeOption = Annotated[PurposeName, typer.Option("--purpose", help="What the score is for.")]
RecipientOption = Annotated[str, typer.Option("--recipient", help="The service that receives it, such as platform.")]

# On whose word features are computed: the ledger's, or a stated reason; see benne.cli.granting.
LedgerToAsk = Annotated[
    str | None,
    typer.Option(
        "--ledger", envvar="BENNE_LEDGER", callback=database_of,
        help="Consent ledger, or a service's folder: what may be computed for whom.",
    ),
]  # fmt: skip
PurposeToAsk = Annotated[PurposeName | None, typer.Option("--purpose", help="What for; with --ledger.")]
RecipientToAsk = Annotated[str | None, typer.Option("--recipient", help="For whom; with --ledger.")]
AllGranted = Annotated[
    str | None,
    typer.Option("--all-granted", metavar="REASON", help="Instead of a ledger: why every category may be computed."),
]

# How raw rows become events.
EventsKeyFile = Annotated[
    Path, typer.Option("--key-file", envvar="BENNE_KEY_FILE", help="Key that turns raw ids into subject ids.")
]
IngestedAt = Annotated[
    str | None, typer.Option("--ingested-at", metavar="ISO", help="The ingest clock, with timezone; by default now.")
]
Currency = Annotated[str | None, typer.Option("--currency", help="The one ISO 4217 currency of every amount.")]
ClockSkew = Annotated[
    int,
    typer.Option(
        "--clock-skew-seconds", min=0, max=3600,
        help="How long before it happened a row may be known: clocks differ.",
    ),
]  # fmt: skip

EventsFolder = Annotated[Path, typer.Argument(help="Folder that `benne ingest` wrote.")]
FeaturesFile = Annotated[Path, typer.Argument(help="Features built for the same purpose and recipient.")]
HeldOut = Annotated[
    bool, typer.Option("--held-out", help="Leave out members trained on, by the record beside the model.")
]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", envvar="BENNE_KEY_FILE", help="Key of the events, where ids are raw.")
]
Member = Annotated[str | None, typer.Option("--member", help="Raw id of one member; needs --key-file.")]
Subject = Annotated[str | None, typer.Option("--subject", help="Subject id of one member, instead of --member.")]
ModelFolder = Annotated[Path, typer.Option("--model", help="Folder that `benne train` wrote.")]
RegisteredName = Annotated[str, typer.Option("--registered-name", help="Name of the model in MLflow's registry.")]
Actor = Annotated[str, typer.Option("--actor", help="Who asks, as the ledger records it.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="ISO", help="Moment of the row, with timezone; by default the newest.")
]
SigningKey = Annotated[
    Path | None, typer.Option("--signing-key", help="Private key that signs receipts; without one there are none.")
]

# Commands that look at a model and write a document about it.
SavedModel = Annotated[Path, typer.Argument(help="Folder of a saved model.")]
OutcomesFile = Annotated[
    Path, typer.Option("--outcomes", help="Parquet: subject_id (or member_id and a key), as_of, bad.")
]
OutcomesIfKnown = Annotated[
    Path | None, typer.Option("--outcomes", help="Parquet: subject_id (or member_id and a key), as_of, bad.")
]
LedgerBehind = Annotated[
    str | None,
    typer.Option(
        "--ledger", envvar="BENNE_LEDGER", callback=database_of,
        help="Consent ledger the features were built under, or a service's folder: who withdrew since?",
    ),
]  # fmt: skip
ProtectedIfWanted = Annotated[
    Path | None,
    typer.Option("--protected", help="Store of protected attributes, which records who reads it, or a file of them."),
]
ProtectedPurpose = Annotated[
    str | None, typer.Option("--purpose", help="What the attributes are read for: fairness_audit:2026-q4.")
]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the page and the document.")]
MadeBy = Annotated[str, typer.Option("--by", help="Who makes the document, as it names them.")]
DoneBy = Annotated[str, typer.Option("--by", help="Who does it, as the audit chain names them.")]
MadeByYou = Annotated[
    str,
    typer.Option(
        "--by",
        callback=logged_in,
        show_default="whoever is logged in",
        help="Who makes the document, as it names them.",
    ),
]
DoneByYou = Annotated[
    str,
    typer.Option(
        "--by",
        callback=logged_in,
        show_default="whoever is logged in",
        help="Who does it, as the audit chain names them.",
    ),
]
TrackingPlace = Annotated[
    str, typer.Option("--tracking", help="MLflow: the folder of a local store, or a tracking URI.")
]
ValidatedIn = Annotated[
    str | None,
    typer.Option(
        "--validated-in", callback=database_of,
        help="Another store that holds the verdict; it is taken over. By default the service's own.",
    ),
]  # fmt: skip
FileIn = Annotated[
    str | None,
    typer.Option("--store", envvar="BENNE_STORE", help="Also file the document: a service's folder, or a database."),
]

Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]
WantJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program to read.")]
