"""What a registry shows of a card: all that the issue names, the card's own gaps, and no line or table cut."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from benne.experiments.measure import Measure
from benne.experiments.model_card import Approval, CardSources, card_of, with_approvals, with_documents
from benne.experiments.model_card.description import LONGEST, describe_card
from benne.experiments.model_card.description_parts import IF_ROOM, NEEDED, forms_of, title_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TOLD = {"means": "a", "rationale": "b", "source": "c", "direction": "d", "gaming": "low", "owner": "e"}


@pytest.fixture(scope="module")
def card(training_run, tmp_path_factory):
    """As a tracked run logs it: nobody has audited, attacked or decided."""
    folder = tmp_path_factory.mktemp("described") / "model"
    training_run.model.save(folder)
    reasons = dict.fromkeys(training_run.model.feature_names_in_, TOLD)
    return card_of(folder, CardSources(training_run, {"data": "simulated"}, reasons=reasons), made_at=NOW, by="anna")


@pytest.fixture(scope="module")
def full(card):
    """Audited in twenty groups, attacked, and decided on twelve times."""
    groups = [
        {"attribute": "region", "group": f"r{k}", "rows": 100 + k, "bad": 10, "predicted": 0.1, "observed": 0.1,
         "auc": 0.7, "finding": ""} for k in range(20)
    ]  # fmt: skip
    decided = [
        Approval(what="validation", verdict="not passed", by="bert", author="anna", at=NOW.replace(day=day + 1),
                 gates_version=f"v{day}") for day in range(12)
    ]  # fmt: skip
    audits = [document_of(card, "fairness", groups=groups), document_of(card, "gaming", attacks=[{"attack": "burst"}])]
    return with_approvals(with_documents(card, audits), decided)


def document_of(card, kind, **tables):
    return {
        "format": 1, "kind": kind, "model": {"model_id": card.model_id, "config_hash": card.config_hash},
        "measures": {f"{kind}.figure{k}": Measure(value=0.9, low=0.8, high=1.0, n=100).as_dict() for k in range(6)},
        "tables": tables, "notes": ["Review: read this first. " * 8],
    }  # fmt: skip


def sections_of(text):
    """Body by title."""
    return dict(part.split("\n", 1) for part in text.split("\n## ")[1:])


@pytest.mark.parametrize("which", ["card", "full"])
def test_everything_that_a_reader_must_not_miss_is_there(which, request):
    text = describe_card(request.getfixturevalue(which))
    assert len(text) <= LONGEST
    shown = sections_of(text)
    assert {title_of(key) for key in NEEDED} <= set(shown)
    assert "| intended | lending, checkout credit, rental |" in shown["Intended and banned uses"]
    assert "| banned | members under 18 |" in shown["Intended and banned uses"]
    assert re.search(r"\| training \| [\d,]+ \| [\d,]+ \| 0\.\d+ \|", shown["Data"])
    assert re.search(r"\| credit_history \| 0\.4118 \| 0\.4118", shown["The weights"])  # 35 of 85: four categories
    assert "| contracted |" in shown["What the weights cost"]
    assert "auc price" in shown["What the weights cost"]
    assert re.search(r"auc\b.* 0\.\d{4} \(0\.\d{4} to 0\.\d{4}\)", shown["How well it does"])
    assert "thin files" in shown["Limits"]
    assert "Simulated members." in text
    assert text.rstrip().splitlines()[-1].startswith("The whole card: `card/card.html`")


def test_features_are_counted_with_those_that_lack_a_rationale(card):
    lines = [dict(line) for line in card.sections["features"].tables["features"]]
    lines[0]["rationale"] = None
    bare = replace(card.sections["features"], tables={"features": lines})
    text = describe_card(replace(card, sections={**card.sections, "features": bare}))
    assert "| credit_history | 2 | 1 |" in sections_of(text)["Features"]
    assert "| behaviour | 2 | 0 |" in sections_of(text)["Features"]


def test_what_nobody_has_done_yet_is_said(card):
    shown = sections_of(describe_card(card))
    assert "Not audited yet." in shown["Fairness, by group"]
    assert "Not attacked yet." in shown["Resistance to gaming"]
    assert "Nobody has decided about it yet." in shown["Approvals"]


def test_groups_attacks_and_the_latest_decisions_are_shown(full):
    shown = sections_of(describe_card(full))
    assert "| fairness.figure0 | 0.9000 (0.8000 to 1.0000) | 100 | measured |" in shown["Fairness, by group"]
    assert "| region | r0 | 100 |" in shown["Fairness, by group"]
    assert re.search(r"\nand (6|14) more\.", shown["Fairness, by group"])
    assert "| gaming.figure0 | 0.9000" in shown["Resistance to gaming"]
    assert "| 2026-11-12 | validation | not passed | bert | anna | v11 |" in shown["Approvals"]


def test_missing_is_what_the_card_itself_lacks(card, full):
    assert card.missing == ["Fairness, by group", "Resistance to gaming"]
    assert "> Missing:\n>\n> - Fairness, by group\n> - Resistance to gaming\n" in describe_card(card)
    assert full.missing == []
    assert "Missing" not in describe_card(full)
    without = replace(card, sections={key: one for key, one in card.sections.items() if key != "limits"})
    assert "> - Limits\n" in describe_card(without)
    assert "Not on the card." in sections_of(describe_card(without))["Limits"]


def test_what_there_is_no_room_for_is_named_and_the_least_needed_goes_first(full):
    text = describe_card(full)
    named = re.search(r"\nOnly there: (.+)\.\n", text).group(1).split("; ")
    shown = sections_of(text)
    there = {title_of(key) for key in IF_ROOM if forms_of(full, key)}
    assert set(named) == there - set(shown)
    assert {"Versions and seeds", "Calibration by decile"} <= set(named)


@pytest.mark.parametrize("room", range(600, LONGEST + 1, 200))
def test_at_any_length_no_line_or_table_is_cut_and_the_pointer_stays(full, room):
    text = describe_card(full, room)
    assert len(text) <= room
    assert "The whole card: `card/card.html`" in text
    for key in (*NEEDED, *IF_ROOM):
        body = sections_of(text + "\n").get(title_of(key))
        forms = [form.removeprefix(f"## {title_of(key)}\n") for form in forms_of(full, key)]
        assert body is None or any(body.startswith(form) for form in forms), key


def test_with_room_for_all_of_it_all_of_it_is_there(full):
    text = describe_card(full, 50_000)
    assert "Only there" not in text
    assert {title_of(key) for key in (*NEEDED, *IF_ROOM) if forms_of(full, key)} == set(sections_of(text))


def test_long_lists_of_notes_and_gaps_leave_room_for_the_rest(card):
    many = replace(card, notes=tuple(f"Note {k}. {'x' * 50}" for k in range(99)))
    text = describe_card(many)
    assert len(text) <= LONGEST
    assert re.search(r"^> and \d+ more$", text, re.MULTILINE)
    assert "## Intended and banned uses" in text
