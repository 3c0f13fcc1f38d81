"""What every document about a model has in common: its head, its sections, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self

from benne.experiments.measure import Measure, measures_of
from benne.experiments.report.document_page import document_page
from benne.features.quality.documents import as_bytes, write_whole
from benne.scoring.decisions.served_model import identity_of
from benne.scoring.governance.documents import FORMAT

__all__ = ["AboutDocument", "TrainedOn", "document_of", "measured", "section", "write_document"]

TrainedOn = Literal["none", "some", "unknown", "not said"]
"""How many of the members looked at a model was trained on; ``unknown`` where no record of its training was there."""

_NOT_UNSEEN: Final[Mapping[TrainedOn, str]] = {
    "some": "{} was trained on some of these members: what is shown of them is no test of it.",
    "unknown": "Nobody can say whether {} was trained on these members: no record of its training was there.",
}


@dataclass(frozen=True, kw_only=True)
class AboutDocument:
    """What a document says of itself.

    Parameters
    ----------
    model_id, config_hash : str
        Of the saved model; see :meth:`of`.
    made_at : datetime
        With its timezone.
    by : str
        Who made it.
    trained_on : {"none", "some", "unknown", "not said"}, default="not said"
        How many of the members looked at the model was trained on. Only where it is ``none`` is it claimed that they
        are others; ``some`` and ``unknown`` are noted.

    Examples
    --------
    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 30, tzinfo=UTC)
    >>> AboutDocument(model_id="benne/1", config_hash="1" * 64, made_at=now, by="ada").head()["made_at"]
    '2026-11-30T00:00:00+00:00'
    """

    model_id: str
    config_hash: str
    made_at: datetime
    by: str
    trained_on: TrainedOn = "not said"

    _which: ClassVar[str] = "the model"
    _unseen: ClassVar[str] = " that the model was not trained on"

    @classmethod
    def of(cls, directory: Path, **told: Any) -> Self:
        """About the saved model in a folder, which is named by its files; the rest as it is given.

        Raises
        ------
        ModelDirectoryError
            If there is no saved model.
        """
        model_id, config_hash = identity_of(directory)
        return cls(model_id=model_id, config_hash=config_hash, **told)

    def head(self) -> dict[str, Any]:
        """Which model, when, by whom: the beginning of the document."""
        return {
            "model": {"model_id": self.model_id, "config_hash": self.config_hash},
            "made_at": self.made_at.isoformat(),
            "by": self.by,
        }

    @property
    def unseen(self) -> str:
        """Words that follow the members in a sentence: that they were not trained on, empty where none can say so."""
        return self._unseen if self.trained_on == "none" else ""

    def reservations(self) -> list[str]:
        """Notes on members that were trained on, or of whom nobody can say."""
        said = _NOT_UNSEEN.get(self.trained_on)
        told = None if said is None else said.format(self._which)
        return [] if told is None else [told[0].upper() + told[1:]]


def document_of(kind: str, about: AboutDocument, content: Mapping[str, Any]) -> dict[str, Any]:
    """A document about a model, ready for JSON: the same content, the same bytes.

    Parameters
    ----------
    kind : str
        Such as ``fairness``.
    about : AboutDocument
    content : mapping
        ``measures`` (see :func:`measured`), ``tables`` (rows by name), ``notes``; perhaps ``sections`` (see
        :func:`section`) and whatever is the kind's own. No member's row, and no group of fewer than ten.
    """
    return {"format": FORMAT, "kind": kind, **about.head(), **content}


def measured(kind: str, measures: Mapping[str, Measure]) -> dict[str, dict[str, Any]]:
    """Figures as documents hold them, under the full names that gates ask for.

    Examples
    --------
    >>> list(measured("fairness", {"flip_test": Measure(value=0.0, n=50)}))
    ['fairness.flip_test']
    """
    return {name: one.as_dict() for name, one in measures_of({kind: measures}).items()}


def section(key: str, title: str, text: Sequence[str], *tables: str) -> dict[str, Any]:
    """Some of a document's tables under one title, with sentences above them."""
    return {"key": key, "title": title, "text": list(text), "tables": list(tables)}


def write_document(
    document: Mapping[str, Any],
    folder: str | Path,
    *,
    title: str,
    lead: str = "",
    figures: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write a document as a page for people and as JSON for programs, named after its kind.

    Parameters
    ----------
    document : mapping
        As of :func:`document_of`.
    folder : path
        Files of these names in it are replaced.
    title, lead : str
    figures : mapping of str to str, optional
        Drawings (``<svg>``) made here, by their caption.

    Returns
    -------
    list of Path
        Such as ``fairness.html`` and ``fairness.json``: the same bytes for the same document and drawings.
    """
    target, kind = Path(folder), document["kind"]
    page = document_page(document, title=title, lead=lead, figures=figures)
    return [
        write_whole(page.encode(), target / f"{kind}.html"),
        write_whole(as_bytes(dict(document)), target / f"{kind}.json"),
    ]
