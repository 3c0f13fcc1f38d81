"""Compiled arithmetic: numba's ``njit`` with a cache that knows all the sources it was made from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

__all__ = ["cache_folder", "compiler"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def cache_folder(package: Path) -> Path:
    """Where machine code of a package is kept between processes.

    Parameters
    ----------
    package : path
        Folder of the package's sources.

    Returns
    -------
    path
        ``$BENNE_CACHE``, or else the user's cache folder, and in it a folder of its own for
        every state of the sources, of Python and of numba. Code is run from it: nobody else may
        be able to write there.

    Notes
    -----
    numba looks only at the file of the function it is asked for, not at those of the functions
    that it calls: a change there would leave old machine code in use. Here any change of any
    source of the package leads to another folder.
    """
    root = os.environ.get("BENNE_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    digest = sha256(f"{sys.version} {numba.__version__}".encode())
    for source in sorted(package.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return Path(root) / "benne" / f"{package.name}-{digest.hexdigest()[:16]}"


def compiler(source: str) -> Callable[[_Function], _Function]:
    """A decorator that compiles a function of arrays at its first call.

    Parameters
    ----------
    source : str
        ``__file__`` of a module of the package whose functions are compiled.

    Notes
    -----
    The function runs without Python's global lock, so that threads share the work, and keeps
    IEEE arithmetic: no reordering, no fused operations, the same bits on every call. Where no
    folder can be written, every process compiles anew.
    """
    folder = cache_folder(Path(source).parent)
    config: Any = numba.config

    def compiled(function: _Function) -> _Function:
        before, made = config.CACHE_DIR, numba.njit(function, nogil=True, fastmath=False, error_model="numpy")
        config.CACHE_DIR = str(folder)
        try:
            made.enable_caching()
        except RuntimeError:  # nowhere to write: compiled anew in every process
            pass
        finally:
            config.CACHE_DIR = before
        return cast(_Function, made)

    return compiled
