"""What is counted of each pass: values in the reference's bins, scores, consent; and nothing of whom."""

from __future__ import annotations

import threading

import numpy as np

from benne.features.quality.drift import count_into
from benne.scoring.monitoring import live_watch as module
from benne.scoring.monitoring.live_watch import LiveWatch, reference_of
from tests.scoring.monitoring.conftest import Histograms, Watched, refused, scored_pass, served_model

NULL = float("nan")


def test_values_are_counted_in_the_references_bins_with_edges_inclusive_and_nulls_apart(on_sqlite: Watched) -> None:
    rows = [(0.0, 1000.0), (0.5, 1000.5), (0.51, NULL), (NULL, 99.0)]
    on_sqlite.live.watch(scored_pass(on_sqlite.served, rows))
    counted = on_sqlite.counted()
    assert {cell: n for (name, cell), n in counted.items() if name == "feature.late_share"} == {0: 1, 1: 1, 2: 1, 3: 1}
    assert {cell: n for (name, cell), n in counted.items() if name == "feature.income"} == {0: 2, 1: 1, 2: 1}
    assert counted["score", 1] == 4
    assert counted["band.good", 0] == counted["answers", 0] == counted["thin", 0] == counted["pd", 0] == 4
    assert sum(row["amount"] for row in on_sqlite.rows() if row["name"] == "pd") == 0.4


def test_they_fall_where_a_build_would_count_them(on_sqlite: Watched) -> None:
    values = np.sort(np.random.default_rng(0).choice([0.0, 0.25, 0.5, 0.75], 200))
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(value, 1.0) for value in values]))
    counted = on_sqlite.counted()
    same = count_into((0.0, 0.5), values, 0).counts
    assert tuple(counted["feature.late_share", cell] for cell in range(3)) == same


def test_what_a_member_withholds_is_not_counted(on_sqlite: Watched) -> None:
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.1, NULL)], withheld=["ability"]))
    counted = on_sqlite.counted()
    assert not any(name == "feature.income" for name, _ in counted)
    assert counted["feature.late_share", 1] == 1
    assert counted["pattern", 4] == 1  # ability is the third of five


def test_refusals_are_counted_by_reason_but_those_of_benefits_only_as_asked(on_sqlite: Watched) -> None:
    cases = [
        refused("consent-required"), refused("consent-required"), refused("features-missing"),
        refused("consent-required", benefit="waiver"), refused("features-missing", benefit="waiver"),
        *scored_pass(on_sqlite.served, [(0.0, 1.0)], benefit="waiver"),
    ]  # fmt: skip
    on_sqlite.live.watch(cases)
    counted = on_sqlite.counted()
    told = {key: n for key, n in counted.items() if key[0].startswith(("answers", "refused"))}
    assert told == {("answers", 1): 3, ("answers", 2): 3, ("refused.consent-required", 0): 2,
                    ("refused.features-missing", 0): 1}  # fmt: skip


def test_what_a_review_or_a_correction_asks_again_is_not_counted(on_sqlite: Watched) -> None:
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1.0)], role="system"))
    assert on_sqlite.counted() == {}


def test_a_model_of_an_older_benne_is_counted_by_band_alone(on_sqlite: Watched) -> None:
    old = served_model(None)
    assert reference_of(old.model) is None
    on_sqlite.live.watch(scored_pass(old, [(0.0, 1.0)], thin=True))
    names = {name for name, _ in on_sqlite.counted()}
    assert names == {"answers", "band.good", "pattern", "pd", "thin"}


def test_rare_regions_are_counted_where_the_model_knows_them(on_sqlite: Watched) -> None:
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1.0)]))
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1.0)] * 2, rare=True))
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1.0)] * 3, rare=False))
    counted = on_sqlite.counted()
    assert (counted["rare", 0], counted["rare", 1]) == (3, 2)


def test_a_challenger_is_counted_under_its_own_id(on_sqlite: Watched) -> None:
    challenger = served_model(Histograms(), "benne/0000000000000002")
    on_sqlite.live.watch([*scored_pass(on_sqlite.served, [(0.0, 1.0)]), *scored_pass(challenger, [(0.0, 1.0)] * 2)])
    on_sqlite.live.gather()
    scores = {row["scope"]: row["n"] for row in on_sqlite.rows() if row["name"] == "score"}
    assert scores == {"benne/0000000000000001": 1, "benne/0000000000000002": 2}


def test_a_day_that_ends_is_counted_as_itself(on_sqlite: Watched) -> None:
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1.0)]))
    on_sqlite.clock.turn(days=1)
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1.0)] * 3))
    on_sqlite.live.gather()
    assert sorted((row["day"], row["n"]) for row in on_sqlite.rows() if row["name"] == "score") == [
        (20513, 1),
        (20514, 3),
    ]


def test_what_waits_is_bounded_and_counted_by_whoever_brings_one_more(on_sqlite: Watched, monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    for _ in range(3):
        on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1.0)]))
        assert on_sqlite.live.counts.waiting == 0
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.0, 1.0)]))
    assert on_sqlite.live.counts.waiting > 0


def test_passes_of_several_clerks_at_once_are_all_counted(on_sqlite: Watched) -> None:
    watch: LiveWatch = on_sqlite.live.watch

    def clerk() -> None:
        for _ in range(50):
            watch(scored_pass(on_sqlite.served, [(0.0, 1.0)] * 3))
            watch.drain()

    clerks = [threading.Thread(target=clerk) for _ in range(4)]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    assert on_sqlite.counted()["score", 1] == 600


def test_nothing_of_a_member_is_in_what_is_kept(on_sqlite: Watched) -> None:
    on_sqlite.live.watch(scored_pass(on_sqlite.served, [(0.123456, 98765.4321)]))
    on_sqlite.live.gather()
    kept = repr(on_sqlite.rows())
    assert "98765" not in kept
    assert "0.1234" not in kept
    assert "0" * 32 not in kept
