"""One member's bytes are made of their own rows alone."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from benne.errors import EventSchemaError
from benne.features.engines.member_rows import from_bytes, to_bytes
from benne.features.events.tables import TABLES
from benne.features.events.validation import stored_schema


@pytest.mark.parametrize("name", TABLES)
def test_rows_cut_out_of_a_table_take_nothing_of_their_neighbours_along(name: str, world: Any, load: Any) -> None:
    schema, whole = stored_schema(TABLES[name]), load(world).read(name)
    for start in range(0, whole.num_rows - 3, 5):
        for length in (1, 2, 3):
            cut = whole.slice(start, length)
            alone = pa.Table.from_pylist(cut.to_pylist(), schema=schema)
            assert to_bytes({name: cut}) == to_bytes({name: alone})


def test_bytes_become_the_same_tables_again_and_others_are_refused(world: Any, load: Any) -> None:
    members = load(world).read("members")
    assert from_bytes(to_bytes({"members": members})) == {"members": members}
    with pytest.raises(EventSchemaError, match="A member's stored rows must be whole, got others"):
        from_bytes(to_bytes({"members": members})[:40])
    with pytest.raises(EventSchemaError, match="must have this version's columns, got other ones in members"):
        from_bytes(to_bytes({"members": members.drop_columns(["adult"])}))
