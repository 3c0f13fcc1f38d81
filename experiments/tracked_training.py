"""A training run with MLflow watching: perhaps a search, then the fit, the evaluation and the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benne.experiments.category_value import ValueOptions, category_value
from benne.experiments.model_card.making import Reasons
from benne.experiments.report import EvaluationReport, ReportOptions, report_on
from benne.experiments.tracking import OpenRun, Tracking, open_run
from benne.experiments.training import TrainingRun, TrainingSplit, train_on
from benne.experiments.training_record import TrainingRecord, write_training_record
from benne.models import CreditScoreModel

if TYPE_CHECKING:
    from benne.experiments.search import Search, SearchResult, Trial

__all__ = ["STAGES", "TrackedRun", "Watching", "train_tracked"]

_WHOLE: Final = ReportOptions()
STAGES: Final = ("search", "train", "evaluate", "worth", "log")


@dataclass(frozen=True)
class TrackedRun:
    """A training run and where it is logged.

    Parameters
    ----------
    run : TrainingRun
    run_id : str
        MLflow's; trials of a search are runs nested in it.
    searched : SearchResult or None
    report : EvaluationReport or None
    record : TrainingRecord
        Who trained, since when and on whom.
    """

    run: TrainingRun
    run_id: str
    searched: SearchResult | None
    report: EvaluationReport | None
    record: TrainingRecord

    def save(self, folder: str | Path) -> None:
        """Save the model with the record of its training, which a validation of the folder asks for.

        Raises
        ------
        ModelDirectoryError
            If ``folder`` holds anything besides a saved model, or cannot be written.
        """
        self.run.model.save(folder)
        write_training_record(folder, self.record)


@dataclass(frozen=True)
class Watching:
    """Whom to tell how far a training run is.

    Parameters
    ----------
    on_stage : callable
        Told each of :data:`STAGES` as it begins; of the search and the evaluation only where there is one.
    on_trial : callable
        Told each trial of a search as it ends.
    """

    on_stage: Callable[[str], None] = lambda _: None
    on_trial: Callable[[Trial], None] = lambda _: None


def train_tracked(
    split: TrainingSplit,
    model: CreditScoreModel,
    tracking: Tracking,
    *,
    name: str,
    tags: Mapping[str, str],
    search: Search | None = None,
    report: ReportOptions | None = _WHOLE,
    seed: int = 0,
    reasons: Reasons | None = None,
    worth: ValueOptions | None = None,
    watching: Watching | None = None,
) -> TrackedRun:
    """Search if asked to, train with the best options, hold it against its challengers, and log all of it as one run.

    Parameters
    ----------
    split : TrainingSplit
        The search and the fit see its training rows only.
    model : CreditScoreModel
        Not fitted; is given the best options of a search, and fitted.
    tracking : Tracking
    name : str
        Of the run.
    tags : mapping of str to str
        Such as the events' fingerprint.
    search : Search, optional
    report : ReportOptions or None
        Of the evaluation, logged as artefacts: the challengers and everything else. None leaves it out.
    seed : int
        Of the evaluation's bootstrap.
    reasons : mapping of str to mapping, optional
        For the card, why features are in it that the registry does not know: by feature some of ``means``,
        ``rationale``, ``source``, ``direction``, ``gaming``, ``owner``.
    worth : ValueOptions, optional
        Measure whether each category earns its weight, and log it as ``categories/``: some more fits.
    watching : Watching, optional

    Returns
    -------
    TrackedRun

    Raises
    ------
    ModelError
        As a fit or a search raises; the run is then marked as failed.
    LabelError
        If fewer than ten test rows can be evaluated.
    """
    told = watching or Watching()
    with open_run(tracking, name=name, tags=tags) as active:
        searched = None if search is None else _searched(split, model, search, active, told)
        if searched is not None:
            model.set_params(booster=searched.best.options)
        told.on_stage("train")
        run = train_on(split, model, seed=seed)
        found = None
        if report is not None:
            told.on_stage("evaluate")
            found = report_on(run, report)
        valued = None
        if worth is not None:
            told.on_stage("worth")
            valued = category_value(run.split, run.model, options=worth)
        told.on_stage("log")
        record = active.log_training(run, reasons=reasons, worth=valued)
        if found is not None:
            active.log_evaluation(found)
    return TrackedRun(run, active.run_id, searched, found, record)


def _searched(
    split: TrainingSplit, model: CreditScoreModel, search: Search, active: OpenRun, told: Watching
) -> SearchResult:
    """Search, logging each trial as it ends."""
    from benne.experiments.search import search_options  # only a search needs Optuna

    def on_trial(trial: Trial) -> None:
        active.log_trial(trial)
        told.on_trial(trial)

    told.on_stage("search")
    result = search_options(split, model, search, on_trial=on_trial)
    active.log_search(result)
    return result
