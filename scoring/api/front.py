"""Scores before everything else: the one route that stands in somebody's checkout, without the framework's detours.

The same question, caller, checks and answer as the route that the interface describes
(:mod:`benne.scoring.api.routes.scores`), which takes over whatever is out of the ordinary here.
"""

from __future__ import annotations

from typing import Final

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from benne.errors import BenneError
from benne.scoring.api.access import caller_of
from benne.scoring.api.bodies import ScoreQuestion
from benne.scoring.api.problems import Problem, answer, invalid, problem_of
from benne.scoring.api.routes.scores import answer_question, router

__all__ = ["ScoresFirst"]

_PATH: Final = "/v1/scores"
_LONGEST: Final = 200  # characters of an idempotency key, as the route's own description says
_USUAL: Final = frozenset({"application/json", "application/json; charset=utf-8"})


class ScoresFirst:
    """Answers questions for one score; hands everything else on.

    Parameters
    ----------
    app : ASGIApp
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._route = next(one for one in router.routes if isinstance(one, APIRoute) and one.path == _PATH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] != _PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        key = request.headers.get("idempotency-key")
        if request.headers.get("content-type") not in _USUAL or (key is not None and not 1 <= len(key) <= _LONGEST):
            await self._app(scope, receive, send)
            return
        scope["route"], scope["path_params"] = self._route, {}
        try:
            caller = await caller_of(request)
            question = ScoreQuestion.model_validate_json(await request.body())
            response = await answer_question(request, caller, question, key)
        except ValidationError as error:
            places = ({**one, "loc": ("body", *one["loc"])} for one in error.errors(include_input=False))
            response = answer(invalid(tuple(places)))
        except (Problem, BenneError, TimeoutError) as error:
            response = answer(problem_of(error))
        await response(scope, receive, send)
