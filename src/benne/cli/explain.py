"""``benne explain``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import answer, answer_json, note
from benne.cli.edge import existing_ledger, moment_from, subject_from
from benne.cli.options import (
    Actor,
    AsOf,
    FeaturesFile,
    KeyFile,
    LedgerAddress,
    Member,
    ModelFolder,
    PurposeName,
    RecipientOption,
    Subject,
    WantJson,
)

if TYPE_CHECKING:
    from benne.explain.report import MemberReport

__all__ = ["explain"]


class LanguageName(StrEnum):
    """Languages members are told things in."""

    en = "en"
    zh = "zh"


def explain(
    features: FeaturesFile,
    model: ModelFolder,
    ledger: LedgerAddress,
    recipient: RecipientOption,
    purpose: Annotated[PurposeName, typer.Option(help="What the score is for.")] = PurposeName.own_report,
    member: Member = None,
    subject: Subject = None,
    key_file: KeyFile = None,
    as_of: AsOf = None,
    every: Annotated[int, typer.Option("--features", min=0, help="How many features to name in each category.")] = 3,
    language: Annotated[LanguageName, typer.Option(help="In which language.")] = LanguageName.en,
    html: Annotated[Path | None, typer.Option(help="Also write the member's report as a page.", dir_okay=False)] = None,
    pdf: Annotated[Path | None, typer.Option(help="Also write the member's report as PDF.", dir_okay=False)] = None,
    actor: Actor = "benne-cli",
    want_json: WantJson = False,
) -> None:
    """Say what one member's score is made of, in whole points that add up.

    It takes the same consent as the score itself, and consent to the exact score.

    \b
    Example:
      benne explain features.parquet --model model --ledger consents.db --purpose lending \\
        --recipient platform --member anna --key-file subject.key --pdf anna.pdf
    """
    from benne.features.frames import read_features
    from benne.models import CreditScoreModel
    from benne.scoring.batch import Asked
    from benne.scoring.explaining import explain_subject, report_of
    from benne.scoring.wiring import system_clock

    subject_id, moment = subject_from(member, subject, key_file), moment_from(as_of, "--as-of")
    file = read_features(features)
    if file.provenance is not None:
        file.provenance.require(purpose.value, recipient)
    asked = Asked(purpose.value, recipient, actor)
    loaded, book = CreditScoreModel.load(model), existing_ledger(ledger)
    explanation = explain_subject(
        file.features, loaded, book, asked, subject_id=subject_id, as_of=moment, language=language.value
    )
    _write(report_of(explanation, book, subject_id, made_at=system_clock(), issuer=recipient), html, pdf)
    if want_json:
        answer_json(explanation.as_dict())
        return
    answer(explanation.as_text(every))


def _write(report: MemberReport, html: Path | None, pdf: Path | None) -> None:
    from benne.explain.texts import texts_of

    texts = texts_of("en" if report.explanation is None else report.explanation.about.language)
    if html is not None:
        from benne.explain.report.html import report_html

        html.write_text(report_html(report, texts), encoding="utf-8")
        note(f"written: {html}")
    if pdf is not None:
        from benne.explain.report.pdf import report_pdf
        from benne.scoring.members.fonts import system_fonts

        pdf.write_bytes(report_pdf(report, texts, system_fonts()))
        note(f"written: {pdf}")
