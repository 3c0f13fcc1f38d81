"""Health, readiness, metrics, keys, the model that serves, policies, and what problems mean."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from benne.errors import BenneError
from benne.scoring.api.access import Caller, caller_of, service_of
from benne.scoring.api.problems import PROBLEMS, Problem, responses
from benne.scoring.decisions.promotion import promoted

__all__ = ["router"]

router = APIRouter(tags=["operations"])
From = Annotated[Caller, Depends(caller_of)]


class Health(BaseModel):
    """Whether it works."""

    status: str = Field(examples=["ok"])


class ModelBody(BaseModel):
    """The model that serves."""

    model_id: str
    config_hash: str = Field(description="SHA-256 of its manifest.")
    features: list[str] = Field(description="What it takes, in its order.")


class ProblemKindBody(BaseModel):
    """What a kind of problem means."""

    slug: str
    status: int
    title: str


@router.get("/healthz")
async def is_it_alive() -> Health:
    """Whether the process answers at all."""
    return Health(status="ok")


@router.get("/readyz", responses=responses("unavailable"))
def can_it_decide(request: Request) -> Health:
    """Whether it can decide now: the store answers. Says so where a model was promoted that it has not loaded."""
    service = service_of(request)
    try:
        with service.store.read() as connection:
            newest = promoted(connection)
    except BenneError:
        raise Problem(PROBLEMS["unavailable"], "The store does not answer.") from None
    if newest is None or newest.model_id != service.models.current.model_id:
        return Health(status="ready; another model was promoted, and the one before it serves")
    return Health(status="ready")


@router.get("/metrics", response_class=Response, responses=responses("not-found"))
def metrics(request: Request) -> Response:
    """Counters and timings in Prometheus' text format."""
    if not service_of(request).settings.metrics:
        raise Problem(PROBLEMS["not-found"])
    return Response(request.app.state.measures.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/.well-known/jwks.json")
async def public_keys(request: Request) -> dict[str, Any]:
    """What receipts and proofs are verified with."""
    return service_of(request).public_keys()


@router.get("/problems/{slug}", responses=responses("not-found"))
async def what_a_problem_means(slug: str) -> ProblemKindBody:
    """What a kind of problem means."""
    kind = PROBLEMS.get(slug)
    if kind is None:
        raise Problem(PROBLEMS["not-found"])
    return ProblemKindBody(slug=kind.slug, status=kind.status, title=kind.title)


@router.get("/v1/models/current", responses=responses("credentials-required", "access-denied"))
async def the_model_that_serves(request: Request, _: From) -> ModelBody:
    """Which model serves."""
    served = service_of(request).models.current
    return ModelBody(model_id=served.model_id, config_hash=served.config_hash, features=list(served.names))


@router.get("/v1/policies", responses=responses("credentials-required", "access-denied"))
async def what_is_allowed(request: Request, _: From) -> JSONResponse:
    """The policies in force, and their version."""
    policies = service_of(request).policies
    return JSONResponse({"version": policies.version, **policies.content()})
