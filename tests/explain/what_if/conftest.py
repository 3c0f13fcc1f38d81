"""One small platform for all tests of what-ifs."""

from __future__ import annotations

import pytest

from tests.explain.what_if.small_platform import Platform, make_platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    made = make_platform(tmp_path_factory.mktemp("platform"))
    yield made
    made.store.close()
