"""The leaves of a chunk: every value of a row is in its leaf, and a salt keeps it from being guessed."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benne.scoring.batch.leaves import SALT_BYTES, Tree, leaves_of, salts_of
from benne.scoring.batch.told import figures_of, outcome_schema, refused_schema, told_columns, told_schema

CATEGORIES = ("credit_history", "social")
TREE = Tree("event", "lending", "shop", "benne/1", "ab" * 32, figures_of(CATEGORIES))
SALTS = salts_of(b"k" * SALT_BYTES, 3)


def outcome(**changes):
    """A row told whole, one of which the band alone is told, and a refusal."""
    values = {name: [1.5, None, None] for name in told_columns(CATEGORIES)}
    values |= {
        "subject_id": [f"{n:032x}" for n in range(3)],
        "as_of": pd.to_datetime(["2026-03-01T12:00:00.000001Z"] * 3),
        "thin_file": [False, None, None],
        "rare": [False, None, None],
        "band": ["good", "fair", None],
        "withheld": ["", "social", None],
        "granularity": ["exact", "band", None],
        "reason": [None, None, "consent-required"],
    }
    frame = pd.DataFrame(values | changes)
    return pa.Table.from_pandas(frame[outcome_schema(CATEGORIES).names], schema=outcome_schema(CATEGORIES), safe=False)


WHOLE = leaves_of(outcome(), TREE, SALTS)


def test_each_row_has_a_leaf_of_its_own():
    assert [len(leaf) for leaf in WHOLE] == [32] * 3
    assert len(set(WHOLE)) == 3


def test_the_leaf_of_a_row_is_the_same_alone_and_among_others():
    assert [leaves_of(outcome().slice(k, 1), TREE, [SALTS[k]])[0] for k in range(3)] == WHOLE


def test_a_table_in_pieces_has_the_same_leaves():
    pieces = pa.concat_tables([outcome().slice(0, 1), outcome().slice(1)])
    assert leaves_of(pieces, TREE, SALTS) == WHOLE
    assert leaves_of(outcome().slice(0, 0), TREE, []) == []


@pytest.mark.parametrize("name", [*told_columns(CATEGORIES), "reason"])
def test_no_value_can_change_without_its_leaf(name):
    others = {
        "subject_id": "f" * 32, "as_of": pd.Timestamp("2026-03-01T12:00:00.000002Z"), "thin_file": True,
        "rare": True,
        "band": "poor", "withheld": "ability", "granularity": "threshold", "reason": "consent-expired",
    }  # fmt: skip
    changed = outcome().to_pandas()
    changed.loc[0, name] = others.get(name, np.nextafter(1.5, 2.0))
    leaves = leaves_of(outcome(**{name: changed[name]}), TREE, SALTS)
    assert leaves[0] != WHOLE[0]
    assert leaves[1:] == WHOLE[1:]


@pytest.mark.parametrize("name", TREE.__slots__)
def test_nothing_of_the_batch_can_change_without_every_leaf(name):
    values = {slot: getattr(TREE, slot) for slot in TREE.__slots__}
    values[name] = values[name][::-1] if name == "figures" else "other"
    assert not set(leaves_of(outcome(), Tree(**values), SALTS)) & set(WHOLE)


def test_what_is_not_told_is_not_zero():
    zero = leaves_of(outcome(score=[0.0, 0.0, 0.0]), TREE, SALTS)
    assert not set(zero) & set(WHOLE)


def test_words_do_not_run_into_one_another():
    one = leaves_of(outcome(band=["a", "fair", None], withheld=["b", "social", None]), TREE, SALTS)
    other = leaves_of(outcome(band=["ab", "fair", None], withheld=["", "social", None]), TREE, SALTS)
    assert one[0] != other[0]


def test_a_salt_is_the_hmac_of_a_position():
    expected = [hmac.new(b"k" * 32, k.to_bytes(8, "big"), hashlib.sha256).digest() for k in range(3)]
    assert expected == SALTS
    with pytest.raises(ValueError, match="must be 32 bytes, got 3"):
        salts_of(b"key", 1)


def test_the_files_have_the_columns_they_always_had():
    assert told_schema(("social",)).names == [
        "subject_id", "as_of", "score", "band", "pd", "pd_low", "pd_high", "percentile", "thin_file", "rare", "base",
        "clipped", "points_social", "withheld", "granularity",
    ]  # fmt: skip
    assert refused_schema().names == ["subject_id", "as_of", "reason"]
