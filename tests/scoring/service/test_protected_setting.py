"""A service that names a store of protected attributes erases members from it too."""

from __future__ import annotations

import pandas as pd

from benne.scoring.decisions.request import Actor
from benne.scoring.erasure.acts import Actor as Asker
from benne.scoring.protected import Declared, lay_out_protected, opened_protected
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings


def test_an_erasure_through_the_service_reaches_the_store_that_its_setting_names(running, tmp_path):
    counsel = Actor("counsel-1", "compliance")
    home = lay_out_protected(tmp_path / "protected", Declared("us", {"sex": "Regulation B 1002.5(b)(1)"}))
    anna, berta = running.member("anna"), running.member("berta")
    index = pd.Index([anna, berta], name="subject_id")
    with opened_protected(home) as protected:
        protected.add(pd.DataFrame({"sex": ["female", "female"]}, index=index), actor=counsel)
    service = open_service(read_settings(running.service.settings.home, protected=home))
    try:
        service.erasure.request(anna, by=Asker("compliance", "counsel-1"))
        report = service.erasure.run(compacting=False)  # of the tests' one PostgreSQL, which others use meanwhile
    finally:
        service.close()
    assert (report.failed, report.held) == ({}, ())
    with opened_protected(home) as protected:
        left = protected.read(["sex"], actor=counsel, purpose="fairness_audit:2026-q4")
    assert left.index.tolist() == [berta]
