"""The sections of a card that only a training run can fill: data, labels, figures, limits, versions."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from benne.experiments.fingerprint import fingerprint_of
from benne.experiments.model_card.card import Section
from benne.experiments.report.document import records_of
from benne.experiments.report.groups import SMALLEST_GROUP, join_small
from benne.experiments.report.label_influence import LabelInfluence
from benne.experiments.report.patterns import patterns_used
from benne.experiments.report.sample import Sample
from benne.features.quality.cells import Share
from benne.models import CalibrationReport, withheld_of

if TYPE_CHECKING:
    from benne.experiments.labelling import LabelledRows
    from benne.experiments.training import TrainingRun

__all__ = ["data_section", "figure_sections", "labels_section", "limits_section", "reproduction_section"]

_LIBRARIES: Final = ("benne", "lightgbm", "numpy", "pandas", "scikit-learn", "scipy")
_WHERE_FROM: Final = ("events_fingerprint", "key_fingerprint", "consents", "purpose", "recipient", "data")


def data_section(run: TrainingRun, tags: Mapping[str, str]) -> Section:
    """Which rows: how many, of when, from where, who may train."""
    sides = [{"rows of": side} | _side(rows) for side, rows in (("training", run.train), ("test", run.test))]
    origin = [{"where from": name, "is": tags[name]} for name in _WHERE_FROM if name in tags]
    left_out = [{"left out": reason, "side": side, "share": _few(count, rows)}
                for side, rows in (("training", run.train), ("test", run.test))
                for reason, count in rows.left_out.items() if count]  # fmt: skip
    tables = {"data.rows": sides, "data.origin": origin, "data.left_out": left_out}
    text = ("Rows of members who consent to training (purpose model_training); no member is on both sides.",)
    lacking = () if origin else ("where the rows come from",)
    return Section({name: rows for name, rows in tables.items() if rows}, text, lacking)


def labels_section(influence: LabelInfluence) -> Section:
    """What a label is worth that the score had a hand in."""
    counts: list[dict[str, Any]] = [
        {"labels": "rows", "count": f"{influence.rows:,}"},
        {"labels": "known whether the score influenced them", "count": _shown(influence.known, influence.rows)},
        {"labels": "influenced", "count": _shown(influence.influenced, influence.known)},
        {"labels": "rows that may train", "count": None if influence.offered is None else f"{influence.offered:,}"},
        {"labels": "without outcome", "count": _shown(influence.without_outcome, influence.offered)},
        {"labels": "without outcome because of the score",
         "count": _shown(influence.refused_by_score, influence.offered)},
    ]  # fmt: skip
    tables: dict[str, list[dict[str, Any]]] = {
        "labels.counts": [row for row in counts if row["count"] is not None],
        "labels.figures": records_of(influence.parts) if len(influence.parts) > 1 else [],
        "labels.by_band": records_of(influence.by_band),
    }
    return Section({name: rows for name, rows in tables.items() if rows}, tuple(influence.notes))


def figure_sections(run: TrainingRun, sample: Sample) -> dict[str, Section]:
    """Performance, bands, patterns and calibration, on the test rows."""
    evaluation = run.evaluation
    calibration = evaluation.calibration
    figures = evaluation.metrics
    lines: list[dict[str, Any]] = [
        {"figure": name, "value": round(figures[name], 10)}
        for name in ("auc", "gini", "ks", "brier", "log_loss", "ece")
    ]
    lines[0] |= {"low": round(figures["auc_low"], 10), "high": round(figures["auc_high"], 10)}
    lines.append({"figure": "bad rate", "value": round(evaluation.bad_rate, 10)})
    return {
        "performance": Section({"performance": lines}, (f"On {evaluation.rows:,} rows of members not trained on.",)),
        "bands": Section({"bands": records_of(join_small(calibration.by_band).rename_axis("band"))}),
        "patterns": Section({"patterns": records_of(patterns_used(sample))}, (
            "As members chose what to withhold, on the test rows.",)),
        "calibration": _calibration(calibration),
    }  # fmt: skip


def limits_section(run: TrainingRun) -> Section:
    """Where not to trust it: thin files, rows that are refused, members who choose what to withhold, rare regions."""
    features = run.test.features
    withheld = withheld_of(features)
    thin = int(run.model.thin_file(features, withheld=withheld).sum())
    some = sum(1 for one in withheld if one)
    n = len(features)
    lines = [
        {"limit": "thin files", "share of test rows": _few(thin, run.test, n),
         "means": "nothing on record in some category that enters: the score is drawn towards the average"},
        {"limit": "members who withhold something", "share of test rows": _few(some, run.test, n),
         "means": "they chose to; members who withhold may differ from those who do not (self-selection)"},
    ]  # fmt: skip
    refused = sum(run.test.left_out.values())
    if refused:
        lines.append({"limit": "not scored", "share of test rows": _few(refused, run.test),
                      "means": "too little is known, or a null that training never had: refused"})  # fmt: skip
    return Section({"limits": lines}, (
        "Figures hold for members like those of the training rows, at the time of the test rows.",
        "Intervals say what other test members would change, not what another training sample would.",
        *_rare_regions(run),
    ))  # fmt: skip


def reproduction_section(run: TrainingRun) -> Section:
    """What gives the same model again."""
    versions = [{"library": name, "version": _version(name)} for name in _LIBRARIES]
    versions.append({"library": "python", "version": ".".join(platform.python_version_tuple()[:2])})
    how = run.split.how
    seeds = [
        {"setting": "model's random_state", "value": str(run.model.random_state)},
        {"setting": "tolerance of the weights", "value": str(run.model.tolerance)},
        {"setting": "split", "value": how.order if how.since is None else f"{how.order}, from {how.since:%Y-%m-%d} on"},
        {"setting": "folds", "value": run.fold_order},
        {"setting": "trees", "value": str(run.model.booster_.num_trees())},
        {"setting": "training rows, SHA-256", "value": fingerprint_of(run.train)},
        {"setting": "test rows, SHA-256", "value": fingerprint_of(run.test)},
    ]
    return Section({"reproduction.settings": seeds, "reproduction.versions": versions})


def _rare_regions(run: TrainingRun) -> tuple[str, ...]:
    """Models since format 5 know where few reference rows lie, and say so with each score."""
    if not hasattr(run.model, "histograms_"):
        return ()
    return ("Where a member's values lie in a region of few reference rows, the answer says so (rare region).",)


def _side(rows: LabelledRows) -> dict[str, Any]:
    index = rows.features.index
    moments = pd.DatetimeIndex(index.get_level_values("as_of"))
    return {
        "rows": len(rows.bad), "members": int(index.get_level_values("subject_id").nunique()),
        "bad": round(float(rows.bad.mean()), 10), "first as_of": f"{moments.min():%Y-%m-%d}",
        "last as_of": f"{moments.max():%Y-%m-%d}", "weighted": rows.weight is not None,
    }  # fmt: skip


def _calibration(report: CalibrationReport) -> Section:
    deciles = report.by_decile.set_axis([str(k + 1) for k in range(len(report.by_decile))], axis=0)
    lines = [{"calibration": name, "value": round(float(getattr(report, name)), 10)}
             for name in ("slope", "intercept", "ece") if np.isfinite(getattr(report, name))]  # fmt: skip
    return Section(
        {"calibration": lines, "calibration.deciles": records_of(join_small(deciles).rename_axis("decile"))},
        ("Slope 1 and intercept 0 are perfect. Deciles of the predicted PD, the safest first.",),
    )


def _few(count: int, rows: LabelledRows, offered: int | None = None) -> str:
    whole = len(rows.bad) + sum(rows.left_out.values()) if offered is None else offered
    return str(Share.of(count, whole, SMALLEST_GROUP).text)


def _shown(count: int | None, of: int | None) -> str | None:
    return None if count is None or not of else str(Share.of(count, of, SMALLEST_GROUP).text)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
