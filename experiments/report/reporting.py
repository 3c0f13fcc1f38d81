"""From a training run to its report."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import pandas as pd

from benne.errors import LabelError
from benne.experiments.challengers import Comparison, compare
from benne.experiments.figures import FIGURES, figures_table
from benne.experiments.report.evaluation_report import Consent, Contract, EvaluationReport, RunFacts
from benne.experiments.report.groups import SMALLEST_GROUP, join_small
from benne.experiments.report.label_influence import influence_of
from benne.experiments.report.learning import learning_curve
from benne.experiments.report.options import ReportOptions
from benne.experiments.report.patterns import patterns_allowed, patterns_used
from benne.experiments.report.profit import profit_of
from benne.experiments.report.ranking import bands_of, distribution_of, lift_by_decile
from benne.experiments.report.sample import Sample, sample_of
from benne.experiments.report.stability import stability_of
from benne.features.quality.cells import Share
from benne.models import CalibrationReport
from benne.models.calibration import calibration_report

if TYPE_CHECKING:
    from benne.experiments.labelling import LabelledRows
    from benne.experiments.training import TrainingRun

__all__ = ["report_on"]

_LIBRARIES: Final = ("benne", "lightgbm", "numpy", "optbinning", "pandas", "scikit-learn", "scipy")


def report_on(
    run: TrainingRun, options: ReportOptions | None = None, *, comparison: Comparison | None = None
) -> EvaluationReport:
    """Evaluate a training run.

    Parameters
    ----------
    run : TrainingRun
    options : ReportOptions, optional
    comparison : Comparison, optional
        Of :func:`benne.experiments.challengers.compare`, where it has been made; else it is
        made here.

    Raises
    ------
    LabelError
        If fewer than ten test rows can be scored, or all became the same.
    ModelError
        If the model was loaded: the frontier needs the rows of the fit.
    """
    options = options or ReportOptions()
    options.check()
    train, test = sample_of(run.model, run.train), sample_of(run.model, run.test)
    calibration = calibration_report(test.log_odds, test.bad, test.model.scale_)
    resampler = test.resampler(options.seed, options.resamples)
    comparison, not_compared = (comparison, "") if comparison else _compared(run, options)
    return EvaluationReport(
        facts=_facts(run, options),
        scale=run.model.scale_,
        metrics=_metrics(test, options),
        weighted=dict(run.weighted),
        calibration=_joined(calibration),
        bands=bands_of(calibration),
        lift=lift_by_decile(calibration),
        distribution=distribution_of(test.score),
        stability=stability_of(train, test),
        profit=profit_of(test, options.profit, resampler),
        contract=_contract(run, options),
        consent=Consent(patterns_used(test), patterns_allowed(run.model)),
        learning=learning_curve(run, test, options) if options.learning_shares else None,
        comparison=comparison,
        not_compared=not_compared,
        labels=influence_of(run),
    )


def _compared(run: TrainingRun, options: ReportOptions) -> tuple[Comparison | None, str]:
    if not options.challengers:
        return None, "Nobody was asked for."
    try:
        found = compare(
            run.model, run.train, run.test, time=run.split.fold_moments(run.model),
            names=options.challengers, seed=options.seed, resamples=options.resamples, fit_seconds=run.fit_seconds,
        )  # fmt: skip
    except LabelError as error:
        return None, str(error)
    return found, ""


def _facts(run: TrainingRun, options: ReportOptions) -> RunFacts:
    sides: Mapping[str, LabelledRows] = {"train": run.train, "test": run.test}
    since = run.split.how.since
    return RunFacts(
        rows={side: len(rows.bad) for side, rows in sides.items()},
        members={side: rows.features.index.get_level_values("subject_id").nunique() for side, rows in sides.items()},
        bad_rate={side: float(rows.bad.mean()) for side, rows in sides.items()},
        left_out={side: _left_out(rows) for side, rows in sides.items()},
        split=run.split.how.order,
        since=None if since is None else f"{since:%Y-%m-%d}",
        features=run.model.n_features_in_,
        trees=run.model.booster_.num_trees(),
        seeds={"model": int(run.model.random_state), "report": options.seed},
        versions=_versions(),
    )


def _left_out(rows: LabelledRows) -> dict[str, str]:
    offered = len(rows.bad) + sum(rows.left_out.values())
    return {reason: Share.of(n, offered, SMALLEST_GROUP).text for reason, n in rows.left_out.items() if n}


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _metrics(test: Sample, options: ReportOptions) -> pd.DataFrame:
    line = figures_table({"model": test.log_odds}, test.bad, test.resampler(options.seed, options.resamples)).iloc[0]
    ends = {"value": "", "low": "_low", "high": "_high"}
    table = pd.DataFrame({end: [float(line[f"{name}{mark}"]) for name in FIGURES] for end, mark in ends.items()})
    table.index = pd.Index(FIGURES, name="metric")
    gini = 2.0 * table.loc[["auc"]] - 1.0
    return pd.concat([table.iloc[:1], gini.set_axis(["gini"], axis=0), table.iloc[1:]]).rename_axis("metric")


def _joined(report: CalibrationReport) -> CalibrationReport:
    """The same report without small groups."""
    safest_first = report.by_decile.set_axis([str(k + 1) for k in range(len(report.by_decile))], axis=0)
    return CalibrationReport(
        report.rows, report.ece, report.brier, report.log_loss, report.slope, report.intercept,
        join_small(safest_first).rename_axis("decile"), join_small(report.by_band).rename_axis("band"),
    )  # fmt: skip


def _contract(run: TrainingRun, options: ReportOptions) -> Contract:
    report, test = run.model.contract_report_, run.evaluation.shares
    beside = test[["share", "share_low", "share_high"]].rename(columns=lambda name: name.replace("share", "test"))
    return Contract(report.shares.join(beside), report.price, run.model.frontier(options.tolerances))
