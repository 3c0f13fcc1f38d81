"""The check that docs/proofs.md shows to strangers takes what ours takes and refuses what ours refuses."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.errors import JoseError

from benne.scoring.proof.issuing import PROOF_TYPE
from benne.scoring.signing import Ed25519Signer

PLACES = {"issuer": "https://scores.example", "audience": "https://landlord.example", "nonce": "R4nD0m-0f-M1ne-1"}


@pytest.fixture(scope="session")
def code(repository) -> str:
    page = (repository / "docs" / "proofs.md").read_text("utf-8")
    (block,) = (b for b in re.findall(r"```python run\n(.*?)```", page, re.S) if "def verify_proof" in b)
    return block


@pytest.fixture(scope="session")
def verify_proof(code):
    names: dict[str, object] = {}
    exec(compile(code, "docs/proofs.md", "exec"), names)
    return names["verify_proof"]


@pytest.fixture
def show(desk, verify_proof):
    def shown(token, seconds=0, **changes):
        told = {**PLACES, "jwks": desk.signer.public_keys(), "now": int(desk.now.timestamp()) + seconds, **changes}
        return verify_proof(token, **told)

    return shown


def refused(show, token, seconds=0, **changes):
    with pytest.raises((JoseError, ValueError), match=r"."):
        show(token, seconds, **changes)


def claims_of(token: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))


def encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_it_is_at_most_twenty_lines_of_plain_joserfc(code):
    body = code[code.index("def verify_proof") :].strip().splitlines()
    assert len(body) <= 20
    assert "benne." not in code


def test_what_holds_is_read(show, desk):
    statement, jti, exp = show(desk.issue())
    assert (statement["kind"], statement["mark"]) == ("at_least", 650)
    assert (jti, exp) == (f"proof-{1:032}", 1772366700)


def test_it_is_for_one_issuer_recipient_and_occasion(show, desk):
    for name in PLACES:
        refused(show, desk.issue(), **{name: PLACES[name] + "x"})


def test_it_ends_and_begins(show, desk):
    token = desk.issue()
    assert show(token, 5 * 60 + 29)
    assert show(token, -30)
    refused(show, token, 5 * 60 + 31)
    refused(show, token, -31)


def test_another_key_is_refused_under_its_own_id_and_under_ours(show, desk, key_number):
    refused(show, desk.issue(signer=Ed25519Signer(key_number(2))))
    refused(show, desk.issue(signer=Ed25519Signer(key_number(2), kid=desk.signer.kid)))


def test_every_changed_character_is_found(show, desk):
    token = desk.issue()
    for place in range(len(token)):
        changed = "A" if token[place] != "A" else "B"
        refused(show, token[:place] + changed + token[place + 1 :])


@pytest.mark.parametrize("algorithm", ["none", "NONE", "", None, "HS256", "ES256", "RS256"])
def test_no_other_algorithm_is_believed(show, desk, algorithm):
    _, payload, signature = desk.issue().split(".")
    header = encode({"alg": algorithm, "kid": desk.signer.kid, "typ": PROOF_TYPE})
    refused(show, f"{header}.{payload}.{signature}")
    refused(show, f"{header}.{payload}.")


def test_something_else_that_benne_signed_is_no_proof(show, desk):
    refused(show, desk.signer.sign(claims_of(desk.issue()), "benne-consent-receipt+jwt"))


@pytest.mark.parametrize("name", ["iss", "aud", "nonce", "iat", "nbf", "exp"])
def test_a_proof_that_lacks_what_is_checked_is_refused(show, desk, name):
    claims = {key: value for key, value in claims_of(desk.issue()).items() if key != name}
    refused(show, desk.signer.sign(claims, PROOF_TYPE))


@given(text=st.lists(st.text("abcXYZ019-_=", max_size=60), min_size=3, max_size=3).map(".".join))
def test_no_made_up_text_holds(make_desk, verify_proof, text):
    desk = make_desk()
    with pytest.raises((JoseError, ValueError), match=r"."):
        verify_proof(text, desk.signer.public_keys(), *PLACES.values(), int(desk.now.timestamp()))
