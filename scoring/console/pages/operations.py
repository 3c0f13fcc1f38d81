"""What serves and what is allowed: the model, the policies; and where somebody who signs in begins."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from starlette.responses import Response

from benne.scoring.console.assets import asset_named
from benne.scoring.console.registry import Page
from benne.scoring.console.visit import PageMissing, Visit
from benne.scoring.governance.filings import filings_of, newest_verdict
from benne.scoring.store.service_tables import model_promotions

__all__ = ["ELSEWHERE", "PAGES"]

_SHOWN: Final = 20  # promotions
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


def home(visit: Visit) -> Response:
    """The first page of each role."""
    return visit.go("/console/queue" if visit.who.role == "compliance" else "/console/model")


def model(visit: Visit) -> Response:
    """Which model serves, since when, and which served before it."""
    served, columns = visit.service.models.current, model_promotions.c
    query = select(columns.model_id, columns.promoted_at_us, columns.actor_id).order_by(columns.seq.desc())
    with visit.service.store.read() as connection:
        promotions = connection.execute(query.limit(_SHOWN)).all()
        verdict = newest_verdict(filings_of(connection, served.config_hash))
    features = {category: [served.names[k] for k in places] for category, places in served.columns.items()}
    about = described(served.model)
    return visit.show(
        "model", served=served, promotions=promotions, features=features, about=about, verdict=verdict
    )  # fmt: skip


def described(model: Any) -> list[tuple[str, str]]:
    """What a model says of itself; what it does not know is left out."""
    reference = getattr(model, "reference_", None)
    found = {
        "trees": getattr(getattr(model, "booster_", None), "num_trees", lambda: None)(),
        "reference_hash": None if reference is None else reference.hash(),
        "reference_size": None if reference is None else reference.size(),
    }
    return [(name, f"{value:,}" if isinstance(value, int) else str(value)) for name, value in found.items() if value]


def policies(visit: Visit) -> Response:
    """What is allowed, in the version that every audit record names."""
    return visit.show("policies", policies=visit.service.policies, content=visit.service.policies.content())


def static(visit: Visit) -> Response:
    """A file that pages need; its address changes with its contents, so browsers keep it."""
    found = asset_named(visit.request.path_params["file"])
    if found is None:
        raise PageMissing
    headers = {"Cache-Control": _FOR_GOOD, "ETag": f'"{found.etag}"'}
    if visit.request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


def nothing(_: Visit) -> Response:
    """What is at any other address, in words rather than as the interface says it."""
    raise PageMissing


PAGES = (
    Page("GET", "/console", home),
    Page("GET", "/console/model", model, entry="console.navigation.model"),
    Page("GET", "/console/policies", policies, entry="console.navigation.policies"),
    Page("GET", "/console/static/{file}", static),
)
ELSEWHERE = (Page("GET", "/console/{rest:path}", nothing), Page("GET", "/me/{rest:path}", nothing))
