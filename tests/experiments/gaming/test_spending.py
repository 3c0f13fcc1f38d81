import dataclasses
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.errors import ConsentError, GamingError
from benne.experiments.gaming import spending_test
from benne.experiments.gaming.more_spending import only_of, spending_rows, with_first_purchase, with_more_spending
from benne.features import MASK_COLUMNS, ConsentMask, build_features, load_events

from .conftest import KEY

JOINED, AS_OF = datetime(2025, 1, 1, tzinfo=UTC), pd.Timestamp("2025-07-01", tz="UTC")


def payment(member, record, day, amount, direction="out", kind="purchase", status="settled", seller="shop"):
    when = datetime(2025, 6, day, tzinfo=UTC)
    return {
        "record_id": record, "member_id": member, "event_time": when, "known_at": when, "direction": direction,
        "kind": kind, "amount": amount, "status": status, "counterparty_id": seller, "currency": "EUR",
    }  # fmt: skip


@pytest.fixture(scope="module")
def events():
    """Anna buys for 100 and 60 and has 400 coming in; Ben only pays a bill; Carl's one purchase failed."""
    rows = [
        payment("anna", "1", 1, 10000), payment("anna", "2", 9, 6000), payment("anna", "3", 10, 40000, "in", "top_up"),
        payment("ben", "4", 2, 5000, kind="bill"), payment("ben", "5", 3, 5000, "in", "top_up"),
        payment("carl", "6", 2, 5000, status="failed"), payment("carl", "7", 3, 5000, "in", "top_up"),
    ]  # fmt: skip
    members = [{"record_id": m, "member_id": m, "event_time": JOINED, "known_at": JOINED, "adult": True}
               for m in ("anna", "ben", "carl")]  # fmt: skip
    tables = {"members": pd.DataFrame(members), "payments": pd.DataFrame(rows)}
    return load_events(tables, key=KEY, ingested_at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def observed():
    return pd.DataFrame({"subject_id": KEY.subject_ids(["anna", "ben", "carl"]), "as_of": AS_OF})


@pytest.fixture(scope="module")
def mask():
    return ConsentMask.all_granted(reason="made up members")


class Linear:
    """A model by hand: 600 points, and so many for each unit of one feature; null counts as so many units."""

    def __init__(self, feature, points, null=0.0):
        self.feature_names_in_ = np.array([feature])
        self._points, self._null = points, null

    def refusals(self, X, withheld=()):
        return np.zeros(len(X), dtype=bool), np.zeros(len(X), dtype=bool)

    def predict_score(self, X, withheld=()):
        return 600.0 + self._points * X[self.feature_names_in_[0]].fillna(self._null).to_numpy()


def spent(events):
    rows = events.read("payments").to_pandas()
    return rows[rows["direction"].eq("out") & rows["kind"].eq("purchase") & rows["status"].eq("settled")]


def test_only_purchases_that_went_through_are_spending(events):
    payments = events.read("payments")
    assert sorted(payments.filter(spending_rows(payments))["amount"].to_pylist()) == [6000, 10000]


def test_amounts_are_scaled_and_nothing_else(events):
    after = with_more_spending(events, "amounts", 1.5)
    assert sorted(spent(after)["amount"]) == [9000, 15000]
    before, changed = (one.read("payments").to_pandas() for one in (events, after))
    others = before["kind"].ne("purchase") | before["status"].eq("failed")
    pd.testing.assert_frame_equal(before[others], changed[others])


@pytest.mark.parametrize(("way", "sellers"), [("repeats", 1), ("elsewhere", 3)])
def test_repeats_are_rows_of_their_own_with_the_same_seller_or_new_ones(events, way, sellers):
    after = spent(with_more_spending(events, way, 3.0))
    assert len(after) == 6
    assert after["record_id"].is_unique
    assert after["amount"].sum() == 3 * 16000
    assert after["counterparty_id"].nunique() == sellers
    assert after["supersedes"].isna().all()


def test_features_of_more_spending_are_what_a_hand_computes(events, observed, mask):
    # 400 came in, 160 went out: 2.5. Twice the spending: 1.25. Five times, by repeats: 0.5.
    ratios = [
        build_features(one, observed, consents=mask, workers=1)["in_out_ratio_180d"].iloc[0]
        for one in (events, with_more_spending(events, "amounts", 2.0), with_more_spending(events, "repeats", 5.0))
    ]
    assert ratios == [2.5, 1.25, 0.5]


def test_payments_of_others_are_not_even_read(events, observed):
    own = only_of(events, observed["subject_id"].tolist()[:1])
    assert own.rows("payments") == 3


def test_spending_is_never_scaled_down_or_in_a_way_nobody_knows(events):
    with pytest.raises(GamingError, match=r"by more than 1, got amounts, 0\.5"):
        with_more_spending(events, "amounts", 0.5)
    with pytest.raises(GamingError, match="in a way among amounts, repeats, elsewhere"):
        with_more_spending(events, "gifts", 2.0)


def test_a_model_that_rewards_spending_is_caught_with_the_feature_that_does_it(events, observed, mask):
    # Ten points less for each unit of money in against money out: five times the spending takes Anna's 2.5 to 0.5, and
    # a first purchase of 80 Ben's 50/50 to 50/130. Carl, who had nothing go out, comes from null, here 0.
    found = spending_test(Linear("in_out_ratio_180d", -10.0), events, observed, consents=mask)
    assert (found.members, found.spenders, found.raised) == (3, 1, 2)
    assert found.largest == pytest.approx(20.0)
    assert found.features.index.tolist() == ["in_out_ratio_180d"]
    assert found.measure.value == 2.0
    assert "in_out_ratio_180d" in found.measure.note
    by = found.ways.set_index(["way", "factor"])["largest"]
    assert by["amounts", 1.5] == pytest.approx(10 * (2.5 - 2.5 / 1.5))
    assert by["repeats", 2.0] == pytest.approx(12.5)
    assert found.ways["largest"].iloc[-1] == pytest.approx(10 * (1 - 50 / 130))


def test_a_model_that_holds_spending_against_members_passes(events, observed, mask):
    found = spending_test(Linear("in_out_ratio_180d", 10.0, null=100.0), events, observed, consents=mask)
    assert (found.raised, found.largest, found.measure.value) == (0, 0.0, 0.0)


def test_a_first_purchase_that_turns_a_null_into_a_merit_is_caught(events, observed, mask):
    # Carl: from null, which counts as nothing, to 50 in against 80 out.
    found = spending_test(Linear("in_out_ratio_180d", 10.0), events, observed, consents=mask)
    assert found.raised == 1
    assert found.ways.set_index("way")["largest"]["first"] == pytest.approx(10 * 50 / 80)
    assert (found.ways.set_index("way")["raised"].drop("first") == 0).all()


def test_a_first_purchase_is_given_only_to_who_has_none_in_half_a_year(events, observed):
    late = observed.assign(as_of=pd.Timestamp("2026-01-01", tz="UTC"))
    assert len(spent(with_first_purchase(events, observed))) == 2 + 2
    assert len(spent(with_first_purchase(events, late))) == 2 + 3
    assert spent(with_first_purchase(events, observed))["amount"].tolist().count(8000) == 2


def test_buying_from_more_sellers_is_tried_too(events, observed, mask):
    found = spending_test(Linear("counterparties_365d", 1.0), events, observed, consents=mask, factors=(2.0,))
    raised = found.ways.set_index("way")["raised"]
    assert raised.to_dict() == {"amounts": 0, "repeats": 0, "elsewhere": 1, "first": 2}


def test_members_who_buy_nothing_prove_nothing(events, observed, mask):
    found = spending_test(Linear("in_out_ratio_180d", -10.0), events, observed.iloc[1:], consents=mask)
    assert found.measure.state == "INSUFFICIENT"


def test_nothing_is_computed_unless_somebody_says_what_may_be(events, observed):
    with pytest.raises(ConsentError, match="consents must say what may be computed"):
        spending_test(Linear("in_out_ratio_180d", 1.0), events, observed)


def test_a_feature_frame_says_itself_what_may_be_computed(events, observed, mask):
    frame = build_features(events, observed, consents=mask, workers=1)
    refused = frame.assign(**{MASK_COLUMNS["behaviour"]: False})
    model = Linear("in_out_ratio_180d", -10.0)
    assert spending_test(model, events, frame).raised == 2
    assert spending_test(model, events, refused).raised == 0


def test_events_without_payments_are_refused(events, observed, mask):
    bare = dataclasses.replace(events, sources={"members": events.sources["members"]})
    with pytest.raises(GamingError, match="events with payments"):
        spending_test(Linear("in_out_ratio_180d", 1.0), bare, observed, consents=mask)


def test_a_feature_that_the_events_do_not_build_is_named(events, observed, mask):
    with pytest.raises(GamingError, match=r"every feature of the model .* got none for 'own_feature'"):
        spending_test(Linear("own_feature", 1.0), events, observed, consents=mask)


@pytest.mark.slow
def test_todays_features_reward_spending_unless_the_model_is_guarded(world):
    open_, guarded = (
        spending_test(world.fitted(guarded=one), world.events, world.features, factors=(2.0,), members=400)
        for one in (False, True)
    )
    assert open_.raised > 10
    assert set(open_.features["direction"]) <= {0, -1}
    assert guarded.spenders > 300
    assert (guarded.raised, guarded.largest) == (0, 0.0)


class Seen(Linear):
    """Keeps the rows that it was asked to score."""

    def __init__(self, *names):
        super().__init__(names[0], 1.0)
        self.feature_names_in_, self.rows = np.array(names), []

    def predict_score(self, X, withheld=()):
        self.rows.append(X)
        return super().predict_score(X, withheld)


def test_whatever_spending_does_not_change_is_as_it_was_given(world):
    """Contacts outside the rows under test gave a consent that those rows do not show."""
    model = Seen("relationships_365d", "spending_trend_90d")
    some = world.features.sample(60, random_state=0).sort_index()
    spending_test(model, world.events, some, factors=(2.0,))
    pd.testing.assert_series_equal(model.rows[1]["relationships_365d"].sort_index(), some["relationships_365d"])
    for scored in model.rows:
        assert scored["relationships_365d"].sort_index().equals(some["relationships_365d"])
