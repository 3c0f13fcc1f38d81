"""Nobody is judged on rows they learned from: whom trainings rest on is left out, whatever split and seed they had."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.errors import LabelError
from benne.experiments.labelling import LabelledRows
from benne.experiments.splitting import Splitting
from benne.experiments.trained_members import digests_of
from benne.experiments.training import split_labelled
from benne.experiments.training_record import TrainingRecord
from benne.experiments.unseen_rows import require_unseen, share_seen, split_as_trained, unseen_rows

NOW = datetime(2026, 11, 30, tzinfo=UTC)
MEMBERS = [f"{number:032x}" for number in range(40)]


def index_of(members, moments=("2025-07-01",)):
    days = pd.to_datetime(list(moments), utc=True)
    return pd.MultiIndex.from_product([members, days], names=["subject_id", "as_of"])


def rows_of(index):
    return LabelledRows(pd.DataFrame({"x": np.arange(len(index), dtype=float)}, index=index), np.zeros(len(index)), {})


def record_on(index, salt, split=None):
    return TrainingRecord(author="ann", began_at=NOW, fingerprint=salt, members=digests_of(index, salt), split=split)


def test_rows_of_members_that_either_training_rests_on_are_left_out():
    one, two = record_on(index_of(MEMBERS[:10]), "a" * 64), record_on(index_of(MEMBERS[5:25]), "b" * 64)
    index = index_of(MEMBERS, ["2025-07-01", "2026-01-01"])
    assert index[unseen_rows(index, [one, two])].unique("subject_id").tolist() == MEMBERS[25:]
    assert index[unseen_rows(index, [one])].unique("subject_id").tolist() == MEMBERS[10:]


def test_fewer_than_ten_rows_left_are_refused():
    record = record_on(index_of(MEMBERS[:31]), "a" * 64)
    with pytest.raises(LabelError, match="At least 10 rows must be of members not trained on, got fewer"):
        unseen_rows(index_of(MEMBERS), [record])
    assert unseen_rows(index_of(MEMBERS), [record_on(index_of(MEMBERS[:30]), "a" * 64)]).sum() == 10


def test_rows_of_members_trained_on_are_refused_with_their_share_and_the_way_out():
    record = record_on(index_of(MEMBERS[:30]), "a" * 64)
    with pytest.raises(LabelError, match=r"must be of members that .* not trained on, got 75\.0 % of others\. Do so\."):
        require_unseen(index_of(MEMBERS), [record], "Do so.")
    require_unseen(index_of(MEMBERS[30:]), [record], "Do so.")
    assert share_seen(index_of(MEMBERS[30:]), [record]) == ""
    assert share_seen(index_of(MEMBERS[25:]), [record]) == "few"  # five


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("moments", [["2025-07-01"], ["2025-01-01", "2025-07-01", "2026-01-01"]])
def test_rows_are_divided_as_the_training_did(moments, seed):
    rows = rows_of(index_of(MEMBERS, moments))
    split = split_labelled(rows, Splitting(seed=seed))
    assert split.how.order == ("member" if len(moments) == 1 else "time")
    as_carried_out = Splitting(split.how.order, 0.3, seed)
    again = split_as_trained(rows, record_on(split.train.features.index, "a" * 64, as_carried_out))
    assert set(again.train.features.index) == set(split.train.features.index)
    assert set(again.test.features.index) >= set(split.test.features.index)
    assert again.how.since == split.how.since
    assert not set(again.train.features.index.unique("subject_id")) & set(again.test.features.index.unique(0))


def test_who_withdrew_since_moves_nobody_to_the_other_side():
    rows = rows_of(index_of(MEMBERS))
    split = split_labelled(rows, Splitting("member", 0.3, 3))
    record = record_on(split.train.features.index, "a" * 64, Splitting("member", 0.3, 3))
    left = rows.part(np.arange(40) >= 5, {})
    again = split_as_trained(left, record)
    kept = set(MEMBERS[5:])
    assert set(again.test.features.index.unique("subject_id")) == kept & set(split.test.features.index.unique(0))
    assert set(again.train.features.index.unique("subject_id")) == kept & set(split.train.features.index.unique(0))


def test_rows_of_others_cannot_be_divided_as_a_training_was():
    with pytest.raises(LabelError, match="Features must be those of the training"):
        split_as_trained(rows_of(index_of(MEMBERS[20:])), record_on(index_of(MEMBERS[:20]), "a" * 64))
