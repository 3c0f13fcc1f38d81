"""What a member's consent events amount to, as one short text that the database makes.

Most members have the same history but for its times, and of those an answer needs only how they compare with two
moments: now, and that of the features. So the database writes each member's acts down with the comparisons in place
of the times, and equal texts are judged once, by the ledger's own :func:`~benne.scoring.consent.gate.judge`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, TextClause, text

from benne.scoring.consent.decision import Permission, Question
from benne.scoring.consent.gate import judge, refusal_of_question, standing
from benne.scoring.consent.timeline import Event
from benne.scoring.consent.vocabulary import GIVING_STATES, DenyReason, Jurisdiction, PurposeClass

__all__ = ["Judge", "Watermark", "changed_members", "standings", "watermark"]

_SLICE: Final = 5_000  # members in one query
_KNOWN: Final = 100_000  # texts remembered
_PAGE: Final = 10_000  # members read at once
_AS_OF, _NOW = 1_000_000, 2_000_000  # two moments, for judging a text that has none
_WORDS: Final = (
    "{} e.category, r.consent_type, e.state, {}, r.reliance, r.granularity, r.jurisdiction, r.purpose_class)"
)
_COMPARED: Final = ("e.time_us <= {as_of}", "e.valid_until_us > {as_of}", "e.valid_until_us > :now_us")
_OF_THE_MEMBER: Final = (
    "FROM consent_records r JOIN consent_events e ON e.record_id = r.record_id "
    "WHERE r.subject_id = {subject} AND r.purpose = :purpose AND r.recipient = :recipient"
)
_CHANGED: Final = (
    # What is new first, however small it is beside all that one purpose and recipient have; with numbers in place,
    # from which a planner sees how small. No index is on them together with the purpose.
    "WITH changed AS MATERIALIZED (SELECT record_id FROM consent_events WHERE seq > {seq:d} "
    "UNION SELECT record_id FROM consent_events WHERE valid_until_us > {then_us:d} AND valid_until_us <= {now_us:d}) "
    "SELECT DISTINCT r.subject_id FROM changed CROSS JOIN consent_records r "
    "WHERE r.record_id = changed.record_id AND r.purpose = :purpose AND r.recipient = :recipient"
)
_LAST: Final = text("SELECT coalesce(max(seq), 0) FROM consent_events")

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far the ledger had come, and when it was read: its last event, and microseconds since 1970-01-01 UTC."""

    seq: int
    now_us: int


def watermark(connection: Connection, now_us: int) -> Watermark:
    """How far the ledger has come; to be read before what it is to vouch for."""
    return Watermark(int(connection.execute(_LAST).scalar_one()), now_us)


def standings(
    connection: Connection, question: Question, subjects: Sequence[str], as_of_us: Integers, now_us: int
) -> list[str]:
    """What each member's events amount to, in order; '' where there are none.

    Parameters
    ----------
    connection : Connection
    question : Question
        Its purpose and recipient count.
    subjects : sequence of str, length n
    as_of_us : ndarray of int64, shape (n,)
        Moment of each one's features.
    now_us : int
    """
    found: list[str] = []
    dialect = connection.dialect.name
    shared = {"purpose": question.purpose, "recipient": question.recipient, "now_us": now_us}
    for start in range(0, len(subjects), _SLICE):
        asked = _asked(dialect, subjects[start : start + _SLICE], as_of_us[start : start + _SLICE].tolist())
        rows = connection.execute(_statement(dialect), {**shared, **asked})
        found += [row[0] or "" for row in rows]
    return found


def changed_members(connection: Connection, question: Question, since: Watermark, now_us: int) -> Iterator[list[str]]:
    """Members for whom something was recorded, or ran out, since the ledger was read; page by page."""
    statement = text(_CHANGED.format(seq=since.seq, then_us=since.now_us, now_us=now_us))
    values = {"purpose": question.purpose, "recipient": question.recipient}
    with connection.execute(statement, values, execution_options={"yield_per": _PAGE}) as rows:
        for page in rows.partitions():
            yield [row[0] for row in page]


