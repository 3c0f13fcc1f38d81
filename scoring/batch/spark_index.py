"""Whom and when each row of a Spark frame is about, looked at before anything is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benne.errors import ConsentRecordError, FeatureColumnsError, FeatureTypeError, ObservationError
from benne.features.consent_mask import MASK_COLUMNS
from benne.scoring.consent.moments import to_microseconds

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from benne.scoring.batch.live import Live

__all__ = ["check_frame"]


def check_frame(features: DataFrame, live: Live) -> None:
    """Refuse a frame that something speaks against, before anything is decided about anybody.

    Raises
    ------
    ObservationError
        If a column is missing, as_of is no moment, a row says not whom or when it is about, or one is there twice.
    ConsentRecordError
        For what is no subject id.
    FeatureColumnsError, FeatureTypeError
        If consent columns are missing, or hold null.
    """
    kinds = dict(features.dtypes)
    missing = [name for name in ("subject_id", "as_of") if name not in kinds]
    if missing:
        raise ObservationError(f"Features must have subject_id and as_of, got no {' and no '.join(missing)}. Add it.")
    if kinds["as_of"] != "timestamp":
        raise ObservationError(
            f"as_of must be timezone-aware timestamps, got {kinds['as_of']}. Use Spark's type timestamp."
        )
    absent = [name for name in MASK_COLUMNS.values() if name not in kinds]
    if absent:
        raise FeatureColumnsError(
            f"Features must carry the five consent columns, got no {absent[0]}. Take them from build_features."
        )
    _refuse(_faults(features), to_microseconds(live.clock(), "The clock"))


def _faults(features: DataFrame) -> Any:
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own habit

    def rows(condition: Any) -> Any:
        return F.coalesce(F.sum(F.when(condition, 1)), F.lit(0))

    no_mask = F.lit(False)
    for name in MASK_COLUMNS.values():
        no_mask = no_mask | F.col(name).isNull()
    repeated = features.groupBy("subject_id", "as_of").count().agg(rows(F.col("count") > 1)).collect()[0][0]
    found = features.agg(
        rows(F.col("subject_id").isNull()).alias("nobody"),
        rows(F.col("as_of").isNull()).alias("timeless"),
        rows(~F.col("subject_id").rlike("^[0-9a-f]{32}$")).alias("raw"),
        rows(no_mask).alias("masked"),
        F.max(F.unix_micros("as_of")).alias("latest"),
    ).collect()[0]
    return found.asDict() | {"repeated": repeated}


def _refuse(found: dict[str, Any], now_us: int) -> None:
    for name, what in (("nobody", "subject_id"), ("timeless", "as_of")):
        if found[name]:
            raise ObservationError(f"{what} must never be null, got {found[name]} row(s) without. Drop those rows.")
    if found["raw"]:
        raise ConsentRecordError(
            "A subject id must be 32 hexadecimal digits (a keyed pseudonym), got something else in "
            f"{found['raw']} row(s). Pass ids through benne.features.events.SubjectKey."
        )
    if found["masked"]:
        raise FeatureTypeError(
            f"Consent columns must be bool without nulls, got nulls in {found['masked']} row(s). Pass them as built."
        )
    if found["repeated"]:
        raise ObservationError(
            f"Features must hold each observation once, got {found['repeated']} repeated one(s). Drop them."
        )
    if found["latest"] is not None and found["latest"] > now_us:
        raise ObservationError("as_of must not lie in the future, got a later moment than now. Drop those rows.")
