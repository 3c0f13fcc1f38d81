"""A simulated world holds what it promises, and nothing else decides it than its arguments."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from benne.errors import SimulationError
from benne.experiments.simulator import CONSENT_SCHEMA, Simulation, SimulatorOptions, simulate
from benne.experiments.simulator.records import arrow_schema
from benne.features import ConsentMask, SubjectKey, build_features, load_events
from benne.features.events.tables import TABLES

OPTIONS = SimulatorOptions(community_size=600)
AS_OF = pd.Timestamp(OPTIONS.as_of[-1])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return simulate(tmp_path_factory.mktemp("worlds") / "world", members=1_500, seed=11, options=OPTIONS)


@pytest.fixture(scope="module")
def raw(world: Simulation) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(world.raw / f"{name}.parquet") for name in TABLES}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.parquet"))
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    one = digests(simulate(tmp_path / "one", members=300, seed=4).folder)
    again = digests(simulate(tmp_path / "again", members=300, seed=4).folder)
    assert len(one) == len(TABLES) + 5
    assert one == again


def test_another_seed_changes_everything_but_who_is_observed_when(tmp_path: Path) -> None:
    one = digests(simulate(tmp_path / "one", members=300, seed=4).folder)
    other = digests(simulate(tmp_path / "other", members=300, seed=5).folder)
    assert [name for name in one if one[name] == other[name]] == ["observations.parquet"]


def test_full_communities_do_not_change_when_more_members_are_asked_for(tmp_path: Path, world: Simulation) -> None:
    fewer = simulate(tmp_path / "fewer", members=600, seed=11, options=OPTIONS)
    for path in fewer.folder.rglob("*.parquet"):
        few = pq.read_table(path)
        more = pq.read_table(world.folder / path.relative_to(fewer.folder))
        assert more.slice(0, len(few)).equals(few), path.name


def test_each_community_is_written_on_its_own_so_that_memory_holds_one(world: Simulation) -> None:
    for name in TABLES:
        file = pq.ParquetFile(world.raw / f"{name}.parquet")
        members = [file.read_row_group(i, ["member_id"])["member_id"].to_numpy() for i in range(file.num_row_groups)]
        communities = [set(np.unique(group)) for group in members]
        assert len(communities) == 3
        assert max(map(len, communities)) <= 600
        assert not communities[0] & communities[1]


def test_progress_counts_members_by_community(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    options = SimulatorOptions(community_size=20)
    simulate(tmp_path / "w", members=50, options=options, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(20, 50), (40, 50), (50, 50)]


@pytest.mark.parametrize("name", TABLES)
def test_every_event_table_has_the_declared_schema(world: Simulation, name: str) -> None:
    assert pq.read_schema(world.raw / f"{name}.parquet").equals(arrow_schema(name))
    table = pq.read_table(world.raw / f"{name}.parquet")
    for column in TABLES[name].all_columns:
        values = table[column.name]
        if column.required:
            assert values.null_count == 0, column.name
        if column.kind == "category":
            assert set(values.drop_null().to_pylist()) <= set(column.values)


def test_every_declared_category_value_occurs_but_those_no_simulated_platform_uses(
    raw: dict[str, pd.DataFrame],
) -> None:
    unused = {
        (name, column.name, value)
        for name, table in TABLES.items()
        for column in table.columns
        for value in column.values
        if value not in set(raw[name][column.name].dropna())
    }
    assert unused == {("account_status", "status", "open"), ("incomes", "kind", "other")}


def test_the_events_pass_the_platforms_own_door(world: Simulation, raw: dict[str, pd.DataFrame]) -> None:
    paths = {name: world.raw / f"{name}.parquet" for name in TABLES}
    events = load_events(paths, key=SubjectKey(b"k" * 32), ingested_at=world.extracted_at.to_pydatetime())
    assert {name: events.rows(name) for name in TABLES} == {name: len(rows) for name, rows in raw.items()}


def test_features_are_built_from_every_category_under_the_simulated_consents(world: Simulation) -> None:
    key = SubjectKey(b"k" * 32)
    paths = {name: world.raw / f"{name}.parquet" for name in TABLES}
    events = load_events(paths, key=key, ingested_at=world.extracted_at.to_pydatetime())
    observations = world.observations().assign(subject_id=lambda o: key.subject_ids(o["member_id"]))
    grants = world.grants().assign(subject_id=lambda g: key.subject_ids(g["member_id"]))
    frame = build_features(events, observations, consents=ConsentMask(grants, reason="simulated consents"))
    consented = frame.filter(like="consented_").mean()
    assert consented.between(0.4, 0.95).all()
    assert consented.idxmin() == "consented_social"


def test_repayments_settle_dues_of_the_same_member_and_contract(raw: dict[str, pd.DataFrame]) -> None:
    dues, repayments = raw["dues"], raw["repayments"]
    assert dues["due_id"].is_unique
    joined = repayments.merge(dues, on="due_id", suffixes=("", "_due"))
    assert len(joined) == len(repayments)
    assert (joined["member_id"] == joined["member_id_due"]).all()
    assert (joined["obligation_id"] == joined["obligation_id_due"]).all()


def test_contracts_are_opened_once_before_anything_else_happens_to_them(raw: dict[str, pd.DataFrame]) -> None:
    events = raw["obligation_events"]
    opened = events[events["event"] == "opened"].set_index("obligation_id")["event_time"]
    assert opened.index.is_unique
    for name in ("obligation_events", "dues", "account_status"):
        first = raw[name]["obligation_id"].map(opened)
        assert (first.isna() | (raw[name]["event_time"] >= first)).all(), name
        # An opening that reaches the platform after the extract is not in it.
        assert first.isna().mean() < 0.005, name


def test_cards_owe_what_was_billed_less_what_was_paid(raw: dict[str, pd.DataFrame]) -> None:
    status = raw["account_status"]
    status = status[~status["record_id"].isin(status["supersedes"]) & status["supersedes"].isna()]
    assert (status["balance"] == status["statement_amount"] - status["amount_paid"]).all()
    assert (status["months_past_due"].gt(0) == status["status"].isin(["late", "written_off"])).all()


def test_adverse_items_are_notified_before_they_are_reported(raw: dict[str, pd.DataFrame]) -> None:
    times = raw["adverse_items"].pivot(index="item_id", columns="event", values="event_time")
    reported = times[times["reported"].notna()]
    assert len(reported) > 50
    assert (reported["notified"] < reported["reported"]).all()


def test_interactions_are_seen_from_both_sides(raw: dict[str, pd.DataFrame]) -> None:
    rows = raw["interactions"]
    assert (rows["member_id"] != rows["other_id"]).all()
    assert set(rows["other_id"]) <= set(raw["members"]["member_id"])
    given = rows[rows["direction"] == "given"].set_index(["member_id", "other_id", "event_time"]).index
    received = rows[rows["direction"] == "received"].set_index(["other_id", "member_id", "event_time"]).index
    # A side that reaches the platform after the extract is not in it.
    assert len(given.symmetric_difference(received)) < 0.02 * len(given)


def test_friends_are_alike_a_little(raw: dict[str, pd.DataFrame], world: Simulation) -> None:
    latent = world.truth().set_index("member_id")[["ability", "willingness"]].sum(axis=1)
    pairs = raw["interactions"][["member_id", "other_id"]].drop_duplicates()
    assert 0.05 < latent.loc[pairs["member_id"]].reset_index(drop=True).corr(
        latent.loc[pairs["other_id"]].reset_index(drop=True)
    ) < 0.5  # fmt: skip


def test_nothing_but_a_schedule_is_known_before_it_happens(raw: dict[str, pd.DataFrame]) -> None:
    for name, table in TABLES.items():
        early = raw[name]["known_at"] < raw[name]["event_time"]
        assert early.any() == table.schedule, name


def test_nothing_known_after_the_extract_is_in_it(raw: dict[str, pd.DataFrame], world: Simulation) -> None:
    assert max(rows["known_at"].max() for rows in raw.values()) < world.extracted_at


def test_an_extract_in_mid_month_ends_there(tmp_path: Path) -> None:
    moment = pd.Timestamp("2025-08-20T06", tz="UTC")
    world = simulate(tmp_path / "w", members=300, options=SimulatorOptions(extracted_at=moment.to_pydatetime()))
    payments = pd.read_parquet(world.raw / "payments.parquet")
    assert world.extracted_at == moment
    assert moment - pd.Timedelta(days=1) < payments["known_at"].max() < moment
    assert payments["event_time"].max() < moment


def test_members_hold_no_platform_events_before_joining(raw: dict[str, pd.DataFrame]) -> None:
    joined = raw["members"].set_index("member_id")["event_time"]
    assert (joined < AS_OF).all()
    for name in ("payments", "balances", "incomes", "interactions", "verifications"):
        assert (raw[name]["event_time"] >= raw[name]["member_id"].map(joined)).all(), name
    bureau = raw["account_status"]
    assert (bureau["event_time"] < bureau["member_id"].map(joined)).any()
    assert (bureau["known_at"] >= bureau["member_id"].map(joined)).all()


def test_some_records_come_weeks_late_and_some_only_after_the_observation(raw: dict[str, pd.DataFrame]) -> None:
    payments = raw["payments"]
    lag = payments["known_at"] - payments["event_time"]
    assert 0.01 < (lag > pd.Timedelta(days=7)).mean() < 0.05
    assert ((payments["event_time"] < AS_OF) & (payments["known_at"] >= AS_OF)).any()


def test_late_records_can_be_switched_off(tmp_path: Path) -> None:
    options = SimulatorOptions(late_share=0.0, correction_share=0.0)
    world = simulate(tmp_path / "w", members=200, options=options)
    payments = pd.read_parquet(world.raw / "payments.parquet")
    assert (payments["known_at"] - payments["event_time"]).max() < pd.Timedelta(days=1)
    assert payments["supersedes"].isna().all()


def test_a_correction_supersedes_an_earlier_record_of_the_same_member(raw: dict[str, pd.DataFrame]) -> None:
    for name in ("payments", "incomes", "balances", "repayments", "account_status"):
        rows = raw[name].set_index("record_id")
        new = rows[rows["supersedes"].notna()]
        old = rows.loc[new["supersedes"]]
        assert 0 < len(new) < 0.01 * len(rows)
        assert (new["member_id"].to_numpy() == old["member_id"].to_numpy()).all()
        assert (new["event_time"].to_numpy() == old["event_time"].to_numpy()).all()
        assert (new["known_at"].to_numpy() > old["known_at"].to_numpy()).all()


def test_every_table_but_members_goes_on_after_the_observation(raw: dict[str, pd.DataFrame]) -> None:
    for name in set(TABLES) - {"members"}:
        assert (raw[name]["event_time"] >= AS_OF).any(), name


def test_what_happens_afterwards_knows_the_outcome(raw: dict[str, pd.DataFrame], world: Simulation) -> None:
    bad = world.outcomes().set_index("member_id")["bad"]
    status = raw["account_status"][raw["account_status"]["event_time"] >= AS_OF]
    late = status["status"].eq("late").groupby(status["member_id"].map(bad)).mean()
    assert late[True] > 2 * late[False]


def test_some_files_are_thin(raw: dict[str, pd.DataFrame]) -> None:
    members = raw["members"]["member_id"]
    for name in ("account_status", "dues", "incomes", "interactions", "balances"):
        assert 0.05 < (~members.isin(raw[name]["member_id"])).mean() < 0.7, name
    counts = sum(rows.groupby("member_id").size().reindex(members, fill_value=0) for rows in raw.values())
    assert (counts < 15).mean() > 0.01
    assert 100 < counts.mean() < 190


def test_spending_peaks_in_december(raw: dict[str, pd.DataFrame]) -> None:
    settled = raw["payments"][raw["payments"]["kind"] == "purchase"]
    long_standing = raw["members"][raw["members"]["event_time"] < pd.Timestamp("2023-01-01", tz="UTC")]["member_id"]
    times = settled[settled["member_id"].isin(long_standing)]["event_time"]
    by_month = times.dt.strftime("%Y-%m").value_counts()
    assert by_month["2024-12"] > 1.2 * by_month["2024-11"]


def test_the_known_probability_is_the_logistic_of_the_latents(world: Simulation) -> None:
    truth = world.truth()
    log_odds = np.log(truth["pd"] / (1 - truth["pd"]))
    expected = OPTIONS.base_log_odds - 0.85 * truth["ability"] - 1.0 * truth["willingness"]
    assert np.abs(log_odds - expected).max() < 1e-9


def test_the_labels_happen_as_often_as_the_known_probability_says(tmp_path: Path) -> None:
    world = simulate(tmp_path / "w", members=4_000, seed=2)
    both = world.truth().merge(world.outcomes(), on=["member_id", "as_of"])
    standard_error = np.sqrt((both["pd"] * (1 - both["pd"])).sum()) / len(both)
    assert abs(both["bad"].mean() - both["pd"].mean()) < 4 * standard_error
    assert 0.08 < both["pd"].mean() < 0.12
    risky = both["pd"] > both["pd"].quantile(0.9)
    assert abs(both.loc[risky, "bad"].mean() - both.loc[risky, "pd"].mean()) < 0.08


def test_labels_end_with_their_window_and_stand_apart_from_the_events(world: Simulation) -> None:
    outcomes = world.outcomes()
    assert pq.read_schema(world.folder / "outcomes.parquet").equals(arrow_schema("outcomes"))
    assert (outcomes["event_time"] - outcomes["as_of"] == pd.Timedelta(days=365)).all()
    assert outcomes["record_id"].is_unique
    assert sorted(path.stem for path in world.raw.iterdir()) == sorted(TABLES)


def test_several_moments_observe_only_who_has_joined(tmp_path: Path) -> None:
    moments = (datetime(2024, 7, 1, tzinfo=UTC), datetime(2025, 1, 15, tzinfo=UTC))
    world = simulate(tmp_path / "w", members=400, options=SimulatorOptions(as_of=moments))
    observed = world.observations()
    members = pd.read_parquet(world.raw / "members.parquet").set_index("member_id")["event_time"]
    assert observed.groupby("as_of").size().to_dict() == {m: int((members < m).sum()) for m in moments}
    assert world.outcomes()["record_id"].is_unique


def test_consents_are_given_before_they_are_withdrawn_and_never_before_joining(
    world: Simulation, raw: dict[str, pd.DataFrame]
) -> None:
    consents = world.consents()
    assert pq.read_schema(world.folder / "consents.parquet").equals(CONSENT_SCHEMA)
    joined = raw["members"].set_index("member_id")["event_time"]
    assert (consents["time"] > consents["member_id"].map(joined)).all()
    history = consents.sort_values("time", kind="stable").groupby(["member_id", "purpose", "category"])["event"]
    assert {tuple(events) for _, events in history} == {
        ("given",), ("given", "withdrawn"), ("given", "withdrawn", "given"),
    }  # fmt: skip


def test_some_members_stay_outside_and_patterns_are_partial(world: Simulation) -> None:
    given = world.consents().query("event == 'given'")
    scoring = given[given["purpose"] == "lending"].groupby("member_id")["category"].nunique()
    training = given[given["purpose"] == "model_training"].groupby("member_id")["category"].nunique()
    assert 0.05 < 1 - len(scoring) / world.members < 0.3
    assert 0.3 < (scoring == 5).mean() < 0.8
    assert set(training.index) < set(scoring.index)
    assert (training <= scoring.loc[training.index]).all()


def mean_risk_of_sharers_and_others(world: Simulation) -> tuple[float, float]:
    pd_known = world.truth().set_index("member_id")["pd"]
    shares = pd_known.index.isin(world.consents().query("category == 'social' and purpose == 'lending'")["member_id"])
    return float(pd_known[shares].mean()), float(pd_known[~shares].mean())


def test_riskier_members_withhold_more_unless_switched_off(tmp_path: Path) -> None:
    dependent = simulate(tmp_path / "on", members=3_000, seed=8)
    sharing, withholding = mean_risk_of_sharers_and_others(dependent)
    assert withholding > 1.2 * sharing
    free = SimulatorOptions(consent_depends_on_risk=False)
    sharing, withholding = mean_risk_of_sharers_and_others(
        simulate(tmp_path / "off", members=3_000, seed=8, options=free)
    )
    assert withholding == pytest.approx(sharing, rel=0.1)


def test_the_switch_for_consent_changes_no_event_and_no_label(tmp_path: Path) -> None:
    one = digests(simulate(tmp_path / "on", members=200).folder)
    free = SimulatorOptions(consent_depends_on_risk=False)
    other = digests(simulate(tmp_path / "off", members=200, options=free).folder)
    assert [name for name in one if one[name] != other[name]] == ["consents.parquet"]


def test_grant_periods_end_with_their_withdrawal(world: Simulation) -> None:
    grants = world.grants()
    ended = grants[grants["granted_until"].notna()]
    assert (ended["granted_until"] > ended["granted_from"]).all()
    withdrawn = world.consents().query("event == 'withdrawn' and purpose == 'lending'")
    assert len(ended) == len(withdrawn)
    assert set(ended["granted_until"]) == set(withdrawn["time"])


def test_protected_attributes_stand_apart(world: Simulation) -> None:
    protected = pd.read_parquet(world.folder / "protected" / "attributes.parquet")
    assert list(protected.columns) == ["member_id", "sex", "age_band"]
    for path in (world.folder / "raw").iterdir():
        assert not {"sex", "age_band"} & set(pq.read_schema(path).names)


def test_a_world_can_be_opened_again_and_says_what_it_is(world: Simulation) -> None:
    assert Simulation.open(world.folder) == world
    assert "proves nothing about real people" in (world.folder / "simulation.json").read_text(encoding="utf-8")


def test_an_earlier_world_is_replaced_whole(tmp_path: Path) -> None:
    simulate(tmp_path / "w", members=30)
    assert simulate(tmp_path / "w", members=40).rows["raw/members"] == 40
    assert [path.name for path in tmp_path.iterdir()] == ["w"]


def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SimulationError, match="must be empty or hold an earlier simulation"):
        simulate(tmp_path, members=30)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path / "w", members=30, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"must hold simulation\.json"):
        Simulation.open(tmp_path)


@pytest.mark.parametrize(("members", "seed"), [(0, 1), (10, -1)])
def test_members_and_seed_out_of_range_are_refused(tmp_path: Path, members: int, seed: int) -> None:
    with pytest.raises(SimulationError, match="members must be positive and seed not negative"):
        simulate(tmp_path / "w", members=members, seed=seed)
