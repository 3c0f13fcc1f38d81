"""Consent terms in a file: the notice members read and what it asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from benne.errors import ConsentRecordError
from benne.scoring.consent.record import ConsentTerms, Notice, validate_name
from benne.scoring.consent.vocabulary import GRANULARITIES, PURPOSES

__all__ = ["TermsDraft", "TermsFile", "read_all_terms", "read_terms", "write_terms"]

_NOTICE: Final = ("notice_id", "version", "language", "text")
_PURPOSE_WORDS: Final = {
    "lending": "offer you credit",
    "checkout_credit": "let you pay later",
    "rental": "rent to you",
    "deposit_waiver": "waive a deposit",
    "fast_lane": "serve you faster",
    "own_report": "show it to you",
}
_LEARNS: Final = {
    "threshold": "whether your score passes a mark, and no more",
    "band": "the band your score is in, and no more",
    "exact": "your exact score and what it is made of",
}
_TEMPLATE: Final = """\
# What members are asked. Read it, have it checked, change it; a changed text needs a new version.

[notice]
notice_id = "{recipient}_{purpose}"
version = "1"
language = "en"
text = \"\"\"
{text}
\"\"\"

[terms]
purpose = "{purpose}"
recipient = "{recipient}"
controller = "{controller}"
validity_days = {validity_days}
retention_days = {validity_days}
storage_location = "{storage_location}"
withdrawal_method = "benne consent withdraw, or the switch it was given with"
# What the recipient may learn at most: threshold, band or exact.
granularity = "{granularity}"
"""


@dataclass(frozen=True)
class TermsDraft:
    """What differs from one file of terms to the next.

    Parameters
    ----------
    purpose, recipient, controller : str
    granularity : str
    validity_days : int
    storage_location : str
    """

    purpose: str
    recipient: str
    controller: str
    granularity: str = "band"
    validity_days: int = 365
    storage_location: str = "this machine"


@dataclass(frozen=True)
class TermsFile:
    """A notice with the terms that rest on it."""

    notice: Notice
    terms: ConsentTerms


def write_terms(path: str | Path, draft: TermsDraft) -> TermsFile:
    """Write a first draft of terms, to be read and changed; an existing file is never replaced.

    Raises
    ------
    ConsentRecordError
        If the file exists or a value is outside its set.
    """
    validate_name("recipient", draft.recipient)
    for thing, value, allowed in (
        ("purpose", draft.purpose, PURPOSES),
        ("granularity", draft.granularity, GRANULARITIES),
    ):
        if value not in allowed:
            raise ConsentRecordError(f"A {thing} must be one of {', '.join(allowed)}, got another.")
    for name in ("controller", "storage_location"):
        if not getattr(draft, name).strip() or any(sign in getattr(draft, name) for sign in '"\\\n'):
            raise ConsentRecordError(f"Consent terms must state their {name} in plain words. Leave out quotes.")
    values = vars(draft) | {"text": _draft_text(draft)}
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE.format(**values))
    except FileExistsError:
        raise ConsentRecordError(
            f"{path} must not exist yet: members may have been shown it. Name another file."
        ) from None
    return read_terms(path)


def read_terms(path: str | Path) -> TermsFile:
    """Read a notice and its terms.

    Raises
    ------
    ConsentRecordError
        If the file is missing or not TOML, a field is missing, unknown or outside its set.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConsentRecordError(
            f"Consent terms must be a TOML file, got none that can be read: {path}. Draft one: benne consent terms"
        ) from None
    asked, said = dict(content.get("terms", {})), dict(content.get("notice", {}))
    try:
        notice = Notice(**{**said, "text": str(said.get("text", "")).strip()})
        validity = timedelta(days=_whole(asked.pop("validity_days")))
        return TermsFile(notice, ConsentTerms(notice=notice.ref, validity=validity, **asked))
    except (TypeError, KeyError, AttributeError, OverflowError):
        raise ConsentRecordError(
            f"{path} must hold [notice] with {', '.join(_NOTICE)} and [terms] as `benne consent terms` drafts them, "
            "got a field missing, unknown or of another type. Compare it with a fresh draft."
        ) from None


def read_all_terms(paths: Iterable[str | Path]) -> list[TermsFile]:
    """Read files of terms, and every ``.toml`` file of folders.

    Raises
    ------
    ConsentRecordError
        As :func:`read_terms`, or if two ask for the same purpose and recipient.
    """
    files = [file for path in map(Path, paths) for file in (sorted(path.glob("*.toml")) if path.is_dir() else [path])]
    found = [read_terms(file) for file in files]
    if len({(one.terms.purpose, one.terms.recipient) for one in found}) < len(found):
        raise ConsentRecordError("Terms must name each purpose and recipient once, got one twice. Leave one file out.")
    return found


def _whole(days: Any) -> int:
    if isinstance(days, bool) or not isinstance(days, int):
        raise TypeError
    return days


def _draft_text(draft: TermsDraft) -> str:
    if draft.purpose == "model_training":
        asks = "May we use your pseudonymous records in the categories you switch on to build the score model?"
        learns = "nobody receives a score of yours for it"
    else:
        asks = f"May we compute your score from the categories you switch on, to {_PURPOSE_WORDS[draft.purpose]}?"
        learns = f"{draft.recipient} learns {_LEARNS[draft.granularity]}"
    return (
        f"{asks}\n{draft.controller} answers for it; {learns}. It lasts {draft.validity_days} days.\n"
        "Every switch is off until you switch it on. You may switch it off again at any time, with one act\n"
        "and without a reason; nothing else you have here depends on it."
    )
