"""A contracted and a free model on Taiwan's 30,000 cards: what the comparison says of them is what they do."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from benne.experiments.champion_challenger import compare_models, comparison_measures
from benne.experiments.champion_challenger.paired import paired_scores
from benne.experiments.datasets import load_taiwan
from benne.experiments.datasets.trial import features_of
from benne.features import SubjectKey, registry, split_mask
from benne.models import BoosterOptions, CreditScoreModel

KEY = SubjectKey(b"a key for tests, of 32 bytes size")


@pytest.mark.slow
def test_a_free_model_is_more_accurate_than_a_contracted_one_and_every_change_adds_up(real_data):
    data = load_taiwan(real_data)
    features = features_of(data, key=KEY, ingested_at=datetime(2026, 1, 1, tzinfo=UTC))
    plain, _ = split_mask(features)
    train = np.random.default_rng(0).random(len(features)) < 0.6
    bad = data.labels.to_numpy(dtype=np.float64)
    categories = {category: list(names) for category, names in registry.categories_of(plain.columns).items()}
    quick = BoosterOptions(max_trees=80, learning_rate=0.1, patience=10, folds=2, threads=1)
    contracted, free = (
        CreditScoreModel(categories, tolerance=tolerance, booster=quick).fit(plain[train], bad[train])
        for tolerance in (0.0, 1.0)
    )
    sexes = data.protected.assign(subject_id=KEY.subject_ids(data.protected["member_id"].tolist()))
    sexes = sexes.set_index("subject_id")[["sex"]].replace({"sex": {1: "male", 2: "female"}})
    found = compare_models(contracted, free, features[~train], bad[~train], sexes, cutoffs=[550])
    measures = comparison_measures(found)
    assert measures["auc_difference"].low > 0
    assert measures["brier_difference"].high < 0
    pair = paired_scores(contracted, free, features[~train], bad[~train])
    assert np.abs(pair.parts().sum(axis=1) - pair.change).max() < 1e-8
    assert np.abs(pair.feature_parts().sum(axis=1) - pair.parts()[list(categories)].sum(axis=1)).max() < 1e-8
    same = found.swaps[found.swaps["at"] == "same score"]
    assert same["n"].sum() == found.rows == (~train).sum()
    before, after = (np.rint(model.predict_score(plain[~train])) >= 550 for model in (contracted, free))
    for name, inside in (("swapped_in", after & ~before), ("swapped_out", before & ~after)):
        line = same.set_index("set").loc[name]
        assert (line["n"], line["bad_rate"]) == (inside.sum(), pytest.approx(bad[~train][inside].mean()))
        assert line["n"] > 100
    by_sex = found.groups[found.groups["at"] == "same score"].set_index("group")
    assert by_sex["n"].to_dict() == pd.Series(sexes["sex"]).loc[
        features[~train].index.get_level_values("subject_id")
    ].value_counts().to_dict()  # fmt: skip