class Judge:
    """Judges what members' events amount to; each text once.

    Parameters
    ----------
    question : Question
        Its moment is left out of account: the texts have each row's own.

    Examples
    --------
    >>> from benne.scoring.batch.asked import Asked
    >>> from benne.scoring.batch.rules import rules_of
    >>> from benne.scoring.policy import default_policies
    >>> judge = Judge(rules_of(Asked("lending", "shop", "nightly"), default_policies()).question)
    >>> judge.answer("")
    'consent-required'
    >>> acts = [f"{c},expressed,given,111,advisory,exact,default,credit" for c in ("ability", "credit_history")]
    >>> sorted(judge.answer(";".join(acts)).categories)
    ['ability', 'credit_history']
    """

    def __init__(self, question: Question) -> None:
        self._question = replace(question, as_of_us=_AS_OF)
        self._refusal = refusal_of_question(question)
        self._known: dict[str, Permission | DenyReason] = {}

    def answer(self, acts: str) -> Permission | DenyReason:
        """Permission, or the reason there is none."""
        if self._refusal is not None:
            return self._refusal
        found = self._known.get(acts)
        if found is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            events = _events(acts)
            found = self._known[acts] = judge(standing(events).get("", {}), self._question, _NOW)
        return found


def _events(acts: str) -> list[Event]:
    """Events in their order whose times compare with two moments as those of the member do."""
    split = [act.split(",") for act in acts.split(";")] if acts else []
    before = sum(flags[0] == "1" for _, _, _, flags, *_ in split)
    return [_event(place, before, act) for place, act in enumerate(split)]


def _event(place: int, before: int, act: list[str]) -> Event:
    category, consent_type, state, flags, reliance, granularity, jurisdiction, purpose_class = act
    until = {"1": _NOW + 1}.get(flags[2], _NOW if flags[1] == "1" else _AS_OF)
    return Event(
        subject_id="",
        category=category,
        consent_type=consent_type,
        state=state,
        # In order, and no later than the moment of the features exactly as far as they were.
        time_us=_AS_OF - before + 1 + place,
        valid_until_us=until if state in GIVING_STATES else None,
        reliance=reliance,
        granularity=granularity,
        record_id="",
        jurisdiction=cast(Jurisdiction, jurisdiction),
        purpose_class=cast(PurposeClass, purpose_class),
        seq=place,
    )


def _asked(dialect: str, subjects: Sequence[str], moments: list[int]) -> dict[str, Any]:
    if dialect == "sqlite":
        return {"asked": json.dumps([f"{s}{m}" for s, m in zip(subjects, moments, strict=True)])}
    return {"subjects": list(subjects), "moments": moments}


@cache
def _statement(dialect: str) -> TextClause:
    if dialect == "sqlite":
        as_of = "CAST(substr(asked.value, 33) AS INTEGER)"
        act = _WORDS.format("printf('%s,%s,%s,%d%d%d,%s,%s,%s,%s',", ", ".join(_COMPARED)).format(as_of=as_of)
        member = _OF_THE_MEMBER.format(subject="substr(asked.value, 1, 32)")
        return text(
            f"SELECT (SELECT group_concat(act, ';') FROM (SELECT {act} AS act {member} "  # noqa: S608 - our own words
            "ORDER BY e.time_us, e.seq)) FROM json_each(:asked) AS asked ORDER BY asked.key"
        )
    compared = ", ".join(f"CAST(coalesce({one}, false) AS int)" for one in _COMPARED)
    act = _WORDS.format("format('%s,%s,%s,%s%s%s,%s,%s,%s,%s',", compared).format(as_of="asked.as_of_us")
    member = _OF_THE_MEMBER.format(subject="asked.subject_id")
    return text(
        f"SELECT (SELECT string_agg({act}, ';' ORDER BY e.time_us, e.seq) {member}) "  # noqa: S608
        "FROM unnest(CAST(:subjects AS text[]), CAST(:moments AS bigint[])) WITH ORDINALITY "
        "AS asked(subject_id, as_of_us, place) ORDER BY asked.place"
    )
