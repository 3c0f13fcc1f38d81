"""What an audit may hold is a closed list, by place, each with a legal basis."""

from __future__ import annotations

import pytest

from benne.errors import FairnessError
from benne.scoring.protected import HOLDABLE, Declared, lay_out_protected
from benne.scoring.protected.attributes import read_declared, write_declared

BASIS = "Regulation B 1002.5(b)(1)"


@pytest.mark.parametrize(
    "name",
    ["religion", "genes", "fingerprint", "blood_type", "disease", "political_opinion", "trade_union", "ethnicity"],
)
@pytest.mark.parametrize("place", ["cn", "eu", "us", "default"])
def test_what_is_denied_even_with_consent_is_refused_everywhere(place, name):
    with pytest.raises(FairnessError, match=f"got '{name}'"):
        Declared(place, {name: "the member agreed in writing"})


@pytest.mark.parametrize("name", ["race", "national_origin", "public_assistance"])
def test_some_attributes_may_be_held_in_the_us_alone(name):
    assert Declared("us", {name: BASIS}).legal_basis
    for place in ("cn", "eu", "default"):
        with pytest.raises(FairnessError, match=f"{name!r} must not be held in jurisdiction {place}, only in us"):
            Declared(place, {name: BASIS})


def test_sex_age_and_marital_status_may_be_held_everywhere():
    for place in ("cn", "eu", "us", "default"):
        Declared(place, dict.fromkeys(("sex", "age", "age_band", "marital_status"), BASIS))


@pytest.mark.parametrize(
    ("place", "bases", "match"),
    [
        ("us", {"sex": "  "}, "'sex' must have a legal basis"),
        ("us", {}, "must declare one at least"),
        ("mars", {"sex": BASIS}, "jurisdiction must be one of"),
    ],
)
def test_a_declaration_without_place_attribute_or_basis_is_refused(place, bases, match):
    with pytest.raises(FairnessError, match=match):
        Declared(place, bases)


def test_a_declaration_is_read_as_it_was_written(tmp_path):
    declared = Declared("us", dict.fromkeys(HOLDABLE, 'Reg B "1002.5"\\ §'))
    write_declared(declared, tmp_path / "attributes.toml")
    assert read_declared(tmp_path / "attributes.toml") == declared


def test_a_file_that_was_edited_to_hold_what_is_denied_opens_no_store(tmp_path):
    home = lay_out_protected(tmp_path / "p", Declared("us", {"sex": BASIS}))
    file = home / "attributes.toml"
    file.write_text(file.read_text().replace("attributes.sex", "attributes.religion"))
    with pytest.raises(FairnessError, match="got 'religion'"):
        read_declared(file)


def test_a_folder_with_something_in_it_is_not_laid_out(tmp_path):
    (tmp_path / "note").write_text("x")
    with pytest.raises(FairnessError, match="must be empty"):
        lay_out_protected(tmp_path, Declared("us", {"sex": BASIS}))
