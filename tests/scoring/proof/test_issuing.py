"""What is stated is so, is what the member chose, and is all that is in the proof."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from benne.errors import ProofNotIssued
from benne.models.scale import BAND_SCHEMES
from benne.scoring.proof import KnownScore, ProofAsked, issue
from benne.scoring.proof.issuing import stated

ASKED = ProofAsked(kind="at_least", mark=650, audience="https://landlord.example", nonce="n" * 16)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def opened(token: str) -> tuple[dict, dict]:
    header, payload, _ = (base64.urlsafe_b64decode(part + "===") for part in token.split("."))
    return json.loads(header), json.loads(payload)


def test_a_proof_says_one_thing_for_one_recipient_and_nothing_else(desk):
    header, claims = opened(desk.issue())
    assert header == {"alg": "Ed25519", "kid": desk.signer.kid, "typ": "benne-proof+jwt"}
    assert claims == {
        "iss": "https://scores.example",
        "aud": "https://landlord.example",
        "nonce": "R4nD0m-0f-M1ne-1",
        "jti": f"proof-{1:032}",
        "iat": 1772366400,
        "nbf": 1772366400,
        "exp": 1772366700,
        "statement": {"kind": "at_least", "mark": 650, "as_of": "2026-02-28", "scale": [350, 950]},
    }


def test_a_band_and_an_exact_score_are_told_only_if_the_member_chose_so(desk):
    assert opened(desk.issue("band"))[1]["statement"] == {
        "kind": "band",
        "band": {"name": "very good", "lowest": 650, "highest": 699},
        "as_of": "2026-02-28",
        "scale": [350, 950],
    }
    assert opened(desk.issue("exact", 683.4))[1]["statement"]["score"] == 683
    assert opened(desk.issue("below", 500.0))[1]["statement"]["kind"] == "below"


@given(score=st.floats(350, 950), mark=st.integers(350, 950))
def test_a_proof_of_a_mark_is_made_exactly_if_the_shown_score_reaches_it(score, mark):
    for kind, holds in (("at_least", round(score) >= mark), ("below", round(score) < mark)):
        asked = replace(ASKED, kind=kind, mark=mark)
        if holds:
            statement = stated(asked, KnownScore(score, NOON))
            assert (statement.kind, statement.mark, statement.band, statement.score) == (kind, mark, None, None)
        else:
            with pytest.raises(ProofNotIssued, match="What a proof states must be so, and it is not"):
                stated(asked, KnownScore(score, NOON))


def test_whoever_falls_short_gets_no_proof_rather_than_a_negative_one(desk):
    with pytest.raises(ProofNotIssued, match="must be so, and it is not") as caught:
        desk.issue("at_least", 649.4)
    assert "649" not in str(caught.value)
    assert desk.issue("at_least", 649.6)


def test_two_proofs_of_one_member_have_nothing_in_common_but_what_they_state(desk):
    first, second = opened(desk.issue())[1], opened(desk.issue(nonce="An0ther-N0nce-24", audience="bank"))[1]
    shared = {name for name in first if first[name] == second[name]}
    assert shared == {"iss", "iat", "nbf", "exp", "statement"}


def test_proofs_of_two_members_above_a_mark_differ_in_what_was_drawn_alone(desk):
    first, second = opened(desk.issue(score=683.0))[1], opened(desk.issue(score=900.0))[1]
    assert {name for name in first if first[name] != second[name]} == {"jti"}


def test_the_bands_are_those_of_the_model():
    asked = replace(ASKED, kind="band", mark=None)
    assert stated(asked, KnownScore(683.0, NOON, BAND_SCHEMES["A-D"])).band.name == "B"
    with pytest.raises(ProofNotIssued, match="must be in a band of the scale"):
        stated(asked, KnownScore(683.0, NOON, ()))


def test_the_day_is_that_of_the_moments_own_zone():
    late = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-8)))
    assert stated(ASKED, KnownScore(700.0, late)).as_of.isoformat() == "2026-03-01"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "percentile"}, "must be one of at_least, below, band, exact"),
        ({"audience": ""}, "audience must be an address or name without spaces"),
        ({"audience": "two words"}, "audience must be an address or name without spaces"),
        ({"audience": "x" * 201}, "audience must be an address or name without spaces"),
        ({"audience": "línea"}, "audience must be an address or name without spaces"),
        ({"audience": ["a"]}, "audience must be an address or name without spaces"),
        ({"nonce": "short"}, "nonce must be 16 to 128"),
        ({"nonce": "n" * 129}, "nonce must be 16 to 128"),
        ({"nonce": "n" * 16 + "\n"}, "nonce must be 16 to 128"),
        ({"nonce": None}, "nonce must be 16 to 128"),
        ({"mark": None}, "A mark must be given exactly for at_least and below"),
        ({"kind": "exact"}, "A mark must be given exactly for at_least and below"),
        ({"mark": 349}, "whole score from 350 to 950"),
        ({"mark": 951}, "whole score from 350 to 950"),
        ({"mark": 650.5}, "whole score from 350 to 950"),
        ({"mark": True}, "whole score from 350 to 950"),
        ({"purpose": "dating"}, "purpose must be one of lending"),
        ({"lifetime": timedelta(0)}, "must hold from a second to 15 minutes"),
        ({"lifetime": timedelta(minutes=15, seconds=1)}, "must hold from a second to 15 minutes"),
    ],
)
def test_a_proof_is_asked_for_rightly_or_not_made(changes, told):
    with pytest.raises(ProofNotIssued, match=told):
        replace(ASKED, **changes)


@pytest.mark.parametrize(("score", "as_of"), [(349.9, NOON), (float("nan"), NOON), (700.0, NOON.replace(tzinfo=None))])
def test_a_score_off_the_scale_or_of_no_moment_is_not_proved(score, as_of):
    with pytest.raises(ProofNotIssued, match=r"must be on the scale|must be timezone-aware"):
        KnownScore(score, as_of)


@pytest.mark.parametrize("changes", [{"issuer": ""}, {"jti": "7"}, {"now": NOON.replace(tzinfo=None)}])
def test_an_issuer_a_random_id_and_a_moment_are_needed(desk, changes):
    right = {"issuer": "https://scores.example", "signer": desk.signer, "now": NOON, "jti": "j" * 36}
    assert issue(ASKED, KnownScore(700.0, NOON), **right)
    with pytest.raises(ProofNotIssued, match=r"must have an issuer and a random id|must be timezone-aware"):
        issue(ASKED, KnownScore(700.0, NOON), **{**right, **changes})


def test_nothing_about_the_member_is_in_a_repr():
    assert "683" not in repr(KnownScore(683.0, NOON))


# ---------------------------------------------------------- holder binding


@pytest.mark.parametrize("holder", [OKPKey.generate_key("Ed25519"), ECKey.generate_key("P-256")])
def test_a_proof_may_be_bound_to_the_public_key_of_whoever_is_to_show_it(desk, holder):
    public = holder.as_dict(private=False)
    confirmed = opened(desk.issue(holder_key=public))[1]["cnf"]["jwk"]
    assert confirmed == {name: public[name] for name in ("kty", "crv", "x", "y") if name in public}
    assert desk.verify(desk.issue(holder_key=public)).holder_key == confirmed


def test_whatever_could_mark_the_holders_key_is_left_out(desk):
    public = OKPKey.generate_key("Ed25519").as_dict(private=False)
    marked = {**public, "kid": "annas phone", "note": "x", "use": "sig"}
    assert set(opened(desk.issue(holder_key=marked))[1]["cnf"]["jwk"]) == {"kty", "crv", "x"}


@pytest.mark.parametrize(
    "jwk",
    [
        OKPKey.generate_key("Ed25519").as_dict(private=True),
        OKPKey.generate_key("Ed448").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        ECKey.generate_key("P-384").as_dict(private=False),
        RSAKey.generate_key(2048).as_dict(private=False),
        {"kty": "oct", "k": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": ["OKP"]},
        {},
    ],
)
def test_a_holders_key_is_public_and_of_a_kind_that_signs(jwk):
    with pytest.raises(ProofNotIssued, match="holder's key must be a public JWK"):
        replace(ASKED, holder_key=jwk)
