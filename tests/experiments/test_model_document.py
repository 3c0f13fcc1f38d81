"""What every document about a model shares: its head, the names of its figures, its files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from benne.errors import ModelDirectoryError
from benne.experiments.champion_challenger import AboutComparison
from benne.experiments.fairness import AboutAudit
from benne.experiments.measure import Measure
from benne.experiments.report.model_document import AboutDocument, document_of, measured, section, write_document
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.documents import file_document

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ABOUT = {"model_id": "benne/1", "config_hash": "1" * 64, "made_at": NOW, "by": "ada"}


def a_document(**more):
    content = {"measures": measured("gaming", {"cheap_points": Measure(value=12.5, n=900)}), "notes": ["Read this."],
               "tables": {"moves": [{"move": "friends", "points": 12.5}], "others": []}}  # fmt: skip
    return document_of("gaming", AboutDocument(**ABOUT), content | more)


def test_it_begins_with_its_form_its_model_and_who_made_it():
    assert list(a_document())[:5] == ["format", "kind", "model", "made_at", "by"]
    assert a_document()["model"] == {"model_id": "benne/1", "config_hash": "1" * 64}
    assert a_document()["measures"]["gaming.cheap_points"]["value"] == 12.5


def test_the_store_takes_it_as_it_is():
    file_document(a_document(), actor=Actor("ada", "data_scientist"), event_id="e", policy_version="p")


def test_an_audit_and_a_comparison_say_more_of_themselves():
    assert AboutAudit(**ABOUT, purpose="fairness_audit:1").head()["purpose"] == "fairness_audit:1"
    head = AboutComparison(**ABOUT, champion=("benne/2", "2" * 64)).head()
    assert list(head) == ["model", "champion", "made_at", "by"]
    assert (head["model"]["model_id"], head["champion"]["model_id"]) == ("benne/1", "benne/2")


def test_that_members_are_others_is_claimed_only_where_it_was_said():
    about = AboutDocument(**ABOUT)
    assert (about.unseen, about.reservations()) == ("", [])
    assert AboutDocument(**ABOUT, trained_on="none").unseen == " that the model was not trained on"
    unknown = AboutDocument(**ABOUT, trained_on="unknown")
    assert unknown.unseen == ""
    assert unknown.reservations() == [
        "Nobody can say whether the model was trained on these members: no record of its training was there."
    ]
    two = {one: AboutComparison(**ABOUT, champion=("benne/2", "2" * 64), trained_on=one) for one in ("none", "some")}
    assert two["none"].unseen == " that neither model was trained on"
    assert two["none"].reservations() == []
    assert two["some"].reservations() == [
        "One of the models was trained on some of these members: what is shown of them is no test of it."
    ]


def test_it_is_about_the_files_of_a_saved_model(training_run, tmp_path):
    training_run.model.save(tmp_path / "model")
    about = AboutDocument.of(tmp_path / "model", made_at=NOW, by="ada")
    assert (about.model_id, about.config_hash) == identity_of(tmp_path / "model")
    with pytest.raises(ModelDirectoryError, match="got none"):
        AboutDocument.of(tmp_path / "nothing", made_at=NOW, by="ada")


def test_its_files_are_named_after_its_kind_and_its_text_is_no_markup(tmp_path):
    document = a_document(sections=[section("how", "How <it> is won", ["By <script>alert(1)</script>."], "moves")])
    page, data = write_document(document, tmp_path, title="Gaming", lead="Few rows.")
    assert (page.name, data.name) == ("gaming.html", "gaming.json")
    assert json.loads(data.read_text("utf-8")) == document
    assert "How &lt;it&gt; is won" in page.read_text("utf-8")
    assert "<script" not in page.read_text("utf-8")
    again = write_document(document, tmp_path / "again", title="Gaming", lead="Few rows.")
    assert [one.read_bytes() for one in again] == [page.read_bytes(), data.read_bytes()]
