"""Fairness figures on public data, beside what was published: ``python -m benne.experiments.fairness.published``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benne.experiments.datasets import load
from benne.experiments.datasets.markdown import markdown_table
from benne.experiments.datasets.trial import features_of
from benne.experiments.fairness.alternatives import Alternatives, AlternativeSearch, search_alternatives
from benne.experiments.fairness.assessing import FairnessReport, assess_fairness
from benne.experiments.fairness.boston import adjusted_for, read_boston
from benne.experiments.fairness.document import AboutAudit, write_fairness_report
from benne.experiments.fairness.measures import fairness_measures
from benne.experiments.fairness.options import FairnessOptions
from benne.experiments.fairness.score_table import read_score_table
from benne.features import SubjectKey, registry, split_mask
from benne.models import BoosterOptions, CreditScoreModel

__all__ = ["audit_taiwan", "boston_text", "federal_reserve_text", "main", "taiwan_text"]

_KEY: Final = SubjectKey(b"public data, no secret key needed")
_INGESTED: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CUTOFFS: Final = (500.0, 550.0, 600.0)
_SCORES: Final = (25.0, 41.0, 60.0)
_SEX: Final = {1: "male", 2: "female"}
_MARRIAGE: Final = {1: "married", 2: "single", 3: "other"}
_EDUCATION: Final = {1: "graduate school", 2: "university", 3: "high school"}


def federal_reserve_text(folder: str | Path | None = None) -> str:
    """The Federal Reserve's table: what it says by group, who passes, what the same score means, what rules cost."""
    table = read_score_table(folder)
    kept = {"one_cutoff": "99.3 %", "equal_opportunity": "92.8 %", "demographic_parity": "69.8 %"}
    rules = [{"rule": name.replace("_", " "), "profit kept": f"{100 * value:.1f} %", "Hardt et al. 2016": kept[name]}
             for name, value in table.profits().items()]  # fmt: skip
    same = table.same_score((10, 25, 41, 60, 80))
    return "\n".join([
        _named("By group", _shown(table.by_group(), 4)),
        _named("Who passes at a cut-off", _shown(table.at_cutoffs(_SCORES), 3)),
        _named("Share that became bad, at the same score", _shown(same[["score", *same.columns.drop("score")]], 3)),
        _named("What rules cost, at the same bad rate in every group", markdown_table(rules)),
    ])  # fmt: skip


def boston_text(folder: str | Path | None = None) -> str:
    """Boston's mortgages: denials as they are, and between applicants who are otherwise alike."""
    raw, left = adjusted_for(*read_boston(folder))
    rows = [
        ("black applicants denied", f"{100 * raw.group:.1f} %", "28.3 %"),
        ("others denied", f"{100 * raw.reference:.1f} %", "9.3 %"),
        ("ratio of denials", f"{raw.denial_ratio:.2f}", "–"),
        ("adverse impact ratio of approvals", f"{raw.adverse_impact_ratio:.3f}", "–"),
        ("more denials, linear, controls held equal", f"{100 * left.linear:.1f} points", "8.4 points"),
        ("logit coefficient", f"{left.logit:.3f} ({left.logit_error:.3f})", "0.688 (0.182)"),
        ("more denials at average controls", f"{100 * left.at_means:.1f} points", "6.0 points"),
        ("more denials, averaged over applicants", f"{100 * left.average:.1f} points", "–"),
    ]
    head = ("figure", "here", "Stock and Watson, table 11.2")
    return markdown_table([dict(zip(head, row, strict=True)) for row in rows])


