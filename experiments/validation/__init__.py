"""From a training run to a verdict, and from a verdict to the champion."""

from benne.experiments.validation.candidate import Candidate, candidate_of_directory, candidate_of_run
from benne.experiments.validation.evidence import Evidence
from benne.experiments.validation.verdict import MadeVerdict, validate
from benne.experiments.validation.writing import verdict_page, write_verdict

__all__ = [
    "Candidate",
    "Evidence",
    "MadeVerdict",
    "candidate_of_directory",
    "candidate_of_run",
    "validate",
    "verdict_page",
    "write_verdict",
]
