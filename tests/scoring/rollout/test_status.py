"""What the counts say, on sums one can add up by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from benne.errors import RolloutError
from benne.models.scale import BAND_SCHEMES, Band
from benne.scoring import open_store
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.shadow_counts import CELLS, Lines, count_pair
from benne.scoring.rollout.status import rollout_status
from benne.scoring.store.governance_tables import model_rollouts
from benne.scoring.store.service_tables import model_promotions


@pytest.fixture
def store(tmp_path):
    store = open_store(tmp_path / "s.db")
    with store.write() as connection:
        connection.execute(
            model_promotions.insert(),
            {"seq": 1, "model_id": "benne/1", "config_hash": "1" * 64, "promoted_at_us": 0, "actor_id": "ops"},
        )
    yield store
    store.close()


def begin(store):
    step = {
        "seq": 1, "rollout_id": "r-1", "state": "shadow", "model_id": "benne/2", "config_hash": "2" * 64,
        "share_basis_points": 0, "salt": "ab" * 16, "promotion_seq": 1, "reason": None, "changed_at_us": 7,
        "actor_id": "ops",
    }  # fmt: skip
    with store.write() as connection:
        connection.execute(model_rollouts.insert(), step)


def count(store, before, after, pds=(0.1, 0.2), days=(1,)):
    """Count pairs of scores; the whole change is of ability."""
    before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    nothing = np.zeros(len(before))
    for day in days:
        counts = LiveCounts(store, lambda day=day: datetime(2026, 3, day, tzinfo=UTC))
        champion = Lines(before, nothing + pds[0], {"base": nothing + 600, "ability": before - 600})
        challenger = Lines(after, nothing + pds[1], {"base": nothing + 590, "ability": after - 590})
        count_pair(counts, "r-1", champion, challenger)
        counts.flush()


def status(store, **how):
    with store.read() as connection:
        return rollout_status(connection, **how)


def test_before_the_first_roll_out_there_is_none(store):
    assert status(store) is None


def test_without_an_answer_there_are_no_figures(store):
    begin(store)
    found = status(store)
    assert (found.mean_change, found.shifts, found.changes) == (None, [], [])
    assert found.counts == dict.fromkeys(found.counts, 0)


def test_the_champion_named_is_the_one_it_was_compared_with_whoever_serves_since(store):
    begin(store)
    later = {"seq": 2, "model_id": "benne/2", "config_hash": "2" * 64, "promoted_at_us": 9, "actor_id": "ops"}
    with store.write() as connection:
        connection.execute(model_promotions.insert(), later)
    found = status(store)
    assert (found.champion_id, found.rollout.model_id) == ("benne/1", "benne/2")


def test_sets_matrix_and_changes_add_up_by_hand(store):
    """At 600: 30 in with both, 20 come in (590 to 610), 10 fall out (640 to 560), 40 stay out."""
    begin(store)
    before = [620] * 30 + [590] * 20 + [640] * 10 + [500] * 40
    after = [660] * 30 + [610] * 20 + [560] * 10 + [500] * 40
    count(store, before, after)
    found = status(store, cutoffs=[600])
    assert [(line["set"], line["n"], line["share"]) for line in found.swap_sets] == [
        ("both_in", 30, 0.3), ("swapped_in", 20, 0.2), ("swapped_out", 10, 0.1), ("both_out", 40, 0.4),
    ]  # fmt: skip
    assert {(line["champion_pd"], line["challenger_pd"]) for line in found.swap_sets} == {(0.1, 0.2)}
    rows = {line.pop("champion"): line for line in found.matrix}
    assert rows["good"] == {"poor": 0, "fair": 10, "good": 0, "very good": 30, "excellent": 0}
    assert rows["fair"] == {"poor": 0, "fair": 0, "good": 20, "very good": 0, "excellent": 0}
    assert found.mean_change == pytest.approx((30 * 40 + 20 * 20 - 10 * 80) / 100)
    assert found.changes == [
        {"part": "base", "mean_change": -10.0, "mean_absolute_change": 10.0},
        {"part": "ability", "mean_change": 18.0, "mean_absolute_change": (30 * 50 + 20 * 30 + 10 * 70 + 40 * 10) / 100},
    ]
    assert found.shifts == [
        {"points": -80, "n": 10}, {"points": 0, "n": 40}, {"points": 20, "n": 20}, {"points": 40, "n": 30},
    ]  # fmt: skip


def test_days_and_instances_are_summed(store):
    begin(store)
    count(store, [620] * 6, [660] * 6, days=(1, 2))
    assert status(store).counts["compared"] == 12
    assert status(store, cutoffs=[600]).swap_sets[0]["n"] == 12


def test_no_figure_rests_on_fewer_than_ten(store):
    begin(store)
    count(store, [620] * 9 + [500] * 20, [660] * 9 + [500] * 20)
    found = status(store, cutoffs=[600])
    assert found.swap_sets[0] == {
        "cutoff": 600, "set": "both_in", "n": None, "share": None, "champion_pd": None, "challenger_pd": None,
    }  # fmt: skip
    assert {"points": 40, "n": None} in found.shifts
    assert any("fewer than 10" in note for note in found.notes)


def test_bands_are_the_champions_and_where_they_begin_between_tens_there_is_no_matrix(store):
    begin(store)
    count(store, [700] * 12, [810] * 12)
    matrix = status(store, bands=BAND_SCHEMES["AAA-D"]).matrix
    assert {line["champion"]: line["AAA"] for line in matrix}["A"] == 12
    found = status(store, bands=(Band("low", 350, 604), Band("high", 605, 950)))
    assert (found.matrix, found.swap_sets) == ([], [])
    assert any("do not begin at whole tens" in note for note in found.notes)


@pytest.mark.parametrize("cutoff", [605, 350, 960])
def test_a_cutoff_is_a_whole_ten(store, cutoff):
    begin(store)
    with pytest.raises(RolloutError, match="whole ten from 360 to 950"):
        status(store, cutoffs=[cutoff])


def test_every_score_has_its_cell(store):
    begin(store)
    ends = np.array([350.0, 950.0] * 10)
    count(store, ends, ends[::-1])
    with store.read() as connection:
        table = LiveCounts.read(connection, "r-1")
    assert table.loc[table["name"] == "shadow.joint", "cell"].tolist() == [CELLS - 1, CELLS * (CELLS - 1)]
