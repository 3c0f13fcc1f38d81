"""The points kernel's compiler: one cache for all its functions, made anew when any of them changes."""

from __future__ import annotations

from typing import Final

from benne.compiling import compiler

__all__ = ["compiled"]

compiled: Final = compiler(__file__)
"""Compile a function of arrays, see :func:`benne.compiling.compiler`."""
