"""What a consent must be to count: an adult's, for one thing and one recipient, and explicit where machines decide."""

from __future__ import annotations

from dataclasses import fields, replace

import pandas as pd
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from benne.errors import ConsentRecordError
from benne.features.categories import CATEGORIES
from benne.scoring import ConsentTerms, Notice
from benne.scoring.consent import vocabulary as words
from benne.scoring.consent.importing import import_history
from benne.scoring.consent.terms_file import TermsFile

TWO = ("credit_history", "ability")


def reasons(decision):
    return [denial.reason for denial in decision.denials]


def take(platform, **columns):
    rows = pd.DataFrame({"category": list(TWO)}).assign(
        subject_id=platform.member(1), purpose="lending", recipient="shop", event="given",
        time=pd.Timestamp("2026-02-01", tz="UTC"),
    )  # fmt: skip
    shown = platform.ledger.notice_text(platform.terms.notice)
    notice = Notice(notice_id="score", version="1", language="en", text=shown)
    import_history(platform.ledger, rows.assign(**columns), [TermsFile(notice, platform.terms)], platform.capture)


# ------------------------------------------------------------------------ minors


@pytest.mark.parametrize("known", [{"minor": True}, {"age_years": 17}, {"age_years": 0}])
def test_c10_a_minors_consent_is_not_recorded(platform, known):
    with pytest.raises(ConsentRecordError, match="must be an adult's; members under 18 are not scored"):
        replace(platform.request(1, TWO), **known)


def test_c10_somebody_of_eighteen_may_and_their_age_is_not_kept(platform):
    platform.ledger.grant(replace(platform.request(1, TWO), age_years=18))
    assert "18" not in {str(value) for value in platform.rows("consent_records")[0].values()}
    assert "age_years" not in platform.rows("consent_records")[0]
    assert "18" not in repr(replace(platform.request(1, TWO), age_years=18))


@pytest.mark.parametrize("columns", [{"minor": [False, True]}, {"age_years": [40, 17]}, {"age_years": [40, None]}])
def test_c10_no_history_brings_a_minor_in(platform, columns):
    with pytest.raises(ConsentRecordError, match="must be an adult's, got a minor's"):
        take(platform, **columns)
    assert platform.rows("consent_records") == []


def test_c10_a_history_of_adults_is_taken(platform):
    take(platform, minor=False, age_years=[18, 90])
    assert platform.ledger.active(platform.member(1), "lending", "shop") == set(TWO)


# --------------------------------------------------------------------- unbundled


def test_c3_one_consent_names_one_recipient_and_one_purpose(platform):
    for recipient in ("shop,bank", "shop bank", "*", "shop;bank", "", "all partners", ["shop", "bank"]):
        with pytest.raises(ConsentRecordError, match="recipient must be a short name"):
            replace(platform.terms, recipient=recipient)
    for purpose in ("lending,rental", "*", "", "credit", ("lending", "rental")):
        with pytest.raises(ConsentRecordError, match="A purpose must be one of"):
            replace(platform.terms, purpose=purpose)


def test_c3_consent_for_one_is_none_for_another(platform):
    """Every other purpose and every other recipient, for every category."""
    platform.grant(1)
    for purpose in words.PURPOSES:
        for recipient in ("shop", "bank", "shop2", "sho", "self"):
            asked = (purpose, recipient)
            permitted = platform.decide(1, purpose=purpose, recipient=recipient).permissions
            assert bool(permitted) == (asked == ("lending", "shop")), asked


def test_c3_one_category_says_nothing_about_the_next(platform):
    for number, category in enumerate(CATEGORIES):
        platform.grant(number, (category,))
        assert platform.decide(number, required=()).permissions[platform.member(number)].categories == {category}


def test_c3_terms_of_service_create_no_consent(platform):
    with pytest.raises(ConsentRecordError, match=r"act of the member .* got terms_of_service"):
        replace(platform.capture, method="terms_of_service")
    with pytest.raises(ConsentRecordError, match=r"act of the member .* got bundled"):
        replace(platform.capture, method="bundled")
    for basis in ("contract", "terms_of_service", "legitimate_interest"):
        with pytest.raises(ConsentRecordError, match="lawful basis must be one of consent, explicit_consent"):
            replace(platform.terms, lawful_basis=basis)


