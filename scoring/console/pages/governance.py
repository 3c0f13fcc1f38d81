"""What is on file about a model: its verdict gate by gate, its card, and every other document; read-only."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sqlalchemy import select
from starlette.responses import Response

from benne.scoring.console.documents_shown import document_shown
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import PageMissing, Visit
from benne.scoring.governance.filings import VERDICT, Filing, filings_of, newest_verdict
from benne.scoring.store.service_tables import model_promotions

__all__ = ["PAGES", "results_of"]

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]*")
_AT: Final = "/console/models/{config_hash}"


def of_model(visit: Visit) -> Response:
    """The newest verdict that counts as a table of its gates, and everything on file."""
    config_hash, found = _on_file(visit)
    verdict = newest_verdict(found)
    results = [] if verdict is None else results_of(verdict.content)
    return visit.show(
        "filings", config_hash=config_hash, filings=found, verdict=verdict, results=results,
        serves=config_hash == visit.service.models.current.config_hash,
    )  # fmt: skip


def one(visit: Visit) -> Response:
    """One verdict or document: figures, tables, notes; or as the file that was hashed."""
    config_hash, found = _on_file(visit)
    filing = next((one for one in found if one.filing_id == visit.request.path_params["filing_id"]), None)
    if filing is None:
        raise PageMissing
    if visit.request.query_params.get("as") == "json":
        return _as_file(filing)
    shown = document_shown({key: value for key, value in filing.content.items() if key != "results"})
    results = results_of(filing.content) if filing.kind == VERDICT else []
    return visit.show("filing", config_hash=config_hash, filing=filing, shown=shown, results=results)


def results_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each gate, those that were missed first; of a document that cannot be read, nothing."""
    results = content.get("results")
    if not isinstance(results, list):
        return []
    found = [
        {"required": True, "threshold": "", "is": "", "why": "", "note": ""} | one
        for one in results
        if isinstance(one, dict) and isinstance(one.get("metric"), str) and isinstance(one.get("state"), str)
    ]
    return sorted(found, key=lambda one: (one["state"] == "passed", not one["required"]))


def _on_file(visit: Visit) -> tuple[str, list[Filing]]:
    config_hash = visit.request.path_params["config_hash"]
    if not _HASH.fullmatch(config_hash):
        raise PageMissing
    c = model_promotions.c
    with visit.service.store.read() as connection:
        found = filings_of(connection, config_hash)
        served = connection.execute(select(c.seq).where(c.config_hash == config_hash).limit(1)).one_or_none()
    if not found and served is None:
        raise PageMissing
    return config_hash, found


def _as_file(filing: Filing) -> Response:
    sound = _KIND.fullmatch(filing.kind) and _HASH.fullmatch(filing.content_hash)  # a row by hand may hold anything
    name = f"{filing.kind}-{filing.content_hash[:12]}.json" if sound else "document.json"
    content = json.dumps(filing.content, indent=1, sort_keys=True, ensure_ascii=False)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/json", headers=headers)


PAGES = (Page("GET", _AT, of_model), Page("GET", f"{_AT}/{{filing_id}}", one))
