"""The demo's audits: attributes in a store of their own, what each category is worth, and the scores watched."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from benne.experiments.category_value import ValueOptions, category_value
from benne.experiments.category_value.document import categories_document, write_category_value
from benne.experiments.monitoring import monitoring_document, write_monitoring_report
from benne.experiments.report.model_document import AboutDocument
from benne.experiments.simulator import NOTICE
from benne.features.frames import key_member_ids
from benne.scoring.decisions.request import Actor
from benne.scoring.monitoring.monitor import monitor
from benne.scoring.protected import Declared, lay_out_protected, opened_protected
from benne.scoring.wiring import random_id

if TYPE_CHECKING:
    from benne.experiments.simulator import Simulation
    from benne.experiments.training import TrainingRun
    from benne.experiments.validation.evidence import ReadAttributes
    from benne.features import SubjectKey
    from benne.models import CreditScoreModel
    from benne.scoring.governance.governance_store import GovernanceStore

__all__ = ["PURPOSE", "attributes_reader", "audit_categories", "keep_attributes", "watch_scores"]

PURPOSE: Final = "fairness_audit:demo"
_ATTRIBUTES: Final = {
    "sex": "Regulation B 1002.5(b)(1), self-test; simulated members",
    "age_band": "Regulation B 1002.6(b)(2); simulated members",
}
_KEEPER: Final = Actor("demo-counsel", "compliance")


def keep_attributes(world: Simulation, key: SubjectKey, home: Path) -> Path:
    """Put the simulated members' sex and age band into a store that nothing which scores can open."""
    lay_out_protected(home, Declared("us", _ATTRIBUTES))
    table = key_member_ids(world.protected(), key).set_index("subject_id")[list(_ATTRIBUTES)]
    with opened_protected(home) as protected:
        protected.add(table, actor=_KEEPER)
    return home


def attributes_reader(home: Path, validator: str) -> ReadAttributes:
    """Reads what the validator asks for, on record in the store."""

    def read(subject_ids: Collection[str]) -> pd.DataFrame:
        with opened_protected(home) as protected:
            return protected.read(
                list(_ATTRIBUTES), actor=Actor(validator, "compliance"), purpose=PURPOSE, subject_ids=subject_ids
            )

    return read


def audit_categories(
    run: TrainingRun, about: AboutDocument, governance: GovernanceStore, folder: Path, *, seed: int
) -> dict[str, str]:
    """Fit without each category in turn, write and file what that says; gives each verdict in its words."""
    report = category_value(run.split, run.model, options=ValueOptions(free=False, seed=seed))
    document = categories_document(report, about, notices=[NOTICE])
    write_category_value(report, document, folder)
    _file(document, about.by, governance)
    return {one.category: one.verdict.words for one in report.values}


def watch_scores(
    model: CreditScoreModel,
    features: pd.DataFrame,
    about: AboutDocument,
    governance: GovernanceStore,
    folder: Path,
    *,
    clock: Callable[[], datetime],
) -> int:
    """Compare those who were scored with those who were trained on, write and file it; gives the number of alerts."""
    report = monitor(model, features, clock=clock)
    write_monitoring_report(report, folder, about)
    _file(monitoring_document(report, about), about.by, governance)
    return len(report.alerts)


def _file(document: Mapping[str, Any], by: str, governance: GovernanceStore) -> None:
    governance.file(document, Actor(by, "data_scientist"), event_id=random_id())
