"""Something has moved: who is told, and how. Nothing in it is about a member."""

from __future__ import annotations

import ipaddress
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlsplit

from benne.errors import MonitoringError

__all__ = ["Alert", "AlertSink", "LogSink", "Severity", "WebhookSink", "checked_webhook"]

Severity = Literal["warning", "alarm"]

_ATTEMPTS: Final = 3
_TIMEOUT_SECONDS: Final = 5.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A figure beyond its limit.

    Parameters
    ----------
    name : str
        Of the check; of a feature, the check, a dot and the feature.
    severity : {"warning", "alarm"}
    value, threshold : float
    message : str
        In one line, what was found and what to do.
    period : str
        Such as ``2026-03``.
    """

    name: str
    severity: Severity
    value: float
    threshold: float
    message: str
    period: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON, rounded as documents are."""
        return asdict(self) | {"value": round(self.value, 10), "threshold": round(self.threshold, 10)}


class AlertSink(Protocol):
    """Wherever alerts go."""

    def send(self, alerts: Sequence[Alert], model_id: str) -> bool:
        """Pass on alerts about a model; says whether they got there, and never raises for the way there."""
        ...


class LogSink:
    """Alerts as lines of the log: alarms as errors, the others as warnings."""

    def send(self, alerts: Sequence[Alert], model_id: str) -> bool:
        """Write one line for each."""
        for alert in alerts:
            level = logging.ERROR if alert.severity == "alarm" else logging.WARNING
            _log.log(level, "%s of %s in %s: %s", alert.severity, model_id, alert.period, alert.message)
        return True


class WebhookSink:
    """Alerts as one JSON document, sent by POST to an address.

    Parameters
    ----------
    url : str
        https, or http to this machine.
    timeout : float, default=5.0
        Seconds.
    pause : callable, default=time.sleep
        Called with seconds before another attempt.

    Raises
    ------
    MonitoringError
        For any other address.

    Examples
    --------
    >>> WebhookSink("http://x.example/hook")
    Traceback (most recent call last):
    ...
    benne.errors.MonitoringError: A webhook must be https, or http to this machine, got http to x.example. Use https.
    """

    def __init__(
        self, url: str, timeout: float = _TIMEOUT_SECONDS, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = checked_webhook(url)
        self._timeout = timeout
        self._pause = pause

    def send(self, alerts: Sequence[Alert], model_id: str) -> bool:
        """Post all of them together, up to three times; what fails is logged, without the address's secrets."""
        if not alerts:
            return True
        body = {"format": 1, "model_id": model_id, "alerts": [alert.as_dict() for alert in alerts]}
        content = json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            problem, again = self._posted(content)
            if problem is None:
                return True
            if not again:
                break
        _log.error(
            "%d alerts of %s could not be sent to %s: %s.", len(alerts), model_id, urlsplit(self._url).hostname, problem
        )
        return False

    def _posted(self, content: bytes) -> tuple[str | None, bool]:
        """What went wrong, if anything, and whether another attempt may help."""
        request = urllib.request.Request(  # noqa: S310 - the address was checked
            self._url, data=content, headers={"Content-Type": "application/json", "User-Agent": "benne"}, method="POST"
        )
        try:
            with _OPENER.open(request, timeout=self._timeout):
                return None, False
        except urllib.error.HTTPError as error:
            error.close()
            return f"status {error.code}", error.code >= 500 or error.code == 429
        except (OSError, ValueError) as error:
            return type(error).__name__, True


class _StaysThere(urllib.request.HTTPRedirectHandler):
    """A redirect could lead where the address that was checked did not."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Never."""


_OPENER: Final = urllib.request.build_opener(_StaysThere)


def checked_webhook(url: str) -> str:
    """The address, if alerts may be sent there: https, or http to this machine.

    Raises
    ------
    MonitoringError
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise MonitoringError("A webhook must be an address, got one that cannot be read. Write https://…") from None
    if host and (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))):
        return url
    raise MonitoringError(
        f"A webhook must be https, or http to this machine, got {parts.scheme or 'no scheme'} to "
        f"{host or 'nowhere'}. Use https."
    )


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
