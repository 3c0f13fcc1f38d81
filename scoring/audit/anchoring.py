"""Anchoring a chain: only one that goes on, unbroken, from what was anchored before."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from benne.errors import AnchorError
from benne.scoring.audit.anchor import Anchor, AnchorFile
from benne.scoring.audit.chain import verify
from benne.scoring.audit.links import START

__all__ = ["anchor_chain"]


def anchor_chain(
    connection: Connection,
    anchors: AnchorFile,
    *,
    now_us: int,
    progress: Callable[[int], object] | None = None,
) -> Anchor:
    """Verify what came after the last anchor, then anchor the chain's last record.

    Parameters
    ----------
    connection : Connection
    anchors : AnchorFile
        With the private key; a file that is not there begins with this anchor.
    now_us : int
        Microseconds since 1970-01-01 UTC.
    progress : callable, optional
        Told every so often up to which record all is well.

    Raises
    ------
    AnchorError
        If the chain is broken there or not the one that was anchored, or the file does not verify. What is
        anchored stays anchored; nothing is added.
    """
    last = anchors.last() if anchors.path.exists() else None
    report = verify(connection, since=START if last is None else last.head, progress=progress)
    if not report.intact:
        raise AnchorError(
            f"A chain must be whole to be anchored, got one with something wrong at record {report.broken_at}: "
            f"{report.why}. Look into it: benne audit verify"
        )
    return anchors.append(report.head, now_us=now_us)
