"""Why a score changed between two decisions: both made again, and what lies between them split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from benne.errors import BenneError, ChangeNotSplit, DecisionUnknown, ModelDirectoryError, VaultError, WhatIfNotPossible
from benne.explain.score_change import ScoreChange
from benne.explain.what_if import History
from benne.features.categories import SOCIAL
from benne.features.engines.event_store import EventStore
from benne.scoring.decisions.kept import KeptDecision
from benne.scoring.decisions.request import Refusal
from benne.scoring.decisions.served_model import ModelShelf
from benne.scoring.members.recording import Doing
from benne.scoring.members.what_if_asking import Asking, SettledConsents
from benne.scoring.members.what_if_history import history_of
from benne.scoring.members.what_if_worlds import End, Ends, Worlds, category_of, score_of, values_between
from benne.scoring.store.vault import MemberVault, Payload

__all__ = ["ScoreChanges"]

_UNKNOWN: Final = "A decision must be about this member and still be kept, got no such one. See the history."


@dataclass(frozen=True, slots=True)
class ScoreChanges:
    """Splits changes of score.

    Parameters
    ----------
    asking : Asking
    vault : MemberVault
    shelf : ModelShelf
        With every model that ever served.
    events : EventStore or None
    """

    asking: Asking
    vault: MemberVault
    shelf: ModelShelf
    events: EventStore | None

    def between(
        self, subject_id: str, first_decision: str | None, second_decision: str | None, doing: Doing
    ) -> ScoreChange | Refusal:
        """Why a member's score changed between two decisions.

        Parameters
        ----------
        subject_id : str
        first_decision, second_decision : str or None
            By default the last but one before the second, and the last.
        doing : Doing

        Raises
        ------
        DecisionUnknown
            If there is none of that id about this member, or fewer than two.
        ChangeNotSplit
            If one of them is no longer kept, its model is off the shelf, the first is not the earlier one, or they
            do not come to the scores on record.
        """
        with self.asking.store.read() as connection:
            leave, changes = self.asking.ask(connection, subject_id, doing), []
            if leave.case.stands:
                ends = self._ends(connection, subject_id, first_decision, second_decision)
                found = self._events_of(connection, subject_id, leave.categories, leave.seen.at_us)
                changes.append(Worlds(ends, values_between(ends, found, leave.categories)).split())
        refusal = self.asking.record(leave, doing, "change_explained")
        return changes[0] if refusal is None else refusal

    def _ends(self, connection: Connection, subject_id: str, first: str | None, second: str | None) -> Ends:
        payloads = self._two(connection, subject_id, first, second)
        if payloads[0].created_at_us > payloads[1].created_at_us:
            raise ChangeNotSplit("The first decision must be the earlier one, got the later. Exchange them.")
        before, after = (self._end(payload) for payload in payloads)
        return before, after

    def _two(
        self, connection: Connection, subject_id: str, first: str | None, second: str | None
    ) -> tuple[Payload, Payload]:
        if first is None or second is None:
            decided = [one for one in self.vault.everything(connection, subject_id, damaged=_left_out)
                       if one.kind == "decision"]  # fmt: skip
            decided.sort(key=lambda one: (one.created_at_us, one.payload_ref))
            places = {payload.payload_ref: place for place, payload in enumerate(decided)}
            last = len(decided) - 1 if second is None else places.get(second, -1)
            before = last - 1 if first is None else places.get(first, -1)
            if last < 0 or before < 0:
                raise DecisionUnknown("A change must lie between two decisions of this member, got fewer. Score again.")
            return decided[before], decided[last]
        return self._payload(connection, subject_id, first), self._payload(connection, subject_id, second)

    def _payload(self, connection: Connection, subject_id: str, decision_id: str) -> Payload:
        try:
            payload = self.vault.get(connection, decision_id)
        except VaultError:
            raise DecisionUnknown(_UNKNOWN) from None
        if payload.subject_id != subject_id or payload.kind != "decision":
            raise DecisionUnknown(_UNKNOWN)
        return payload

    def _end(self, payload: Payload) -> End:
        kept = KeptDecision.from_bytes(payload.content)
        try:
            served = self.shelf.get(kept.model_id)
        except ModelDirectoryError:
            raise ChangeNotSplit(
                "A decision must still have its model on the shelf, got one whose model is gone. Restore it."
            ) from None
        values = dict(zip(served.names, kept.values.tolist(), strict=True))
        score = score_of(served, values, kept.withheld, payload.subject_id, kept.as_of_us)
        if score is None:
            raise ChangeNotSplit("A decision must come to a score again, got one that does not. Verify the shelf.")
        told = kept.answer["score"]
        if told is not None and abs(told - score) > 1e-9:
            raise ChangeNotSplit("A decision must come to the score on record, got another. Verify the audit chain.")
        return End(kept, served, category_of(served), values, score)

    def _events_of(
        self, connection: Connection, subject_id: str, own: frozenset[str], now_us: int
    ) -> tuple[History, SettledConsents] | None:
        try:
            history = history_of(self.events, subject_id)
        except WhatIfNotPossible:
            return None
        others = history.others if SOCIAL in own else ()
        return history, SettledConsents.read(connection, own, others, now_us)


def _left_out(_: str, __: BenneError) -> None:
    """A damaged payload is no decision to hold another against."""
