"""Hyper-parameters of the booster, searched for by what a fit under the contract reaches out of fold."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import optuna
from sklearn.base import clone

from benne.errors import ParameterError, WeightContractError
from benne.experiments.training import TrainingSplit
from benne.models import BoosterOptions, CreditScoreModel

__all__ = ["OBJECTIVES", "Search", "SearchResult", "SearchSpace", "Trial", "best_of", "search_options"]

OBJECTIVES: Final[dict[str, Literal["minimize", "maximize"]]] = {"log_loss": "minimize", "auc": "maximize"}
_DIGITS: Final = 3


@dataclass(frozen=True)
class SearchSpace:
    """Lowest and highest value of each option that is searched; the others stay as given.

    Parameters
    ----------
    max_depth, rows_in_leaf : pair of int
    learning_rate, column_share, row_share, l2 : pair of float
        ``rows_in_leaf``, ``learning_rate`` and ``l2`` are searched on a log scale. Fractions are
        rounded to three digits, so that what was found can be typed.
    """

    max_depth: tuple[int, int] = (2, 5)
    learning_rate: tuple[float, float] = (0.02, 0.2)
    rows_in_leaf: tuple[int, int] = (10, 200)
    column_share: tuple[float, float] = (0.2, 1.0)
    row_share: tuple[float, float] = (0.5, 1.0)
    l2: tuple[float, float] = (0.1, 100.0)

    def drawn(self, trial: optuna.Trial, options: BoosterOptions) -> BoosterOptions:
        """The options with what the trial draws."""
        drawn: dict[str, Any] = {
            "max_depth": trial.suggest_int("max_depth", *self.max_depth),
            "rows_in_leaf": trial.suggest_int("rows_in_leaf", *self.rows_in_leaf, log=True),
        }
        for name, log in (("learning_rate", True), ("column_share", False), ("row_share", False), ("l2", True)):
            drawn[name] = float(f"{trial.suggest_float(name, *getattr(self, name), log=log):.{_DIGITS}g}")
        return dataclasses.replace(options, **drawn)


@dataclass(frozen=True)
class Search:
    """What is searched for, and for how long.

    Parameters
    ----------
    trials : int
        Draws at most, at least 1, beside the options as given.
    seconds : float or None
        No draw begins after so long. How many there were then depends on the machine.
    objective : {"log_loss", "auc"}
        Out of fold, under the contract.
    seed : int
    space : SearchSpace
    """

    trials: int
    seconds: float | None = None
    objective: str = "log_loss"
    seed: int = 0
    space: SearchSpace = field(default_factory=SearchSpace)

    def check(self) -> None:
        """Refuse what is out of its domain.

        Raises
        ------
        ParameterError
        """
        if self.trials < 1:
            raise ParameterError(f"A search must have at least one trial, got {self.trials!r}.")
        if self.objective not in OBJECTIVES:
            raise ParameterError(f"A search must be for {' or '.join(OBJECTIVES)}, got {self.objective!r}.")


@dataclass(frozen=True)
class Trial:
    """One set of options tried.

    Parameters
    ----------
    number : int
        0 are the options as given.
    options : BoosterOptions
    figures : dict of str to float
        Out of fold under the contract: ``auc``, ``ks``, ``brier``, ``log_loss``, ``ece``, and the
        ``trees`` that the folds chose; empty where the trial was refused.
    refused : str
        Why the weights could not hold, where they could not.
    """

    number: int
    options: BoosterOptions
    figures: dict[str, float]
    refused: str = ""


@dataclass(frozen=True)
class SearchResult:
    """Every trial, and the best.

    Parameters
    ----------
    search : Search
    trials : tuple of Trial
        In their order; the first are the options as given.
    best : Trial
        Of equals the earliest.
    """

    search: Search
    trials: tuple[Trial, ...]
    best: Trial

    def as_dict(self) -> dict[str, Any]:
        """What was found in short: plain values, for JSON."""
        options = dataclasses.asdict(self.best.options)
        return {
            "objective": self.search.objective,
            "trials": len(self.trials) - 1,
            "refused": sum(not trial.figures for trial in self.trials),
            "best_trial": self.best.number,
            "best": self.best.figures[self.search.objective],
            "given": self.trials[0].figures.get(self.search.objective),
            "options": {name: options[name] for name in dataclasses.asdict(self.search.space)},
        }


def search_options(
    split: TrainingSplit,
    model: CreditScoreModel,
    search: Search,
    *,
    on_trial: Callable[[Trial], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Search for booster options, one trial after the other.

    Each trial is a fit of the model on the training rows of the split, on the same folds, and
    counts as what that fit reports of itself out of fold, for members who consent to
    everything: what is searched for is what would be shipped. The test rows are not looked at.
    Options under which the contract has no solution are pruned.

    Parameters
    ----------
    split : TrainingSplit
    model : CreditScoreModel
        Its options are the first trial and the start; it is not fitted here.
    search : Search
    on_trial : callable, optional
        Told each trial as it ends.
    clock : callable
        Seconds; only looked at where ``search.seconds`` is given.

    Returns
    -------
    SearchResult
        The same for the same rows, model, and search without a time limit.

    Raises
    ------
    ParameterError
    WeightContractError
        If no options hold the weights.

    References
    ----------
    Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011 (TPE).
    """
    search.check()
    tell = on_trial or (lambda _: None)
    trials = []
    for trial in _tried(split, model, search, clock):
        tell(trial)
        trials.append(trial)
    done = [trial for trial in trials if trial.figures]
    if not done:
        raise WeightContractError(f"Some options must hold the weights, got none in {len(trials)}: {trials[0].refused}")
    return SearchResult(search, tuple(trials), best_of(done, search.objective))


def best_of(trials: Sequence[Trial], objective: str) -> Trial:
    """The best of trials that were not refused; of equals the earliest."""
    sign = 1.0 if OBJECTIVES[objective] == "minimize" else -1.0
    return min(trials, key=lambda trial: sign * trial.figures[objective])


def _tried(
    split: TrainingSplit, model: CreditScoreModel, search: Search, clock: Callable[[], float]
) -> Iterator[Trial]:
    began = clock()
    given = model.booster or BoosterOptions()
    yield _trial(0, split, model, given)
    with _quiet():
        study = optuna.create_study(
            direction=OBJECTIVES[search.objective], sampler=optuna.samplers.TPESampler(seed=search.seed)
        )
    for number in range(1, search.trials + 1):
        if search.seconds is not None and clock() - began > search.seconds:
            return
        drawn = study.ask()
        trial = _trial(number, split, model, search.space.drawn(drawn, given))
        if trial.figures:
            study.tell(drawn, trial.figures[search.objective])
        else:
            study.tell(drawn, state=optuna.trial.TrialState.PRUNED)
        yield trial


def _trial(number: int, split: TrainingSplit, model: CreditScoreModel, options: BoosterOptions) -> Trial:
    # What is searched for is the full pattern's, which no booster of another pattern changes.
    fresh: Any = clone(model).set_params(booster=options, own_booster_gap=None, unconstrained_price=False)
    try:
        split.fit(fresh)
    except WeightContractError as refusal:
        return Trial(number, options, {}, str(refusal))
    price = fresh.contract_report_.price.loc["contracted", ["auc", "ks", "brier", "log_loss"]]
    figures = {name: float(value) for name, value in price.items()}
    figures |= {"ece": float(fresh.calibration_report_.ece), "trees": float(fresh.booster_.num_trees())}
    return Trial(number, options, figures)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Optuna say only what is wrong."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
