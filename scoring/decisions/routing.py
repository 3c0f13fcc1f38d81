"""Which model scores which case of a pass: the champion, or a challenger that serves a share of members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from benne.errors import (
    FeatureColumnsError,
    FeatureValueError,
    InsufficientEvidence,
    ObservationError,
    StoreError,
    WhatIfError,
)
from benne.scoring.decisions.case import Case
from benne.scoring.decisions.scoring import score_cases
from benne.scoring.decisions.served_model import Challenger, ServedModel, Serving

__all__ = ["score_pass", "tried"]

T = TypeVar("T")
_REFUSALS: Final = (InsufficientEvidence, FeatureValueError, FeatureColumnsError, ObservationError)
_NOT_OF_THE_MODEL: Final = (WhatIfError, StoreError)


def score_pass(cases: Sequence[Case], serving: Serving) -> None:
    """Score every case that stands and has features, each by the model that serves its member.

    Whatever a challenger cannot score, because it fails or because it refuses, the champion is asked about: its
    answer is the answer, and so is its refusal.

    Raises
    ------
    ModelError
        If the champion's scores do not add up; then nobody of the pass is answered.
    """
    champion, challenger = serving
    if challenger is None:
        score_cases(cases, champion)
        return
    _let_score(cases, challenger)
    score_cases([case for case in cases if case.scored is None], champion)


def tried(serving: Serving, subject_id: str, attempt: Callable[[ServedModel], T]) -> tuple[ServedModel, T]:
    """What comes of something tried with the model that serves a member, and which model that was in the end.

    Parameters
    ----------
    serving : Serving
    subject_id : str
    attempt : callable
        Takes a model; asked once more with the champion where the challenger fails or refuses.
    """
    champion, challenger = serving
    if challenger is not None and challenger.serves(subject_id):
        try:
            return challenger.served, attempt(challenger.served)
        except _NOT_OF_THE_MODEL:
            raise
        except _REFUSALS:
            challenger.gave_way(1)
        except Exception as error:  # noqa: BLE001 - whatever a challenger does, the champion answers
            challenger.failed(error)
    return champion, attempt(champion)


def _let_score(cases: Sequence[Case], challenger: Challenger) -> None:
    theirs = [(case, case.vector) for case in cases
              if case.vector is not None and challenger.serves(case.request.subject_id)]  # fmt: skip
    if not theirs:
        return
    failed = False
    try:
        score_cases([case for case, _ in theirs], challenger.served)
    except Exception as error:  # noqa: BLE001 - whatever a challenger does, the champion answers
        challenger.failed(error)
        failed = True
    refused = 0
    for case, vector in theirs:
        if failed or case.scored is None:
            case.reopen(vector)
            refused += 1
    if refused and not failed:
        challenger.gave_way(refused)
