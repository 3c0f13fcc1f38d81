"""A model of whose training nothing is on record: its figures are shown, and none of them rests on anything.

Whose it is, whether gates stood before it was trained and whether it was shown other members than its own would all be
somebody's word. So each figure counts as resting on no rows, which no gate lets pass; that it is so is told with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benne.experiments.measure import Measure
from benne.experiments.validation.candidate import Candidate

__all__ = ["WHY", "what_counts"]

WHY: Final = (
    "Nothing is on record of who trained it, since when and on whom, so that no figure counts. Validate its run, or a "
    "folder as benne train left it, with training.json."
)
_RESTS_ON_NOTHING: Final = "nothing is on record of its training"


def what_counts(candidate: Candidate, measures: Mapping[str, Measure]) -> tuple[dict[str, Measure], list[str]]:
    """Figures as gates are to judge them, and what must be said about that.

    Parameters
    ----------
    candidate : Candidate
    measures : mapping of str to Measure
        As they were measured.

    Returns
    -------
    dict of str to Measure
        The same where the training is on record; else each as resting on no rows.
    list of str
    """
    if candidate.rests_on_record:
        return dict(measures), []
    return {name: _resting_on_nothing(one) for name, one in measures.items()}, [WHY]


def _resting_on_nothing(measure: Measure) -> Measure:
    told = f"{measure.note}; {_RESTS_ON_NOTHING}" if measure.note else _RESTS_ON_NOTHING
    return replace(measure, n=0, note=told)
