"""On Spark: the same bits, the same leaves' form, proofs that hold, and consent as it stands when it is recorded."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.errors import BatchChanged, ConsentRecordError, ConsentRequired, FeatureColumnsError, ObservationError
from benne.features.categories import CATEGORIES
from benne.features.engines.spark import local_session
from benne.scoring.batch import Asked
from benne.scoring.batch.job import locked
from benne.scoring.batch.proofs import check_proof, prove
from benne.scoring.batch.settling import Settler
from benne.scoring.batch.spark import SparkBatch, score_spark
from benne.scoring.policy import default_policies
from tests.scoring.batch.conftest import ASKED, Batches, values_of
from tests.scoring.conftest import DAY, open_platform

pytestmark = [
    pytest.mark.skipif(
        shutil.which("java") is None, reason="needs Java 17 or newer: apt-get install openjdk-17-jre-headless"
    ),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pyspark"),
]

PATTERNS = (CATEGORIES, CATEGORIES[:4], ("credit_history", "ability", "behaviour"), ("credit_history", "ability"), ())
MEMBERS = 60


@pytest.fixture(scope="module")
def session():
    made = local_session(cores=2, memory="1g")
    yield made
    made.stop()


@pytest.fixture
def many(tmp_path) -> Batches:
    """Members of every pattern and granularity, some of whom changed their minds since their features were built."""
    batches = Batches(open_platform(tmp_path / "benne.db"), tmp_path)
    platform = batches.platform
    granularities = ("exact", "exact", "band", "threshold")
    for number in range(MEMBERS):
        categories = PATTERNS[number % len(PATTERNS)]
        if categories:
            platform.grant(number, categories, granularity=granularities[number % len(granularities)])
    frame = platform.features({number: PATTERNS[number % len(PATTERNS)] for number in range(MEMBERS)})
    values = values_of(MEMBERS, seed=7)
    for name in values:
        frame[name] = np.where(frame[name].notna(), values[name], np.nan)
    for number in (5, 15):
        platform.ledger.withdraw(platform.member(number), "lending", "shop", ["social"])
    platform.ledger.withdraw(platform.member(10), "lending", "shop", None)
    batches.write(frame)
    yield batches
    platform.store.close()


def on_spark(many: Batches, session: Any, model_folder: Any, frame: Any = None, **changes: Any) -> Any:
    features = session.read.parquet(str(many.folder / "features.parquet")).repartition(3) if frame is None else frame
    batch = SparkBatch(
        **{"features": features, "out": many.out, "asked": ASKED, "refused": many.refused_file} | changes
    )
    return score_spark(batch, model_folder, many.live, default_policies())


def test_spark_gives_the_same_bits_as_one_machine(many, session, real_model, real_model_folder):
    many.run(many.folder / "features.parquet", model=real_model, chunk_rows=7)
    expected, refused = many.scores(), many.refusals()
    before = len(many.records())
    summary = on_spark(many, session, real_model_folder)
    told = many.scores().sort_values("subject_id", ignore_index=True)
    pd.testing.assert_frame_equal(told, expected.sort_values("subject_id", ignore_index=True), check_exact=True)
    numbers = expected.select_dtypes("float64").columns
    assert told[numbers].to_numpy().tobytes() == expected.sort_values("subject_id")[numbers].to_numpy().tobytes()
    assert many.refusals() == refused
    assert (summary.rows, summary.scored) == (MEMBERS, len(expected))
    assert summary.records == len(many.records()) - before > 1
    with many.platform.store.read() as connection:
        for number in range(MEMBERS):
            check_proof(prove(many.out, many.platform.member(number)), connection)
    assert many.chain_is_intact()
    assert not many.job.exists()


@pytest.mark.slow
def test_who_withdraws_while_spark_computes_is_refused(many, session, real_model_folder, monkeypatch):
    platform, confirm, calls = many.platform, Settler.confirm, iter(range(100))

    def meanwhile(settler, *arguments):
        if next(calls) == 1:  # one partition is on record, the others are computed
            for number in range(MEMBERS):
                if number % 2:
                    platform.ledger.withdraw(platform.member(number), "lending", "shop", None)
        return confirm(settler, *arguments)

    monkeypatch.setattr(Settler, "confirm", meanwhile)
    on_spark(many, session, real_model_folder)
    scored = {int(subject, 16) for subject in many.scores()["subject_id"]}
    assert scored
    assert {number % 2 for number in scored} == {0}
    assert many.chain_is_intact()


@pytest.mark.slow
def test_nobody_who_consents_is_an_error_on_spark_too(many, session, real_model_folder):
    with pytest.raises(ConsentRequired, match="got consent-required"):
        on_spark(many, session, real_model_folder, asked=Asked("rental", "shop", "nightly"))
    empty = session.read.parquet(str(many.folder / "features.parquet")).limit(0)
    with pytest.raises(ConsentRequired, match="got an empty frame"):
        on_spark(many, session, real_model_folder, empty)
    assert not many.out.exists()


@pytest.mark.slow
def test_a_frame_that_is_not_as_it_must_be_is_refused_before_anything_is_decided(many, session, real_model_folder):
    from pyspark.sql import functions as F  # noqa: N812

    frame = session.read.parquet(str(many.folder / "features.parquet"))
    bad = [
        (frame.drop("as_of"), ObservationError, "got no as_of"),
        (frame.withColumn("as_of", F.lit("noon")), ObservationError, "must be timezone-aware"),
        (frame.withColumn("as_of", F.lit(None).cast("timestamp")), ObservationError, "as_of must never be null"),
        (frame.withColumn("subject_id", F.lit("anna")), ConsentRecordError, "32 hexadecimal digits"),
        (frame.unionByName(frame), ObservationError, "got 60 repeated"),
        (frame.drop("consented_social"), FeatureColumnsError, "got no consented_social"),
        (frame.drop("x_social"), FeatureColumnsError, "'x_social' missing"),
    ]
    for wrong, error, complaint in bad:
        with pytest.raises(error, match=complaint):
            on_spark(many, session, real_model_folder, wrong)
    many.platform.clock.turn(-DAY)
    with pytest.raises(ObservationError, match="must not lie in the future"):
        on_spark(many, session, real_model_folder)
    assert many.records() == []
    assert not many.job.exists()


def test_a_batch_under_way_is_not_overrun(many, session, real_model_folder):
    many.job.mkdir()
    (many.job / "job.json").write_text("{}")
    with pytest.raises(BatchChanged, match="got another under way"):
        on_spark(many, session, real_model_folder)
    (many.job / "job.json").unlink()
    with locked(many.job), pytest.raises(Exception, match="got another at it"):
        on_spark(many, session, real_model_folder)
