"""Whether categories earn their weight on real members."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benne.experiments.category_value import ValueOptions
from benne.experiments.category_value.public_sets import category_value_of
from benne.features import SubjectKey

pytestmark = pytest.mark.slow


def worth(name, real_data):
    key, now = SubjectKey(bytes(range(32))), datetime(2026, 11, 30, tzinfo=UTC)
    return category_value_of(name, real_data, key=key, ingested_at=now, options=ValueOptions(free=False))


def test_on_taiwan_credit_history_earns_its_weight_and_ability_costs_the_young(real_data):
    report = worth("taiwan", real_data)
    assert report.of("credit_history").verdict.words == "earns its weight"
    ability = report.of("ability")
    assert ability.verdict.words == "no measurable gain"
    (young,) = [one for one in ability.disparity if one["group"] == "under 25" and one["accepted"] == 0.5]
    assert young["air_with"] < young["air_without"]
    assert young["air_change_high"] < 0.0


def test_berka_is_too_few_to_say_whether_the_social_category_earns_its_weight(real_data):
    social = worth("berka", real_data).of("social")
    assert social.verdict.words == "INSUFFICIENT"
    assert social.bad < 100
