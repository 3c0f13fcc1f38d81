"""Plain JSON forms of what a model consists of, and back, without loss."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benne.models.additive_booster import BoosterOptions
from benne.models.calibration import CalibrationReport
from benne.models.category_layout import CategoryLayout
from benne.models.contract_report import ContractReport
from benne.models.fitting import Learned
from benne.models.inputs import FeatureRules
from benne.models.pd_interval import PdUncertainty
from benne.models.scale import Band, ScoreScale
from benne.models.score_function import PatternWeights

__all__ = [
    "calibration_from",
    "calibration_to",
    "classes_from",
    "classes_to",
    "contract_from",
    "contract_to",
    "frame_from",
    "frame_to",
    "layout_from",
    "parameters_from",
    "parameters_to",
    "patterns_from",
    "patterns_to",
    "rules_from",
    "rules_to",
    "scale_from",
]

Json = dict[str, Any]


def parameters_to(parameters: Mapping[str, Any]) -> Json:
    """Constructor parameters of an estimator."""
    categories, weights = parameters["categories"], parameters["weights"]
    if isinstance(categories, Mapping):
        categories = {name: [str(column) for column in members] for name, members in categories.items()}
    return {
        "categories": categories,
        "weights": None if weights is None else {name: float(w) for name, w in weights.items()},
        "tolerance": _tolerance_to(parameters["tolerance"]),
        "booster": None if parameters["booster"] is None else dataclasses.asdict(parameters["booster"]),
        "scale": None if parameters["scale"] is None else dataclasses.asdict(parameters["scale"]),
        "random_state": int(parameters["random_state"]),
        "own_booster_gap": None if parameters["own_booster_gap"] is None else float(parameters["own_booster_gap"]),
        "unconstrained_price": bool(parameters["unconstrained_price"]),
    }


def _tolerance_to(tolerance: float | Mapping[str, float]) -> float | dict[str, float]:
    if isinstance(tolerance, Mapping):
        return {name: float(share) for name, share in tolerance.items()}
    return float(tolerance)


def parameters_from(data: Json) -> Json:
    """Constructor parameters, ready to be passed."""
    booster, scale = data["booster"], data["scale"]
    return {
        **data,
        "booster": None if booster is None else BoosterOptions(**booster),
        "scale": None if scale is None else scale_from(scale),
    }


def scale_from(data: Json) -> ScoreScale:
    """Inverse of ``dataclasses.asdict``."""
    return ScoreScale(**{**data, "bands": tuple(Band(**band) for band in data["bands"])})


def layout_from(data: Json) -> CategoryLayout:
    """Inverse of ``dataclasses.asdict``."""
    return CategoryLayout(**{name: tuple(values) for name, values in data.items()})


def rules_to(rules: FeatureRules) -> list[Json]:
    """One record per column; null where a side of its range is open."""
    columns = zip(
        rules.columns, rules.minimum, rules.maximum, rules.nullable, rules.directions, rules.tells, strict=True
    )
    return [
        {"column": c, "minimum": _closed(low), "maximum": _closed(high), "nullable": null, "direction": way, "tells": t}
        for c, low, high, null, way, t in columns
    ]


def rules_from(data: list[Json]) -> FeatureRules:
    """Inverse of :func:`rules_to`."""
    return FeatureRules(
        columns=tuple(d["column"] for d in data),
        minimum=tuple(-math.inf if d["minimum"] is None else d["minimum"] for d in data),
        maximum=tuple(math.inf if d["maximum"] is None else d["maximum"] for d in data),
        nullable=tuple(d["nullable"] for d in data),
        directions=tuple(d["direction"] for d in data),
        tells=tuple(d["tells"] for d in data),
    )


def _closed(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None


def patterns_to(learned: Learned) -> list[Json]:
    """One record per pattern of consent."""
    return [
        {
            "used": sorted(p.used), "multipliers": list(p.multipliers), "intercept": p.intercept, "booster": p.booster,
            "uncertainty": dataclasses.asdict(unknown), "percentiles": list(edges),
        }
        for p, unknown, edges in zip(learned.patterns, learned.uncertainty, learned.percentiles, strict=True)
    ]  # fmt: skip


def patterns_from(data: list[Json]) -> dict[str, tuple[Any, ...]]:
    """Inverse of :func:`patterns_to`: weights, what is not known, and percentiles of each pattern."""
    return {
        "patterns": tuple(
            PatternWeights(frozenset(d["used"]), tuple(d["multipliers"]), d["intercept"], d["booster"]) for d in data
        ),
        "uncertainty": tuple(_uncertainty_from(d["uncertainty"]) for d in data),
        "percentiles": tuple(tuple(d["percentiles"]) for d in data),
    }


def _uncertainty_from(data: Json) -> PdUncertainty:
    return PdUncertainty(
        tuple(data["edges"]), tuple(data["error"]), tuple(data["thin_error"]), data["spread"], data["thin_spread"]
    )


def classes_to(classes: npt.NDArray[Any]) -> Json:
    """The two labels and their dtype."""
    return {"dtype": "object" if classes.dtype.kind == "O" else classes.dtype.str, "values": classes.tolist()}


def classes_from(data: Json) -> npt.NDArray[Any]:
    """Inverse of :func:`classes_to`."""
    return np.array(data["values"], dtype=np.dtype(data["dtype"]))


def contract_to(report: ContractReport) -> Json:
    """The contract report."""
    return {
        **{name: getattr(report, name) for name in ("reference_rows", "reference_sha256")},
        "shares": frame_to(report.shares),
        "price": frame_to(report.price),
    }


def contract_from(data: Json) -> ContractReport:
    """Inverse of :func:`contract_to`."""
    return ContractReport(**{**data, "shares": frame_from(data["shares"]), "price": frame_from(data["price"])})


def calibration_to(reports: Mapping[frozenset[str], CalibrationReport]) -> list[Json]:
    """One record per pattern of consent."""
    records = []
    for used, report in reports.items():
        plain = {f.name: getattr(report, f.name) for f in dataclasses.fields(report)}
        tables = {name: frame_to(plain[name]) for name in ("by_decile", "by_band")}
        records.append({"used": sorted(used), **plain, **tables})
    return records


def calibration_from(data: list[Json]) -> dict[frozenset[str], CalibrationReport]:
    """Inverse of :func:`calibration_to`."""
    reports = {}
    for record in data:
        plain = {name: value for name, value in record.items() if name != "used"}
        tables = {name: frame_from(plain[name]) for name in ("by_decile", "by_band")}
        reports[frozenset(record["used"])] = CalibrationReport(**{**plain, **tables})
    return reports


def frame_to(frame: pd.DataFrame) -> Json:
    data = [
        [None if isinstance(value, float) and not math.isfinite(value) else value for value in column]
        for column in (frame[name].tolist() for name in frame.columns)
    ]
    dtypes = [str(dtype) for dtype in frame.dtypes]
    return {"index_name": frame.index.name, "index": frame.index.tolist(), "columns": list(frame.columns),
            "dtypes": dtypes, "data": data}  # fmt: skip


def frame_from(data: Json) -> pd.DataFrame:
    columns = {
        name: pd.Series([math.nan if v is None else v for v in values], dtype=dtype)
        for name, dtype, values in zip(data["columns"], data["dtypes"], data["data"], strict=True)
    }
    frame = pd.DataFrame(columns)
    frame.index = pd.Index(data["index"], name=data["index_name"])
    return frame
