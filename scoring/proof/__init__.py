"""Proofs: a member's signed, short-lived statement for a recipient that Benne never met."""

from __future__ import annotations

from benne.scoring.proof.issuing import PROOF_TYPE, issue
from benne.scoring.proof.keys import ProofKeyFile, ProofKeys
from benne.scoring.proof.seen import SeenProofs
from benne.scoring.proof.statement import KnownScore, ProofAsked, Statement
from benne.scoring.proof.verifying import Proof, verify

__all__ = [
    "PROOF_TYPE",
    "KnownScore",
    "Proof",
    "ProofAsked",
    "ProofKeyFile",
    "ProofKeys",
    "SeenProofs",
    "Statement",
    "issue",
    "verify",
]
