"""The application: routes, what surrounds them, and how they come up and go down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from benne.scoring.api import problems
from benne.scoring.api.describing import describe
from benne.scoring.api.edge import Edge
from benne.scoring.api.front import ScoresFirst
from benne.scoring.api.measuring import Measures
from benne.scoring.api.routes import (
    audit,
    consents,
    disputes,
    governance,
    members,
    notices,
    operations,
    reports,
    reviews,
    scores,
    what_if,
)
from benne.scoring.console import console_routes, unread_page
from benne.scoring.service import Service
from benne.scoring.wiring import random_bytes

__all__ = ["create_app"]

_DESCRIPTION = """\
Consented, explained credit scores from 350 to 950.

Every answer and every refusal is on record before it is given. A refusal is a problem (RFC 9457) whose `type` says why.
"""
_ROUTERS = (scores.router, consents.router, members.router, reports.router, what_if.router, disputes.router,
            reviews.router, notices.router, audit.router, governance.router, operations.router)  # fmt: skip


def create_app(service: Service, *, close: bool = True) -> FastAPI:
    """An application that serves with ``service``.

    Parameters
    ----------
    service : Service
    close : bool, default=True
        Close the service when the application goes down.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if close:
            await run_in_threadpool(service.close)

    app = FastAPI(
        title="Benne", version="1", description=_DESCRIPTION, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/openapi.json",
    )  # fmt: skip
    app.state.service = service
    app.state.measures = Measures(service)
    for router in _ROUTERS:
        app.include_router(router)
    problems.install(app)
    settings = service.settings
    if settings.console:
        app.router.routes.extend(console_routes(service, random_bytes))
    app.add_middleware(ScoresFirst)
    app.add_middleware(
        Edge, body_limit=settings.body_limit, batch_body_limit=settings.batch_body_limit,
        seconds=settings.timeout_seconds, measures=app.state.measures,
        page=unread_page(service, random_bytes) if settings.console else None,
    )  # fmt: skip
    app.openapi = partial(_document, app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = describe(app)
    return app.openapi_schema
