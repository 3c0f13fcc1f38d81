"""Any decision made again from what was kept of it: the same model, the same bits, or word that it is not so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from benne.errors import DecisionUnknown, Erased, ReferenceUnknown, VaultError
from benne.explain.reasons import KeyFactor, Method, Reasons, key_factors_of, reasons_of
from benne.features.categories import CATEGORIES
from benne.features.engines.online import FeatureVector
from benne.models import Explanation
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.decisions.kept import KeptDecision, reasons_content
from benne.scoring.decisions.scoring import explained
from benne.scoring.decisions.served_model import ModelShelf, ServedModel
from benne.scoring.decisions.telling import uncertain_of
from benne.scoring.store.audit_tables import audit_records
from benne.scoring.store.vault import MemberVault

__all__ = ["Remade", "Replay", "Replayer"]

_C = audit_records.c


@dataclass(frozen=True, repr=False)
class Remade:
    """A decision made again.

    Attributes
    ----------
    subject_id : str
    kept : KeptDecision
    vector : FeatureVector
        What was scored, in the model's order.
    explanation : Explanation
        Of one row.
    served : ServedModel
    """

    subject_id: str
    kept: KeptDecision
    vector: FeatureVector
    explanation: Explanation
    served: ServedModel

    def key_factors(self) -> tuple[KeyFactor, ...]:
        """What weighs most on the score, found again."""
        withheld = [self.kept.withheld]
        table = self.served.table([self.vector], withheld)
        return key_factors_of(self.served.model, table, withheld, explanation=self.explanation)[0]

    def reasons(self) -> Reasons | None:
        """Why the score is not higher, against those just above the mark that was asked about, or else everybody.

        None where the model knows too little of its reference sample.
        """
        withheld, mark = [self.kept.withheld], self.kept.mark
        table = self.served.table([self.vector], withheld)
        method = Method("everybody") if mark is None else Method("just_above", float(mark))
        try:
            return reasons_of(self.served.model, table, withheld, method=method, explanation=self.explanation)[0]
        except ReferenceUnknown:
            return None


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of making a decision again.

    Attributes
    ----------
    decision_id : str
    outcome : {'identical', 'different', 'denied', 'erased', 'expired'}
        ``identical``: score, points and answer are those on record, to the bit. ``denied``: there was no score.
        ``erased``: the member was, and their key. ``expired``: what was kept was deleted when its time had passed.
    differs_in : tuple of str
        Of ``input``, ``output`` and ``reasons``, those whose digest is not the one on record.
    model_id : str or None
    audit_seq : int
    """

    decision_id: str
    outcome: Literal["identical", "different", "denied", "erased", "expired"]
    differs_in: tuple[str, ...]
    model_id: str | None
    audit_seq: int


class Replayer:
    """Makes decisions again.

    Parameters
    ----------
    vault : MemberVault
    shelf : ModelShelf
        With every model that ever served.
    """

    def __init__(self, vault: MemberVault, shelf: ModelShelf) -> None:
        self._vault = vault
        self._shelf = shelf

    def replay(self, connection: Connection, decision_id: str) -> Replay:
        """Make a decision again, and hold it against the audit chain.

        Raises
        ------
        DecisionUnknown
            If no such decision is on record.
        ModelDirectoryError
            If its model is no longer on the shelf.
        """
        columns = (_C.seq, _C.decision, _C.model_id, _C.input_digest, _C.output_digest, _C.reasons_digest)
        row = connection.execute(select(*columns).where(_C.event_id == decision_id)).one_or_none()
        if row is None or row.decision is None:
            raise DecisionUnknown("A decision must be on record, got an id that is not. Take it from the answer.")
        if row.decision == "denied":
            return Replay(decision_id, "denied", (), None, row.seq)
        try:
            remade = self.remake(connection, decision_id)
        except Erased:
            return Replay(decision_id, "erased", (), row.model_id, row.seq)
        except VaultError:
            return Replay(decision_id, "expired", (), row.model_id, row.seq)
        found = self._digests(connection, remade)
        on_record = {"input": row.input_digest, "output": row.output_digest, "reasons": row.reasons_digest}
        differs = tuple(name for name, digest in on_record.items() if found[name] != {digest})
        return Replay(decision_id, "different" if differs else "identical", differs, row.model_id, row.seq)

    def remake(self, connection: Connection, decision_id: str) -> Remade:
        """Make a decision again, without a word about the audit chain.

        Raises
        ------
        Erased
            If its member was erased.
        VaultError
            If nothing is kept of it.
        """
        payload = self._vault.get(connection, decision_id)
        kept = KeptDecision.from_bytes(payload.content)
        served = self._shelf.get(kept.model_id)
        consented = {category: category not in kept.withheld for category in CATEGORIES}
        as_of = from_microseconds(kept.as_of_us)
        vector = FeatureVector(payload.subject_id, as_of, served.names, kept.values, consented)
        table = served.table([vector], [kept.withheld])
        return Remade(payload.subject_id, kept, vector, explained(served, table, [kept.withheld]), served)

    def _digests(self, connection: Connection, remade: Remade) -> dict[str, set[str]]:
        """Of what is kept, and of what comes out again; both must be what is on record."""
        key = self._vault.keys_of(connection, [remade.subject_id], create=False, now_us=0)[remade.subject_id]
        factors = remade.key_factors() if remade.kept.tells_key_factors else ()
        found = remade.explanation
        uncertain = uncertain_of(found, 0)
        answer = remade.kept.with_score(float(found.score[0]), str(found.band[0]), factors, uncertain)
        return {
            "input": {key.digest("input", remade.kept.input_content())},
            "output": {key.digest("output", told.answer_content()) for told in (remade.kept, answer)},
            "reasons": {key.digest("reasons", reasons_content(remade.explanation, 0))},
        }
