"""Arithmetic on values, and the ends of a feature's range: elementwise, so that no batch changes a bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benne.features.kernel.compiled import compiled
from benne.features.kernel.operations import ADD, DIVIDE, RATIO, SUBTRACT
from benne.features.kernel.program import Program

__all__ = ["Floats", "finish"]

Floats = npt.NDArray[np.float64]


@compiled
def finish(program: Program, registers: Floats) -> None:
    """Run the steps of a program on the registers of its aggregates, shape (registers, n)."""
    for s in range(len(program.steps)):
        operation, first, last, register = program.steps[s]
        arguments, constant = program.arguments[first:last], program.constants[s]
        for i in range(registers.shape[1]):
            registers[register, i] = _step(operation, registers[:, i], arguments, constant)


@compiled
def _step(operation: int, values: Floats, arguments: npt.NDArray[np.int64], constant: float) -> float:
    first = values[arguments[0]]
    if operation == RATIO:
        denominator = values[arguments[1]]
        return first / denominator if denominator >= constant else np.nan
    if operation == ADD:
        for k in range(1, len(arguments)):
            first += values[arguments[k]]
        return first
    if operation == SUBTRACT:
        return first - values[arguments[1]]
    if operation == DIVIDE:
        return first / constant
    return _variation(values, arguments)


@compiled
def _variation(values: Floats, arguments: npt.NDArray[np.int64]) -> float:
    """Standard deviation over mean of k totals; null where their sum is not positive.

    Notes
    -----
    k² times the variance is the sum of the squared differences of all pairs: nothing cancels,
    nothing overflows, and amounts that differ by one in a trillion still vary.
    """
    k, total, spread = len(arguments), 0.0, 0.0
    for i in range(k):
        total += values[arguments[i]]
        for j in range(i):
            difference = values[arguments[i]] - values[arguments[j]]
            spread += difference * difference
    return np.sqrt(spread) / total if total >= 1 else np.nan
