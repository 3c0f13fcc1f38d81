"""What a process of the model's benchmark does; started by :func:`measuring.run_job`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from measuring import answer

Answer = dict[str, Any]

_WHERE: Final = {
    "fit_on_columns": "model_accuracy", "fit_on_features": "model_accuracy", "figures": "model_accuracy",
    "grow": "model_points", "speed": "model_points", "agreement": "model_points", "first_call": "model_points",
    "explain": "model_points",
    "fit": "model_fit", "patterns": "model_fit", "many_rows": "model_fit",
}  # fmt: skip
"""Which module has which job: a process loads no more than it measures."""


def _job(name: str) -> Callable[..., Answer]:
    def run(**arguments: Any) -> Answer:
        found: Answer = getattr(import_module(_WHERE[name]), name)(**arguments)
        return found

    return run


if __name__ == "__main__":
    raise SystemExit(answer({name: _job(name) for name in _WHERE}))
