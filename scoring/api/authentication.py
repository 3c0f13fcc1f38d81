"""Who sent a request."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from benne.errors import AccessDenied
from benne.scoring.access.principal import Principal
from benne.scoring.service import Service

__all__ = ["authenticate"]


async def authenticate(request: Request, service: Service) -> Principal:
    """Who sent the request.

    Raises
    ------
    AccessDenied
        If that is nobody, or cannot be said.
    """
    header = request.headers.get("authorization")
    if header is None:
        raise AccessDenied("missing")
    known = service.recent.get(header)
    if known is not None:
        return known
    principal = await run_in_threadpool(_look_up, service, header)
    service.recent.put(header, principal)
    return principal


def _look_up(service: Service, header: str) -> Principal:
    with service.store.read() as connection:
        return service.authenticator.authenticate(connection, header)
