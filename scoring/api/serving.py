"""The service as a process: its log, its workers, and how it stops."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from benne.scoring.api.app import create_app
from benne.scoring.api.connection import SECONDS_TO_BEGIN, GuardedHttp
from benne.scoring.housekeeping import Housekeeper
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import Settings, read_settings

__all__ = ["app_of_this_process", "serve"]

_HOME: Final = "BENNE_HOME"
_SWITCH: Final = 0.0005  # seconds; a clerk or the writer back from the disk must not wait for the event loop
_PATIENCE: Final = 60  # seconds; a worker that starts on a busy machine imports for longer than uvicorn's five


class _JsonLines(logging.Formatter):
    """One JSON object a line; what was logged as JSON is part of it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        message = record.getMessage()
        if message.startswith("{"):
            line |= json.loads(message)
        else:
            line["message"] = message
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__  # its text may quote a member's data
        return json.dumps(line)


def app_of_this_process() -> FastAPI:
    """The application of one worker, from ``BENNE_HOME`` and the environment."""
    sys.setswitchinterval(_SWITCH)
    settings = read_settings(Path(os.environ[_HOME]))
    _log_as_json(settings.log_level)
    service = open_service(settings)
    service.models.current.warm()
    app = create_app(service)
    app.state.measures.count_stored()
    housekeeper = Housekeeper(service, counting=app.state.measures.count_stored)
    closing = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        housekeeper.start()
        async with closing(app):
            yield {SECONDS_TO_BEGIN: settings.timeout_seconds}
            await run_in_threadpool(housekeeper.stop)

    app.router.lifespan_context = lifespan
    return app


def serve(settings: Settings, *, workers: int = 1) -> None:
    """Serve until told to stop: SIGTERM and SIGINT let what is under way finish first.

    Parameters
    ----------
    settings : Settings
    workers : int, default=1
        Processes; each has its own connections, and all write one chain.

    Raises
    ------
    BenneError
        If the service cannot be opened.
    """
    if workers > 1:  # what is wrong with it is told once, and not by one worker after another
        open_service(settings).close()
    os.environ[_HOME] = str(settings.home.resolve())
    _log_as_json(settings.log_level)  # of the process over the workers: one that dies is told
    uvicorn.run(
        f"{__name__}:app_of_this_process",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=workers,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here depends on the caller's address
        log_config=None,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        timeout_worker_healthcheck=_PATIENCE,
        http=GuardedHttp,
        ws="none",
    )


def _log_as_json(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    for name in ("benne", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
