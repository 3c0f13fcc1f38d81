from __future__ import annotations

from datetime import timedelta

import pytest

from benne.errors import ConsentRecordError
from benne.scoring.consent.terms_file import TermsDraft, read_all_terms, read_terms, write_terms
from benne.scoring.consent.vocabulary import GRANULARITIES, PURPOSES

DRAFT = TermsDraft("lending", "shop", "Example Ltd", validity_days=30)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_there_is_a_draft_for_every_purpose_and_answer(tmp_path, purpose, granularity):
    written = write_terms(tmp_path / "terms.toml", TermsDraft(purpose, "shop", "Example Ltd", granularity))
    assert (written.terms.purpose, written.terms.granularity) == (purpose, granularity)
    assert written.terms.notice == written.notice.ref
    assert "off until you switch it on" in written.notice.text


def test_a_draft_reads_as_it_was_written(tmp_path):
    written = write_terms(tmp_path / "terms.toml", DRAFT)
    assert read_terms(tmp_path / "terms.toml") == written
    assert written.terms.validity == timedelta(days=30)


@pytest.mark.parametrize("controller", ["", 'Example" Ltd', "Example\nLtd"])
def test_words_that_would_break_the_file_are_refused(tmp_path, controller):
    with pytest.raises(ConsentRecordError, match="controller in plain words"):
        write_terms(tmp_path / "terms.toml", TermsDraft("lending", "shop", controller))
    assert not (tmp_path / "terms.toml").exists()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('purpose = "lending"', 'purpose = "gambling"', "A purpose must be one of"),
        ("validity_days = 30", 'validity_days = "long"', "another type"),
        ("validity_days = 30", "validity_days = 0", "longer than nothing"),
        ("retention_days = 30\n", "", "missing"),
        ('controller = "Example Ltd"', 'controller = ""', "state their controller"),
        ("[terms]", "[terms", "TOML file"),
        ('version = "1"', "", "missing"),
    ],
)
def test_terms_that_cannot_be_are_refused(tmp_path, old, new, complaint):
    path = tmp_path / "terms.toml"
    write_terms(path, DRAFT)
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(ConsentRecordError, match=complaint):
        read_terms(path)


def test_a_folder_is_every_file_in_it_and_each_purpose_once(tmp_path):
    write_terms(tmp_path / "a.toml", DRAFT)
    write_terms(tmp_path / "b.toml", TermsDraft("rental", "shop", "Example Ltd"))
    assert [one.terms.purpose for one in read_all_terms([tmp_path])] == ["lending", "rental"]
    with pytest.raises(ConsentRecordError, match="got one twice"):
        read_all_terms([tmp_path, tmp_path / "a.toml"])
