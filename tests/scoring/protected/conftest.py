"""A store of protected attributes in a folder, and who may use it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benne.scoring.decisions.request import Actor
from benne.scoring.protected import Declared, lay_out_protected

ANNA, BERT, CARL = f"{1:032x}", f"{2:032x}", f"{3:032x}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    basis = "Regulation B 1002.5(b)(1), self-test"
    return lay_out_protected(tmp_path / "protected", Declared("us", dict.fromkeys(("sex", "age", "race"), basis)))


@pytest.fixture
def counsel() -> Actor:
    return Actor("counsel-1", "compliance")


@pytest.fixture
def attributes() -> pd.DataFrame:
    index = pd.Index([ANNA, BERT, CARL], name="subject_id")
    return pd.DataFrame({"sex": ["female", "male", None], "age": [41, 30, 67]}, index=index)
