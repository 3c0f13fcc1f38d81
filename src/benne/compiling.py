"""Compiled arithmetic: numba's ``njit`` with a cache that knows all the sources it was made from."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from numba.core import compiler as numba_compiler
from numba.core import serialize as numba_pickles

from benne.code_cache import CodeCache

__all__ = ["cache_folder", "compiler"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_FORMAT: Final = "2"
_RESULT: Final[Any] = numba_compiler.CompileResult
_PICKLED: Final[Any] = numba_pickles.dumps
_PLAIN: Final = (bool, int, float, str, tuple)


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
        every state of the sources, of Python, numba and NumPy. Code is run from it, so it is used
        only where nobody else may write.

    Notes
    -----
    numba looks only at the file of the function it is asked for, not at those of the functions
    that it calls: a change there would leave old machine code in use. Here any change of any
    source of the package leads to another folder.
    """
    root = os.environ.get("BENNE_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    made_by = (_FORMAT, sys.version, numba.__version__, np.__version__)
    digest = sha256(" ".join(made_by).encode())
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
    folder can be written, or others could write to it, every process compiles anew.
    """
    cache = CodeCache(cache_folder(Path(source).parent))

    def compiled(function: _Function) -> _Function:
        made: Any = numba.njit(function, nogil=True, fastmath=False, error_model="numpy")
        if function.__closure__ is None:  # what a closure holds is in no source
            made._cache = _KeptCode(function, cache)
        return cast(_Function, made)

    return compiled


class _KeptCode:
    """What numba asks for the machine code of one function, in place of its own cache."""

    def __init__(self, function: Callable[..., Any], cache: CodeCache) -> None:
        self._function = cast(FunctionType, function)
        self._cache = cache

    @property
    def cache_path(self) -> str:
        """Where the code is, for numba to tell."""
        return str(self._cache.folder)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The compiled function for these types of arguments, or None."""
        target_context.refresh()
        name = self._name(signature, target_context.codegen())
        content = self._cache.read(name)
        if content is None:
            return None
        try:
            return _RESULT._rebuild(target_context, *pickle.loads(content))  # noqa: S301 ours, see CodeCache
        except Exception:  # noqa: BLE001 a pickle of something that has changed since may raise anything
            self._cache.drop(name)
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was just compiled, unless it holds addresses of this process."""
        if not result.lifted and not result.library.has_dynamic_globals:
            self._cache.write(self._name(signature, result.codegen), _PICKLED(result._reduce()))

    def flush(self) -> None:
        """Nothing to forget: code of another state of the sources has another name."""

    def _name(self, signature: Any, codegen: Any) -> str:
        function = self._function
        identity = (function.__module__, function.__qualname__, function.__code__.co_firstlineno, str(signature))
        rests_on = (codegen.magic_tuple(), sorted(_constants(function, set())))
        return f"{function.__name__}-{sha256(repr((identity, rests_on)).encode()).hexdigest()[:32]}"


def _constants(function: FunctionType, seen: set[FunctionType]) -> Iterator[tuple[str, str]]:
    """Names and values of the globals that are built into the machine code of a function and of those it calls.

    A value may come from outside of the package, such as a column's number from the declared tables.
    """
    seen.add(function)
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        called = getattr(value, "py_func", None)
        if isinstance(called, FunctionType) and called not in seen:
            yield from _constants(called, seen)
        elif isinstance(value, _PLAIN):
            yield f"{function.__module__}.{name}", repr(value)
