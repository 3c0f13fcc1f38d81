"""Every act in the caller's transaction: with its audit record, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benne.errors import AuditWriteError, CategoryError, ConsentRecordError
from benne.features.categories import CATEGORIES
from benne.scoring import Notice
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import to_microseconds

TWO = ("credit_history", "ability")
HMAC = "ab" * 32


def entry(event_id: str, kind: str = "consent_given") -> AuditEntry:
    return AuditEntry(event_id=event_id, type=kind, actor_id=HMAC, actor_role="member", service="consent",
                      policy_version="2026-03", subject_hmac=HMAC, key_domain="member")  # fmt: skip


@pytest.fixture
def group(platform):
    with GroupCommit(platform.store, clock=platform.clock) as opened:
        yield opened


def now_us(platform) -> int:
    return to_microseconds(platform.clock(), "now")


def test_a_consent_and_its_audit_record_commit_together(platform, group):
    def give(connection, now_us):
        return [entry("e-1")], platform.ledger.grant_within(connection, platform.request(1, TWO), now_us)

    committed = group.submit(give)
    ((record, events),) = platform.ledger.history(platform.member(1))
    assert record.record_id == committed.result
    assert record.recorded_at == committed.records[0].time == platform.clock()
    assert {event.state for event in events} == {"given"}
    assert platform.ledger.verify_chain().intact


def test_without_its_audit_record_there_is_no_consent_and_no_withdrawal(platform, group):
    platform.grant(1, TWO)
    before = {table: platform.rows(table) for table in ("consent_records", "consent_events")}

    def give(connection, now_us):
        platform.ledger.grant_within(connection, platform.request(2), now_us)
        return [], None

    def take_back(connection, now_us):
        platform.ledger.withdraw_within(connection, platform.member(1), "lending", "shop", None, now_us)
        return [entry("e-1"), entry("e-1")], None  # an id twice: the database refuses the unit

    for work in (give, take_back):
        with pytest.raises(Exception, match=r"No audit, no answer|the database takes it") as refusal:
            group.submit(work)
        assert isinstance(refusal.value, AuditWriteError | ValueError)
    assert {table: platform.rows(table) for table in before} == before


def test_two_members_acts_share_a_transaction_and_one_chain(platform):
    with platform.store.write() as connection:
        first = platform.ledger.grant_within(connection, platform.request(1, TWO), now_us(platform))
        platform.ledger.grant_within(connection, platform.request(2, TWO), now_us(platform))
        ended = platform.ledger.withdraw_within(
            connection, platform.member(1), "lending", "shop", ["ability"], now_us(platform)
        )
        renewed = platform.ledger.renew_within(
            connection, platform.member(1), first, platform.capture, now_us(platform)
        )
    assert ended == ("ability",)
    assert platform.ledger.record(renewed).request.categories == ("credit_history",)
    report = platform.ledger.verify_chain()
    assert (report.records, report.events, report.broken_at) == (3, 6, None)


def test_an_act_is_never_earlier_than_what_is_on_record(platform):
    platform.clock.turn(timedelta(days=1))
    member, latest = platform.grant(1, TWO), platform.clock()
    with platform.store.write() as connection:
        platform.ledger.withdraw_within(connection, member, "lending", "shop", None, now_us(platform) - 10**12)
    events = platform.ledger.history(member)[0][1]
    assert [event.time for event in events if event.state == "withdrawn"] == [latest, latest]
    assert platform.ledger.active(member, "lending", "shop") == frozenset()


def test_a_refusal_and_a_notice_are_acts_too(platform):
    notice = Notice(notice_id="score", version="2", language="en", text="May we?")
    with platform.store.write() as connection:
        ref = platform.ledger.register_notice_within(connection, notice, now_us(platform))
        platform.ledger.grant_within(connection, platform.request(1, TWO, notice=ref), now_us(platform))
        record_id = platform.ledger.refuse_within(connection, platform.request(1, TWO, notice=ref), now_us(platform))
    assert platform.ledger.record(record_id).request.terms.notice == ref
    assert platform.ledger.active(platform.member(1), "lending", "shop") == frozenset()


def test_withdrawing_everything_ends_every_purpose_and_recipient(platform):
    member = platform.grant(1, TWO)
    platform.grant(1, TWO, recipient="bank")
    platform.grant(1, TWO, purpose="model_training")
    platform.grant(1, TWO, consent_type="automated_decision", lawful_basis="explicit_consent", reliance="sole")
    platform.grant(2, TWO)
    platform.grant(1, ("social",), recipient="gone")
    platform.ledger.withdraw(member, "lending", "gone")
    ended = platform.ledger.withdraw_all(member)
    assert [(one.purpose, one.recipient, set(one.categories)) for one in ended] == [
        ("lending", "bank", set(TWO)),
        ("lending", "shop", set(TWO)),
        ("model_training", "shop", set(TWO)),
    ]
    for purpose, recipient in (("lending", "shop"), ("lending", "bank"), ("model_training", "shop")):
        assert platform.ledger.active(member, purpose, recipient) == frozenset()
        assert [d.reason for d in platform.decide(1, purpose=purpose, recipient=recipient).denials] == [
            "consent-withdrawn"
        ]
    assert platform.ledger.active(platform.member(2), "lending", "shop") == set(TWO)
    assert platform.ledger.withdraw_all(member) == ()


@pytest.mark.parametrize("act", ["withdraw", "withdraw_all", "renew"])
def test_raw_ids_and_unknown_categories_are_refused_here_too(platform, act):
    ask = {
        "withdraw": lambda c: platform.ledger.withdraw_within(c, "anna@example.org", "lending", "shop", None, 0),
        "withdraw_all": lambda c: platform.ledger.withdraw_all_within(c, "anna@example.org", 0),
        "renew": lambda c: platform.ledger.renew_within(c, "anna@example.org", "id", platform.capture, 0),
    }[act]
    with platform.store.write() as connection, pytest.raises(ConsentRecordError, match="keyed pseudonym") as refusal:
        ask(connection)
    assert "anna" not in str(refusal.value)
    with platform.store.write() as connection, pytest.raises(CategoryError, match="got another"):
        platform.ledger.withdraw_within(connection, platform.member(1), "lending", "shop", ["sociall"], 0)


def test_a_record_that_is_not_there_is_told_apart_from_a_broken_store(platform):
    with pytest.raises(ConsentRecordError, match="must be one that is kept"):
        platform.ledger.record("nothing")


def test_answers_for_many_members_take_one_query_and_two_to_record(platform):
    """What the scoring path does at every turn: the number of statements does not grow with the members."""
    from sqlalchemy import event

    from benne.scoring.consent.deciding import answers_of, question_of
    from benne.scoring.consent.decision import Permission
    from benne.scoring.consent.recording import Recorded, record_decisions

    platform.ledger.grant_many(platform.request(number) for number in range(120))
    members = tuple(platform.member(number) for number in range(150))
    question = question_of("lending", "shop", "till", TWO, None, "advisory", None)
    statements: list[str] = []
    event.listen(platform.store.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    with platform.store.write() as connection:
        statements.clear()
        answers = answers_of(connection, members, question, now_us(platform))
        assert len(statements) == 1
        made = [Recorded(f"d-{k}", question, {m: a}) for k, (m, a) in enumerate(answers.items())]
        record_decisions(connection, made, time_us=now_us(platform))
    assert len(statements) == 3
    assert sum(isinstance(answer, Permission) for answer in answers.values()) == 120
    rows = platform.rows("decisions")
    assert [row["seq"] for row in rows] == list(range(1, 151))
    assert {row["categories"] for row in rows} == {",".join(CATEGORIES), ""}
    assert [row["decision_id"] for row in rows] == [f"d-{k}" for k in range(150)]
