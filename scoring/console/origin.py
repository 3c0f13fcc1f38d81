"""Whether a form was sent by one of our own pages.

Browsers say where a request comes from in ``Sec-Fetch-Site``, and older ones in ``Origin``, which our pages' referrer
policy makes ``null``. Beside it stands the token in every form, and the cookie that is not sent from other sites.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

__all__ = ["came_from_here"]


def came_from_here(request: Request) -> bool:
    """Whether a browser says, or at least does not deny, that a request comes from this site."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return True
    try:
        return urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:  # such as half of an IPv6 address
        return False