def test_c3_the_database_holds_one_purpose_and_recipient_a_record(platform):
    platform.grant(1, TWO)
    (row,) = platform.rows("consent_records")
    insert = text(f"INSERT INTO consent_records ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})")
    forged = {**row, "seq": 2, "record_id": "forged", "purpose": "lending,rental"}
    with pytest.raises(DBAPIError, match="purpose"), platform.store.engine.begin() as connection:
        connection.execute(insert, forged)


def test_c3_withdrawing_one_leaves_the_others(platform):
    member = platform.grant(1, TWO)
    platform.grant(1, TWO, recipient="bank")
    platform.ledger.withdraw(member, "lending", "shop")
    assert platform.ledger.active(member, "lending", "bank") == set(TWO)


# ----------------------------------------------------------- automated decisions

AUTOMATED = {"consent_type": "automated_decision", "lawful_basis": "explicit_consent", "reliance": "sole"}


def sole(platform, **changes):
    return platform.decide(1, reliance="sole", **{"review_route": "desk", **changes})


def test_c4_it_is_a_consent_of_its_own(platform):
    platform.grant(1, TWO, reliance="sole")
    assert reasons(sole(platform)) == ["automated-decision-consent-required"]
    platform.grant(1, TWO, **AUTOMATED)
    assert reasons(sole(platform)) == []


def test_c4_it_lets_no_category_be_read(platform):
    platform.grant(1, **AUTOMATED)
    assert platform.ledger.active(platform.member(1), "lending", "shop") == frozenset()
    assert reasons(platform.decide(1)) == reasons(sole(platform)) == ["consent-required"]


@pytest.mark.parametrize("reliance", ["strong", "sole"])
def test_c4_it_never_takes_a_persons_review_away(platform, reliance):
    platform.grant(1, TWO, reliance="sole")
    platform.grant(1, TWO, **AUTOMATED)
    for route in (None, ""):
        assert reasons(platform.decide(1, reliance=reliance, review_route=route)) == ["review-route-missing"]


def test_c4_nothing_but_explicit_consent_is_one(platform):
    with pytest.raises(ConsentRecordError, match="must have explicit_consent as its lawful basis"):
        platform.grant(1, TWO, **{**AUTOMATED, "lawful_basis": "consent"})
    with pytest.raises(ConsentRecordError, match="act of the member"):
        replace(platform.capture, method="implied")
    assert platform.rows("consent_records") == []


def test_c4_consent_to_advice_is_none_to_decisions(platform):
    platform.grant(1, TWO, reliance="sole")
    platform.grant(1, TWO, **{**AUTOMATED, "reliance": "advisory"})
    assert reasons(sole(platform)) == ["automated-decision-consent-required"]


def test_c4_it_ends_with_a_withdrawal_of_everything_and_for_its_own_recipient_only(platform):
    for recipient in ("shop", "bank"):
        platform.grant(1, TWO, reliance="sole", recipient=recipient)
        platform.grant(1, TWO, **AUTOMATED, recipient=recipient)
    platform.ledger.withdraw(platform.member(1), "lending", "shop")
    platform.grant(1, TWO, reliance="sole")
    assert reasons(sole(platform)) == ["automated-decision-consent-required"]
    assert reasons(sole(platform, recipient="bank")) == []


# ----------------------------------------------------------- as easy to take back


def test_c5_taking_back_asks_for_nothing_that_giving_did_not(platform):
    """Giving takes terms, an act with its evidence, and categories; taking back takes only what says which consent."""
    import inspect

    giving = {field.name for field in fields(type(platform.request(1)))} | {f.name for f in fields(ConsentTerms)}
    taking = inspect.signature(platform.ledger.withdraw).parameters
    required = {name for name, one in taking.items() if one.default is inspect.Parameter.empty}
    assert required == {"subject_id", "purpose", "recipient"} < giving
    assert not any("reason" in name for name in taking)
    assert platform.capture.steps >= 1
