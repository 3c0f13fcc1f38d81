"""A member's erasure reaches their protected attributes too."""

from __future__ import annotations

from pathlib import Path

from benne.errors import ErasureError
from benne.scoring.erasure.acts import Actor
from benne.scoring.protected.folder import opened_parts
from benne.scoring.wiring import open_erasure

__all__ = ["ProtectedPart", "erase_protected"]


class ProtectedPart:
    """The store of protected attributes in a folder; an :class:`benne.scoring.erasure.parts.Erasable`.

    Parameters
    ----------
    home : str or Path
        See :func:`benne.scoring.protected.folder.lay_out_protected`.
    name : str, default='protected'
    """

    def __init__(self, home: str | Path, name: str = "protected") -> None:
        self._home = home
        self.name = name

    def erase(self, subject_id: str) -> None:
        """Destroy the member's key there and delete what was under it; on record in that store's own chain.

        Raises
        ------
        ErasureError
            If it could not be done; it is tried again.
        """
        erase_protected(self._home, subject_id, by=Actor("admin", "erasure"))

    def compact(self) -> bool:
        """Write the database's files anew, and so finish every erasure in it."""
        with opened_parts(self._home) as parts:
            report = open_erasure(parts.store, parts.vault, parts.audit).run()
        _require_none_failed(report.failed)
        return not report.waiting


def erase_protected(home: str | Path, subject_id: str, *, by: Actor, compacting: bool = False) -> None:
    """Forget a member in a store of protected attributes.

    Parameters
    ----------
    home : str or Path
    subject_id : str
    by : Actor
    compacting : bool, default=False
        Also write the database's files anew.

    Raises
    ------
    ErasureError
        If it could not be done.
    """
    with opened_parts(home) as parts:
        erasure = open_erasure(parts.store, parts.vault, parts.audit)
        requested = erasure.request(subject_id, by=by)
        _require_none_failed(erasure.run(only=requested.erasure_id, compacting=compacting).failed)


def _require_none_failed(failed: dict[str, str]) -> None:
    if failed:
        raise ErasureError(
            f"Protected attributes must be erased, and could not be: {next(iter(failed.values()))} Run it again."
        )
