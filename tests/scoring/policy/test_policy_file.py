"""Policies in a file: the built-in ones are right, and a mistake is told by its place in the file."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import PolicyError
from benne.scoring.consent.vocabulary import PURPOSES
from benne.scoring.policy import default_policies, read_policies
from benne.scoring.policy.comparing import differences
from benne.scoring.policy.policy_file import _policies, default_text, parse_policies


def test_the_built_in_policies_name_every_purpose_and_serve_training_to_nobody():
    built_in = default_policies()
    assert set(built_in.purposes) == set(PURPOSES)
    assert [name for name, policy in built_in.purposes.items() if not policy.enabled] == ["model_training"]
    assert set(built_in.benefits) == {"deposit_waiver", "fast_lane"}


def test_the_built_in_policies_let_a_threshold_tell_one_bit():
    assert all(len(policy.marks) <= 1 for policy in default_policies().purposes.values())


def test_the_built_in_policies_let_only_the_platform_read_members_own_reports():
    allowed = {name for name, purposes in default_policies().recipients.items() if "own_report" in purposes}
    assert allowed == {"platform"}


def test_what_is_read_from_a_file_is_what_is_in_it(tmp_path):
    (tmp_path / "p.toml").write_text(
        'jurisdiction = "cn"\n'
        '[purposes.rental]\ncontexts = ["branch"]\nanswer_valid_hours = 2\nvector_age_hours = 3\n'
        'payload_retention_days = 4\nmarks = [700, 600, 600]\n'
        '[recipients.flats]\npurposes = ["rental"]\n'
    )  # fmt: skip
    policies = read_policies(tmp_path / "p.toml")
    rental = policies.purposes["rental"]
    assert (rental.answer_valid, rental.vector_age) == (timedelta(hours=2), timedelta(hours=3))
    assert (rental.payload_retention, rental.marks) == (timedelta(days=4), (600, 700))
    assert not rental.key_factors
    assert (rental.enabled, rental.reliance, rental.granularity) == (True, "advisory", "threshold")
    assert policies.recipients == {"flats": frozenset({"rental"})}


def test_comments_and_layout_are_no_part_of_the_version():
    lines = [line for line in default_text().splitlines() if line.strip() and not line.startswith("#")]
    assert parse_policies("\n".join(lines), "x").version == default_policies().version


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jurisdiction", "mine must be TOML, got something else"),
        ("", "mine: jurisdiction must be given, got none"),
        ("jurisdiction = 3", "jurisdiction must be a text, got int"),
        ('jurisdiction = "mars"', "jurisdiction must be one of cn, eu, us, default, got 'mars'"),
        ('jurisdiction = "eu"\ncolour = "red"', "colour must be one of jurisdiction, purposes, benefits, recipients"),
        ('jurisdiction = "eu"\npurposes = 3', "purposes must be a table, got int"),
        ('jurisdiction = "eu"\n[purposes]\nlending = 3', r"purposes\.lending must be a table, got int"),
        ('jurisdiction = "eu"\n[purposes.lending]', r"purposes\.lending\.contexts must be given, got none"),
        (
            'jurisdiction = "eu"\n[purposes.dating]\ncontexts = ["club"]',
            "purpose must be one of lending, .* got 'dating'",
        ),
        (
            'jurisdiction = "eu"\n[purposes.lending]\ncontexts = "platform"',
            r"purposes\.lending\.contexts must be a list, got str",
        ),
        (
            'jurisdiction = "eu"\n[purposes.lending]\ncontexts = [3]',
            r"purposes\.lending\.contexts must be a text, got int",
        ),
        (
            'jurisdiction = "eu"\n[purposes.lending]\ncontexts = ["a"]\nrelience = "sole"',
            r"purposes\.lending\.relience must be one of enabled, contexts, reliance",
        ),
        (
            'jurisdiction = "eu"\n[purposes.lending]\ncontexts = ["a"]\nreliance = "sole"',
            r"purposes\.lending\.review_route must be given for reliance sole",
        ),
        (
            'jurisdiction = "eu"\n[purposes.lending]\ncontexts = ["a"]\nvector_age_hours = 0',
            r"purposes\.lending\.vector_age_hours must be a whole number from 1 to 87840, got 0",
        ),
        (
            'jurisdiction = "eu"\n[purposes.lending]\ncontexts = ["a"]\nvector_age_hours = 1.5',
            r"purposes\.lending\.vector_age_hours must be a whole number, got float",
        ),
        (
            'jurisdiction = "eu"\n[purposes.lending]\ncontexts = ["a"]\nenabled = "yes"',
            r"purposes\.lending\.enabled must be true or false, got str",
        ),
        ('jurisdiction = "eu"\n[benefits.x]\ngrants = "y"', r"benefits\.x\.purpose must be given"),
        ('jurisdiction = "eu"\n[benefits.x]\nrefuses = "y"', r"benefits\.x\.refuses must be one of purpose, grants"),
        ('jurisdiction = "eu"\n[recipients.x]\npurpose = "y"', r"recipients\.x\.purpose must be one of purposes"),
    ],
)
def test_a_mistake_is_told_by_its_place(text, told):
    with pytest.raises(PolicyError, match=told):
        parse_policies(text, "mine")


def test_a_file_that_cannot_be_read_says_where_to_begin(tmp_path):
    with pytest.raises(PolicyError, match=r"got none that can be read: .*benne policies show --toml"):
        read_policies(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="got none that can be read"):
        read_policies(tmp_path / "binary.toml")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@given(
    section=st.sampled_from(["purposes", "benefits", "recipients"]),
    name=st.sampled_from(["lending", "x"]),
    key=st.sampled_from(["contexts", "reliance", "marks", "purpose", "grants", "threshold", "purposes"]),
    value=VALUES,
)
def test_whatever_stands_in_a_file_it_is_taken_or_refused_with_a_typed_error(section, name, key, value):
    content = {"jurisdiction": "eu", section: {name: {"contexts": ["platform"], key: value}}}
    if section != "purposes":
        content[section][name].pop("contexts", None)
    with contextlib.suppress(PolicyError):  # and no other
        _policies(content)


def test_differences_are_told_place_by_place():
    before = default_policies()
    after = parse_policies(
        default_text().replace("threshold = 700", "threshold = 720").replace('"exact"', '"band"'), "x"
    )
    told = {one.key: (one.before, one.after) for one in differences(before, after)}
    assert told == {
        "benefits.fast_lane.threshold": (700, 720),
        "purposes.lending.granularity": ("exact", "band"),
        "purposes.own_report.granularity": ("exact", "band"),
    }
    assert differences(before, before) == ()


def test_what_was_added_or_taken_away_is_a_difference_too():
    before, after = (
        default_policies(),
        parse_policies(default_text() + '\n[recipients.shop]\npurposes = ["rental"]\n', "x"),
    )
    assert differences(before, after) == (("recipients.shop.purposes", None, ["rental"]),)
    assert differences(after, before) == (("recipients.shop.purposes", ["rental"], None),)
