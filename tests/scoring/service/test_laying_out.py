"""A service laid out with a model: on whose word it serves must be named."""

from __future__ import annotations

import pytest

from benne.errors import NotValidated, StoreError
from benne.scoring.laying_out import lay_out


def test_a_model_without_a_store_of_its_verdict_is_refused_with_the_option_that_names_one(model_folder, tmp_path):
    with pytest.raises(NotValidated, match=r"Name the store that holds it \(--validated-in\)"):
        lay_out(tmp_path / "service", model_folder)
    nowhere = tmp_path / "demo" / "governance.db"
    with pytest.raises(StoreError, match=r"got no file .*governance\.db\. Name the one .* wrote it to: --validated-in"):
        lay_out(tmp_path / "service", model_folder, validated_in=nowhere)
    assert list(tmp_path.iterdir()) == []
