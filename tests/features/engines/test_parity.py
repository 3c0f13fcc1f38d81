"""A thousand members of a simulated platform: embedded = Spark = online, bit for bit, under their consents."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.experiments.simulator import simulate
from benne.features import ConsentMask, SubjectKey, build_features, ingest
from benne.features.engines.event_store import EventStore
from benne.features.engines.online import OnlineFeatures
from benne.features.engines.spark import local_session

MOMENTS = ("2025-03-01", "2025-07-01")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Any, ConsentMask, pd.DataFrame]:
    """Folder, simulation, events, consents and more than a thousand observations."""
    folder, key = tmp_path_factory.mktemp("parity"), SubjectKey(b"k" * 32)
    world = simulate(folder / "world", members=1000, seed=5)
    events = ingest(world.raw, folder / "events", key=key, ingested_at=world.extracted_at.to_pydatetime())
    grants = world.grants().assign(subject_id=lambda g: key.subject_ids(g["member_id"]))
    joined = events.read("members").to_pandas().groupby("subject_id")[["event_time", "known_at"]].max().max(axis=1)
    asked = pd.concat([
        pd.DataFrame({"subject_id": joined.index[joined < moment.value // 1000].astype(object), "as_of": moment})
        for moment in (pd.Timestamp(m, tz="UTC") for m in MOMENTS)
    ], ignore_index=True)  # fmt: skip
    return folder, world, events, ConsentMask(grants, reason="simulated consents"), asked


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("java") is None, reason="needs Java 17 or newer: apt-get install openjdk-17-jre-headless"
)
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
def test_three_engines_give_the_same_bits_for_a_thousand_observations(platform: Any) -> None:
    folder, world, events, consents, asked = platform
    assert len(asked) >= 1000
    embedded = build_features(events, asked, consents=consents)
    session = local_session(cores=2, memory="1g")
    on_spark = build_features(events, asked, consents=consents, engine="spark", session=session)
    session.stop()
    store = EventStore.create(folder / "events.db", events, watermark=world.extracted_at.to_pydatetime())
    online = OnlineFeatures(store)
    alone = [online.compute(s, t.to_pydatetime(), consents=consents) for s, t in asked.to_numpy()]
    store.close()
    wanted = embedded.iloc[:, :-5].to_numpy()
    assert on_spark.iloc[:, :-5].to_numpy().tobytes() == wanted.tobytes()
    assert np.array([one.values for one in alone]).tobytes() == wanted.tobytes()
    assert np.isfinite(wanted).mean() > 0.3
