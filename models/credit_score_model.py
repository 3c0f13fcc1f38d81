"""The estimator: a score from 350 to 950 that keeps its weights, adds up, and uses only what may be used."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Collection, Mapping, Sequence
from os import PathLike
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benne.errors import ModelDirectoryError, ModelError
from benne.models.additive_booster import BoosterOptions, BoosterRecipe
from benne.models.category_layout import checked_tolerance, layout_of
from benne.models.consent_patterns import Withheld
from benne.models.contract_report import frontier_table, realised_shares
from benne.models.explanation import Explanation, explained
from benne.models.fitted_facts import FittedFacts
from benne.models.fitting import Alternatives, learn
from benne.models.histogram_fitting import histograms_of_fit
from benne.models.inputs import read_table, rules_for
from benne.models.neutralising import Neutralised, columns_of_groups, neutralise
from benne.models.parameters import check_level, checked_parameters
from benne.models.pd_interval import INTERVAL_LEVEL, pd_intervals
from benne.models.percentiles import percentiles_of
from benne.models.persistence import MALFORMED, ModelState, load_state, malformed, save_state
from benne.models.rarity import Rarity
from benne.models.rows import Folding, ScoredRows, refusals, scored_rows, tightened, told_of, training_data
from benne.models.scale import ScoreScale

__all__ = ["CreditScoreModel"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class CreditScoreModel(FittedFacts, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A credit score whose categories count for exactly what they are said to.

    One LightGBM booster whose trees each use one category; multipliers, by a convex programme, that give each category
    its share of influence, for every allowed pattern of consent; Platt's calibration out of fold; a log-odds scale.

    Parameters
    ----------
    categories : mapping of str to list of str, "single" or None, default=None
        Columns of each category. None takes the registry's, and then each of the five must have a column.
        ``"single"`` puts all columns in one.
    weights : mapping of str to float or None, default=None
        Share of each category, renormalised to sum to 1. None takes 35/25/20/15/5 % of the categories given.
    tolerance : float or mapping of str to float, default=0.0
        How far a share may be from its weight, for all or by category (0 for those not named); 1 leaves weights free.
    booster : BoosterOptions or None, default=None
    scale : ScoreScale or None, default=None
    random_state : int, default=0
    own_booster_gap : float or None, default=0.005
        A pattern of consent gets its own booster where one trained for it alone is better out of fold by more than
        this AUC; to try costs a cross-fit for each pattern. None never tries.
    unconstrained_price : bool, default=True
        Whether to state the contract's price against LightGBM without constraints too, as long as the rest of the fit.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        ``classes_[1]`` is bad.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if the training columns had names.
    booster_ : lightgbm.Booster
        Of the full pattern. Its columns are numbered in the order of the fit.
    contract_report_ : ContractReport
        Realised shares, and the price of the contract.
    calibration_report_ : CalibrationReport
        Out of fold, full pattern.
    pattern_reports_ : dict of frozenset to CalibrationReport
        Of each allowed pattern, by the categories it uses.
    patterns_ : DataFrame
        What each pattern is worth: :func:`benne.models.pattern_report.pattern_table`.
    reference_ : ReferenceSample
        What is known of the members that others are compared with: averages, never anybody's own.
    histograms_ : ReferenceHistograms
        What the training data looked like, in counts, for monitoring.

    Notes
    -----
    Columns ``consented_<category>`` beside the features are the consent mask: never features.
    The contract is a property of a population: shares hold, within the tolerance and 1e-6, on the reference sample, a
    seeded sample of at most 10,000 training rows. Influence needs no labels, and functions spread alike on rows they
    were trained on, so none are held out for it.

    A weight of 2 is not the same as a row given twice: cross-fitting puts the two copies in different folds, so a
    booster would be checked on a row that it has seen. This is the one check of
    :func:`sklearn.utils.estimator_checks.check_estimator` that fails, on purpose.

    A single category, or free weights, has no contract to break: a model that finds nothing gives everybody the base.

    References
    ----------
    Lundberg et al., "From local explanations to global understanding with explainable AI for trees", 2020 (points);
    Platt 1999 (calibration); Siddiqi 2017 (scale).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"late_days": rng.gamma(2.0, 5.0, 600), "savings": rng.gamma(2.0, 1.0, 600)})
    >>> y = (rng.random(600) < 1 / (1 + np.exp(2 + X["savings"] - X["late_days"] / 5))).astype(int)
    >>> from benne.models import CreditScoreModel
    >>> model = CreditScoreModel(categories={"paid": ["late_days"], "means": ["savings"]},
    ...                          weights={"paid": 0.6, "means": 0.4}).fit(X, y)
    >>> model.contract_report_.shares["reference"].round(6).tolist()
    [0.6, 0.4]
    >>> explanation = model.explain(X)
    >>> bool(explanation.largest_gap < 1e-9)
    True
    >>> model.predict_score(X.drop(columns="savings"))
    Traceback (most recent call last):
    ...
    benne.errors.FeatureColumnsError: X must have every column of the fit, 'savings' missing. Add them.
    """

    def __init__(
        self,
        categories: Mapping[str, Sequence[str]] | str | None = None,
        weights: Mapping[str, float] | None = None,
        tolerance: float | Mapping[str, float] = 0.0,
        booster: BoosterOptions | None = None,
        scale: ScoreScale | None = None,
        random_state: int = 0,
        own_booster_gap: float | None = 0.005,
        unconstrained_price: bool = True,
    ) -> None:
        self.categories = categories
        self.weights = weights
        self.tolerance = tolerance
        self.booster = booster
        self.scale = scale
        self.random_state = random_state
        self.own_booster_gap = own_booster_gap
        self.unconstrained_price = unconstrained_price

    def fit(self, X: Any, y: Any, *, sample_weight: Any = None, groups: Any = None, time: Any = None) -> Self:
        """Learn booster, contract and calibration.

        Parameters
        ----------
        X : DataFrame, Polars or Arrow table, or array, shape (n, features)
            float64 or whole numbers; NaN says "not known". May carry the five consent columns.
        y : array-like, shape (n,)
            Two classes; the second in sorted order is bad.
        sample_weight : array-like, shape (n,), optional
        groups : array-like, shape (n,), optional
            Rows of one group, e.g. a person, stay in one fold.
        time : array-like, shape (n,), optional
            Folds are trained on what came strictly before.

        Raises
        ------
        ModelError
            One of its leaves, naming what must be what.
        CategoryWithheld
            If a row withholds a category without which there is no score, or holds values of
            a category that it withholds.
        """
        options, scale = checked_parameters(self.get_params(deep=False))
        table = read_table(X)
        columns = tuple(table.frame.columns)
        layout = layout_of(columns, self.categories, self.weights, self.tolerance)
        rules = rules_for(columns, layout.names, options.monotone)
        folding = Folding(groups, time, options.folds, self.random_state)
        data, classes = training_data(table, y, sample_weight, layout, rules, folding)
        recipe = BoosterRecipe(options, self.random_state, layout.groups, list(rules.directions))
        # One BLAS thread: vectors this short gain nothing from more, and sums stay the same on every machine.
        with threadpool_limits(limits=1, user_api="blas"):
            told = told_of(data, rules, layout)
            alternatives = Alternatives(self.own_booster_gap, self.unconstrained_price)
            learned, self._oof = learn(data, layout, recipe, scale, told, alternatives)
        rules = tightened(rules, data, layout)
        state = ModelState(learned, layout, rules, scale, classes, table.named)
        kept = histograms_of_fit(state, data, told, self.random_state, options.threads)
        self._adopt(dataclasses.replace(state, histograms=kept), options.threads)
        self._fitted_with = copy.deepcopy(self.get_params(deep=False))
        return self

    def predict_proba(self, X: Any, withheld: Withheld = ()) -> Floats:
        """Probability of good and of bad, shape (n, 2), from unclipped log odds."""
        pd_of_bad = expit(self.decision_function(X, withheld))
        return np.column_stack([1.0 - pd_of_bad, pd_of_bad])

    def decision_function(self, X: Any, withheld: Withheld = ()) -> Floats:
        """Log odds of bad, shape (n,)."""
        rows = self._rows(X, withheld)
        return self._function.log_odds(rows.X, rows.codes)

    def predict(self, X: Any, withheld: Withheld = ()) -> npt.NDArray[Any]:
        """The likelier class, shape (n,)."""
        check_is_fitted(self)
        return np.asarray(self.classes_[(self.decision_function(X, withheld) > 0).astype(np.intp)])

    def predict_score(self, X: Any, withheld: Withheld = ()) -> Floats:
        """Score of each row, 350 to 950, shape (n,); higher is better.

        Parameters
        ----------
        X : table or array, shape (n, features)
            Columns of categories that every row withholds may be absent.
        withheld : set of str, or one set per row
            Categories that must not enter; see :func:`benne.models.withheld_of`. Their values
            are never looked at.

        Raises
        ------
        CategoryWithheld
            If the consent columns of X withhold a category that ``withheld`` does not name.
        InsufficientEvidence
            If too little is left to score, with the reason.
        FeatureColumnsError, FeatureTypeError, FeatureValueError
            For columns and values the model was not made for.
        """
        rows = self._rows(X, withheld)
        return self._function.lines(rows.X, rows.codes).score

    def predict_band(self, X: Any, withheld: Withheld = ()) -> npt.NDArray[np.str_]:
        """Name of each row's band, shape (n,)."""
        return self._function.scale.band(self.predict_score(X, withheld))

    def predict_interval(self, X: Any, withheld: Withheld = (), *, level: float = INTERVAL_LEVEL) -> Floats:
        """Within which each member's own probability of bad lies with a certain chance, shape (n, 2).

        Parameters
        ----------
        X, withheld
            As :meth:`predict_score`.
        level : float, default=0.9
            In (0, 1).

        Notes
        -----
        Two things are not known: how the trees would differ had other members been drawn, and how members of the same
        features differ. The second is learned from members who were observed at several moments (``groups`` of the
        fit), whose outcome windows should not overlap; without them the interval holds only the first, and is too
        narrow for a claim about one member. ``has_member_spread`` says which.
        """
        check_level(level)
        rows = self._rows(X, withheld)
        log_odds = self._function.log_odds(rows.X, rows.codes)
        return pd_intervals(log_odds, rows.thin, rows.codes, self._state.learned.uncertainty, level)

    def predict_percentile(self, X: Any, withheld: Withheld = ()) -> Floats:
        """Per cent of the reference sample, scored with the same categories, that score no higher, shape (n,).

        NaN where that sample is smaller than a hundred members: each step is of fifty or more.
        """
        rows = self._rows(X, withheld)
        scores = self._function.lines(rows.X, rows.codes).score
        return percentiles_of(scores, rows.codes, self._state.learned.percentiles)

    def thin_file(self, X: Any, withheld: Withheld = ()) -> Bools:
        """Whether nothing is on record in some category that enters, shape (n,); arguments as :meth:`predict_score`."""
        return self._rows(X, withheld).thin

    def rare(self, X: Any, withheld: Withheld = ()) -> Bools | None:
        """Whether there was little like a row to learn from, shape (n,); arguments as :meth:`predict_score`.

        None for a model that was saved before that was kept, or trained on fewer than fifty rows.
        """
        rows = self._rows(X, withheld)
        return None if self._rarity is None else self._rarity.rare(rows.X)

    def refusals(self, X: Any, withheld: Withheld = ()) -> tuple[Bools, Bools]:
        """Rows that a table would be refused for: too little to go by, or values that are not scored; each shape (n,).

        Arguments as :meth:`predict_score`, which takes the table without them.
        """
        check_is_fitted(self)
        function = self._function
        return refusals(X, withheld, function.layout, function.pattern_sets, self._rules, self._state.named)

    def explain(self, X: Any, withheld: Withheld = ()) -> Explanation:
        """Take each score apart into base, exact points and clipping; arguments as :meth:`predict_score`."""
        rows = self._rows(X, withheld)
        return explained(self._function, rows, self._state.learned, self._columns, self._rarity)

    def neutralised(self, X: Any, groups: Sequence[Collection[str]], withheld: Withheld = ()) -> Neutralised:
        """Score each row with each group of features not known; other arguments as :meth:`predict_score`.

        Raises
        ------
        FeatureColumnsError
            If a group names what is no feature of the model.
        """
        rows = self._rows(X, withheld)
        return neutralise(self._function, rows.X, rows.codes, columns_of_groups(groups, self._rules.columns))

    def category_shares(self, X: Any, withheld: Withheld = ()) -> pd.DataFrame:
        """Realised share of influence of each category on other rows, with 95 % bootstrap intervals.

        Returns
        -------
        DataFrame
            One row per category: ``target``, ``share``, ``share_low``, ``share_high``.
        """
        rows = self._rows(X, withheld)
        contributions = self._function.contributions(rows.X, rows.codes)
        return realised_shares(contributions, self._function.layout, self.random_state)

    def frontier(self, tolerances: Sequence[float] = (0.0, 0.02, 0.05, 0.1, 0.2, 1.0)) -> pd.DataFrame:
        """Out-of-fold accuracy and shares at each tolerance; only right after a fit.

        Raises
        ------
        ModelError
            On a loaded model: out-of-fold rows belong to members and are not saved.
        """
        check_is_fitted(self)
        if not hasattr(self, "_oof"):
            raise ModelError("The frontier needs the rows of the fit, and a loaded model has none. Call it after fit.")
        taus = [checked_tolerance(tau) for tau in tolerances]
        with threadpool_limits(limits=1, user_api="blas"):
            return frontier_table(self._function.layout, self._oof, taus)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out-of-fold rows behind when copied or pickled: they belong to members."""
        return {name: value for name, value in super().__getstate__().items() if name != "_oof"}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as a directory: text model, JSON and Parquet, no pickle; all of it or nothing.

        No member's row or value is in it: of the reference sample remain the hash of its feature rows and means over
        fifty members or more. An earlier model at ``path`` stays until the new one takes its place.

        Raises
        ------
        ModelDirectoryError
            If ``path`` holds anything besides a saved model, or cannot be written.
        ParameterError
            If a parameter was set since the fit: the model is not of it.
        """
        check_is_fitted(self)
        save_state(path, self._state, self._fitted_with, self.get_params(deep=False))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a saved model; scores are bit for bit those of the model that was saved.

        Raises
        ------
        ModelDirectoryError
            If it is missing, corrupted, incomplete, or from a newer Benne.
        """
        state, parameters = load_state(path)
        try:
            model = cls(**parameters)
            options = parameters["booster"] or BoosterOptions()
            model._adopt(state, options.threads)
            model._fitted_with = copy.deepcopy(parameters)
        except MALFORMED as error:
            raise error if isinstance(error, ModelDirectoryError) else malformed(error) from None
        return model

    def _adopt(self, state: ModelState, threads: int) -> None:
        learned, layout = state.learned, state.layout
        self._state = state
        self._rules = state.rules
        self._function = state.function(threads)
        self._rarity = None if state.histograms is None else Rarity.of(state.histograms)
        self._columns = pd.Index(state.rules.columns)
        self.classes_ = state.classes
        self.scale_ = state.scale
        self.n_features_in_ = len(state.rules.columns)
        if state.named:
            self.feature_names_in_ = np.array(state.rules.columns, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.booster_: lgb.Booster = self._function.trees[0].booster
        self.contract_report_ = learned.contract_report
        self.calibration_report_ = learned.calibration_reports[frozenset(layout.names)]
        self.pattern_reports_ = learned.calibration_reports
        self.patterns_ = learned.pattern_table
        self.reference_ = state.reference

    def _rows(self, X: Any, withheld: Withheld) -> ScoredRows:
        check_is_fitted(self)
        function = self._function
        return scored_rows(X, withheld, function.layout, function.pattern_sets, self._rules, self._state.named)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags
