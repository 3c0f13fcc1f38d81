"""Bursts put into the events of a simulated platform, and whether the velocity check finds them."""

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benne.experiments.simulator import SimulatorOptions, simulate
from benne.features import ConsentMask, build_features, ingest
from benne.features.events.clustering import CLUSTERED_BY
from benne.features.frames import key_member_ids
from benne.scoring.monitoring.velocity import VelocityReference

from .conftest import KEY

FIRST, SECOND = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
DAY = 86_400_000_000
FRIENDS = 8


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bursts")
    world = simulate(folder / "world", members=3000, seed=4, options=SimulatorOptions(as_of=(FIRST, SECOND)))
    events = ingest(world.raw, folder / "events", key=KEY, ingested_at=world.extracted_at.to_pydatetime())
    return events, key_member_ids(world.observations(), KEY)


def burst(events, members, others):
    """Within the last ten days each member deals both ways with eight new friends, and all of them endorse them."""
    table = events.read("interactions")
    end = int(SECOND.timestamp()) * 1_000_000
    rows = [
        {"record_id": f"burst {member} {friend} {act}", "subject_id": member, "event_time": end - (1 + k) * DAY,
         "known_at": end - (1 + k) * DAY, "other_id": friend, "direction": direction, "kind": kind}
        for member in members
        for k, friend in enumerate(others)
        for act, (direction, kind) in enumerate(
            (("given", "transfer"), ("received", "transfer"), ("received", "endorsement")))
    ]  # fmt: skip
    added = pa.Table.from_pylist(rows, schema=table.schema)
    joined = pa.concat_tables([table.cast(table.schema), added]).sort_by([(name, "ascending") for name in CLUSTERED_BY])
    return dataclasses.replace(events, sources={**events.sources, "interactions": joined.combine_chunks()})


@pytest.mark.slow
def test_bursts_are_found_and_honest_members_are_hardly_ever_flagged(platform):
    events, observed = platform
    mask = ConsentMask.all_granted(reason="simulated members")
    members = np.array(sorted(set(observed["subject_id"])))
    half = len(members) // 2
    gamers, others = members[half : half + 60].tolist(), members[-FRIENDS:].tolist()

    def frames(source):
        built = build_features(source, observed, consents=mask, workers=1)
        moment = built.index.get_level_values("as_of")
        return built[moment == pd.Timestamp(FIRST)], built[moment == pd.Timestamp(SECOND)]

    def of(frame, some):
        return frame[frame.index.get_level_values("subject_id").isin(some)]

    clean, gamed = frames(events), frames(burst(events, gamers, others))
    reference = VelocityReference.learn(*(of(frame, members[:half]) for frame in clean))
    honest = reference.check(*(of(frame, members[half + 60 : -FRIENDS]) for frame in clean))
    found = reference.check(*(of(frame, gamers) for frame in gamed))
    assert found.flagged_share > 0.8
    assert honest.flagged_share < 0.02
    assert found.flags["which"].str.contains("endorsements_received_365d").mean() > 0.9
