"""The parts become one file; whoever withdrew since their part was recorded is not in it.

A batch takes as long as it takes, and a withdrawal that was acknowledged meanwhile must count. So before the file gets
its name the ledger is asked what changed since the first part, refusals that follow are recorded as one more part, and
the name is given while nobody else writes to the ledger and nothing newer is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from benne.errors import BatchDamaged
from benne.scoring.batch.assembling import Assembled, Files, assemble, give_names, later_refusals
from benne.scoring.batch.batch_model import BatchModel
from benne.scoring.batch.chunk import INDEX, as_microseconds
from benne.scoring.batch.leaves import Tree
from benne.scoring.batch.part import Part
from benne.scoring.batch.settling import Settler, refused
from benne.scoring.batch.standings import Watermark, changed_members
from benne.scoring.batch.told import OUTCOME, outcome_schema

__all__ = ["Place", "Publication"]

_PASSES: Final = 20
_ASKED: Final = (*INDEX, OUTCOME, "withheld", "granularity")

Place = Callable[[int], tuple[Path, Tree]]
"""Where the part of a number belongs, and what its leaves have in common."""


class Publication:
    """The last step of a batch.

    Parameters
    ----------
    settler : Settler
    place : callable
    next_number : int
        Of the first part of refusals that came after; parts of lower numbers are of the features.
    """

    def __init__(self, settler: Settler, place: Place, next_number: int) -> None:
        self._settler = settler
        self._place = place
        self._next = next_number

    def publish(self, parts: Sequence[Part], files: Files, model: BatchModel) -> Assembled:
        """Give the files their names, and say what is in them.

        Parameters
        ----------
        parts : sequence of Part
            All there are, in order; at least one.
        files : Files
        model : BatchModel

        Raises
        ------
        InsufficientEvidence, ConsentRequired
            If nobody has a score.
        BatchDamaged
            If consents kept changing; the parts stay for another try.
        """
        every, assembled = list(parts), None
        for _ in range(_PASSES):
            seen = self._settler.watermark()
            ended = self._ended_since(every, seen, model.categories)
            if ended is not None:
                number = max(self._next, every[-1].note.number + 1)
                path, tree = self._place(number)
                every.append(self._settler.settle(path, number, ended, tree, seen))
            if assembled is None or ended is not None:
                assembled = assemble(every, self._next, files, model, self._settler.rules.question)
            if self._named(files, seen):
                return assembled
        raise BatchDamaged("Consents must rest for a moment for a batch to end, and kept changing. Run it again.")

    def _named(self, files: Files, seen: Watermark) -> bool:
        """Give the names, unless there is something newer in the ledger; nobody else writes meanwhile."""
        with self._settler.live.store.write() as connection:
            now_us = self._settler.live.now_us(connection)
            if any(changed_members(connection, self._settler.rules.question, seen, now_us)):
                return False
            give_names(files)
            return True

    def _ended_since(self, parts: Sequence[Part], seen: Watermark, categories: Sequence[str]) -> pa.Table | None:
        """Refusals of rows whose consent ended after they were scored; None where there are none."""
        since, found = parts[0].note.asked_at, []
        with self._settler.live.store.read() as connection:
            if not any(changed_members(connection, self._settler.rules.question, since, seen.now_us)):
                return None
            before = later_refusals(parts, self._next)
            for part in (part for part in parts if part.note.number < self._next):
                late = self._settler.late(connection, part.read(_ASKED), since, seen.now_us)
                if late:
                    found.append(_refusals(part, late, before, categories))
        whole = pa.concat_tables(found) if found else None
        return None if whole is None or whole.num_rows == 0 else whole.combine_chunks()


def _refusals(part: Part, late: dict[int, str], before: frozenset[tuple[str, int]], names: Sequence[str]) -> pa.Table:
    """Rows of a part, refused, but for those that are already."""
    schema = outcome_schema(names)
    rows = sorted(late)
    taken = part.read().select(schema.names).cast(schema).take(pa.array(rows))
    gone = refused(taken, {place: late[row] for place, row in enumerate(rows)})
    known = zip(gone.column("subject_id").to_pylist(), as_microseconds(gone.column("as_of")).tolist(), strict=True)
    return gone.filter(pa.array(np.array([row not in before for row in known], dtype=bool)))
