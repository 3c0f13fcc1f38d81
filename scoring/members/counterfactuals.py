"""What a member could do so that a decision would come out otherwise, for the notice about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from benne.errors import VaultError, WhatIfNotPossible
from benne.explain.texts import Language, texts_of
from benne.models.scale import SCORE_MAX
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.decisions.replay import Replayer
from benne.scoring.decisions.request import Actor, Refusal
from benne.scoring.members.proving import OWN_PURPOSE, SELF
from benne.scoring.members.recording import Doing
from benne.scoring.members.what_if import WhatIf

__all__ = ["Counterfactuals"]

_NOTICE: Final = Doing(Actor("notices", "system"), "notice")


@dataclass(frozen=True, slots=True)
class Counterfactuals:
    """The smallest set of the member's own actions that reaches the mark that was missed, or the next band.

    Only of members who consent to have their score worked out for themselves: it is tried on their own events. Of
    others, and where the service has no events, a notice says nothing of it.

    Parameters
    ----------
    what_if : WhatIf
    replayer : Replayer
    ledger : ConsentLedger
    """

    what_if: WhatIf
    replayer: Replayer
    ledger: ConsentLedger

    def counterfactuals(self, connection: Connection, decision_id: str, language: Language) -> tuple[str, ...]:
        """In words, a line for each action; what cannot be reached by the member alone is said as well.

        Parameters
        ----------
        connection : Connection
        decision_id : str
        language : {'en', 'zh'}
        """
        try:
            remade = self.replayer.remake(connection, decision_id)
        except VaultError:
            return ()
        mark = remade.kept.mark or self._next_band(remade.subject_id, float(remade.explanation.score[0]))
        if mark is None or not self.ledger.active(remade.subject_id, OWN_PURPOSE, SELF):
            return ()
        try:
            found = self.what_if.recourse(remade.subject_id, mark, _NOTICE)
        except WhatIfNotPossible:
            return ()
        if isinstance(found, Refusal):
            return ()
        return tuple(line.strip() for line in found.as_text(texts_of(language)).splitlines())

    def _next_band(self, subject_id: str, score: float) -> int | None:
        """The lowest score of the band above; None in the highest."""
        bands = self.what_if.bands(subject_id)
        above = [band.lowest for band in bands if round(score) < band.lowest <= SCORE_MAX]
        return min(above, default=None)