def audit_taiwan(
    folder: str | Path | None = None, *, search: AlternativeSearch | None = None, seed: int = 0
) -> tuple[FairnessReport, Alternatives | None]:
    """Train the contracted model on Taiwan's training members and audit it on the others.

    Parameters
    ----------
    folder : path, optional
    search : AlternativeSearch, optional
        Also search for a less discriminatory alternative, on the training members alone.
    seed : int
    """
    dataset = load("taiwan", folder)
    features = features_of(dataset, key=_KEY, ingested_at=_INGESTED)
    columns = split_mask(features)[0].columns
    protected = dataset.protected.set_index(
        pd.Index(_KEY.subject_ids(dataset.protected["member_id"].tolist()), name="subject_id")
    )
    protected = pd.DataFrame({
        "sex": protected["sex"].map(_SEX), "age": protected["age"], "marriage": protected["marriage"].map(_MARRIAGE),
        "education": protected["education"].map(_EDUCATION),
    })  # fmt: skip
    train, test = next(iter(dataset.folds()))
    bad = dataset.labels.to_numpy(dtype="float64")
    model = CreditScoreModel(
        categories=registry.categories_of(columns), booster=BoosterOptions(threads=1), random_state=seed,
        own_booster_gap=None, unconstrained_price=False,
    )  # fmt: skip
    model.fit(features.iloc[train], bad[train].astype("int64"))
    options = FairnessOptions(intersections=[("sex", "age")])
    report = assess_fairness(
        model, features.iloc[test], bad[test], protected, cutoffs=_CUTOFFS, seed=seed, options=options
    )
    if search is None:
        return report, None
    found = search_alternatives(
        model, features.iloc[train], bad[train], protected[["sex", "age"]], cutoffs=_CUTOFFS, search=search
    )
    return report, found


def taiwan_text(report: FairnessReport, found: Alternatives | None = None) -> str:
    """The audit in tables: worst figures, groups, cut-offs, proxies, and alternatives where they were searched for."""
    worst = [{"worst of": name, "value": f"{one.value:.4f}" if one.value is not None else one.state,
              "95 % interval": "–" if one.low is None else f"{one.low:.4f} to {one.high:.4f}",
              "n": f"{one.n:,}", "where": one.note} for name, one in fairness_measures(report).items()]  # fmt: skip
    groups, at = report.disparities.by_group, report.disparities.by_cutoff
    single = ~groups["attribute"].str.contains(" x ", regex=False)
    shown = ["attribute", "group", "rows", "mean_score", "standardised_mean_difference", "observed", "predicted",
             "calibration_gap", "calibration_gap_low", "calibration_gap_high", "auc", "finding"]  # fmt: skip
    passes = ["attribute", "group", "cutoff", "selection_rate", "adverse_impact_ratio", "adverse_impact_ratio_low",
              "adverse_impact_ratio_high", "equal_opportunity_difference", "finding"]  # fmt: skip
    few = ~at["attribute"].str.contains(" x ", regex=False)
    told = report.proxies[["attribute", "group", "features", "measure", "value", "low", "high", "finding"]]
    texts = [
        _named("The worst of each", markdown_table(worst)), _named("By group", _shown(groups[single][shown], 3)),
        _named("Who passes at a cut-off", _shown(at[few][passes], 3)),
        _named("What tells a protected attribute", _shown(told, 3)),
    ]  # fmt: skip
    if found is not None:
        kept = ["candidate", "tolerance", "auc", "brier", "ece", "adverse_impact_ratio",
                "standardised_mean_difference", "verdict", "why"]  # fmt: skip
        texts.append(_named("Alternatives", _shown(found.table[kept], 4)))
    return "\n".join(texts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures; with ``--out`` also write Taiwan's audit as a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", choices=("federal-reserve", "boston", "taiwan"), help="one set; default all")
    parser.add_argument("--search", type=int, default=0, help="draws of a search for alternatives on Taiwan")
    parser.add_argument("--out", type=Path, help="folder for Taiwan's audit as a page and a document")
    given = parser.parse_args(arguments)
    if given.only in (None, "federal-reserve"):
        _say("The Federal Reserve's score table", federal_reserve_text())
    if given.only in (None, "boston"):
        _say("Boston mortgages", boston_text())
    if given.only in (None, "taiwan"):
        search = AlternativeSearch(draws=given.search) if given.search else None
        report, found = audit_taiwan(search=search)
        _say("Taiwan", taiwan_text(report, found))
        if given.out is not None:
            about = AboutAudit(model_id="taiwan", config_hash="", made_at=_INGESTED, by="published", trained_on="none")
            write_fairness_report(report, given.out, about, alternatives=found)


def _say(title: str, text: str) -> None:
    sys.stdout.write(f"## {title}\n\n{text}\n")


def _named(title: str, table: str) -> str:
    return f"### {title}\n\n{table}"


def _shown(table: pd.DataFrame, digits: int) -> str:
    return markdown_table([{str(name): _cell(value, digits) for name, value in row.items()}
                           for row in table.to_dict("records")])  # fmt: skip


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
