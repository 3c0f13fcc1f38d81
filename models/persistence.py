"""A saved model: a directory of text, JSON and Parquet whose manifest names and hashes every file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benne.errors import ModelDirectoryError, ParameterError
from benne.models import serialising
from benne.models.category_layout import CategoryLayout
from benne.models.fitting import Learned
from benne.models.inputs import FeatureRules
from benne.models.scale import ScoreScale
from benne.models.weight_contract import influence_shares

__all__ = ["FORMAT_VERSION", "ModelState", "load_state", "save_state"]

FORMAT_VERSION: Final = 1

_MANIFEST: Final = "manifest.json"
_BOOSTER: Final = "booster.txt"
_MODEL: Final = "model.json"
_REPORTS: Final = "reports.json"
_REFERENCE: Final = "reference.parquet"
_FILES: Final = (_BOOSTER, _MODEL, _REPORTS, _REFERENCE)

_SHARES_HOLD_TO: Final = 1e-6


@dataclass(frozen=True)
class ModelState:
    """Everything that answers, and nothing that belongs to a member."""

    learned: Learned
    layout: CategoryLayout
    rules: FeatureRules
    scale: ScoreScale
    classes: npt.NDArray[Any]
    named: bool


def save_state(path: str | PathLike[str], state: ModelState, parameters: Mapping[str, Any]) -> None:
    """Write a model directory in full beside its place, then move it there.

    The same model gives the same bytes. An earlier model at ``path`` is replaced.

    Raises
    ------
    ModelDirectoryError
        If ``path`` is a file, or a directory that is not a saved model.
    """
    target = Path(path).absolute()
    if target.exists() and not _replaceable(target):
        raise ModelDirectoryError("path must be new, empty, or a saved model, got something else. Choose another.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        _write(fresh, state, parameters)
        if target.exists():
            os.rename(target, Path(scratch) / "old")
        os.rename(fresh, target)


def _replaceable(target: Path) -> bool:
    return target.is_dir() and ((target / _MANIFEST).is_file() or not any(target.iterdir()))


def _write(directory: Path, state: ModelState, parameters: Mapping[str, Any]) -> None:
    learned = state.learned
    model = {
        "parameters": serialising.parameters_to(parameters),
        "layout": dataclasses.asdict(state.layout),
        "rules": serialising.rules_to(state.rules),
        "scale": dataclasses.asdict(state.scale),
        "classes": serialising.classes_to(state.classes),
        "named": state.named,
        "patterns": serialising.patterns_to(learned.patterns),
    }
    reports = {
        "contract": serialising.contract_to(learned.contract_report),
        "calibration": serialising.calibration_to(learned.calibration_reports),
    }
    (directory / _BOOSTER).write_text(learned.text, encoding="utf-8", newline="\n")
    _write_json(directory / _MODEL, model)
    _write_json(directory / _REPORTS, reports)
    columns = {name: learned.reference[:, c] for c, name in enumerate(state.layout.names)}
    pq.write_table(pa.table(columns), directory / _REFERENCE)
    files = {name: _sha256(directory / name) for name in _FILES}
    _write_json(directory / _MANIFEST, {"format_version": FORMAT_VERSION, "files": files})


def _write_json(path: Path, data: Any) -> None:
    try:
        text = json.dumps(data, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"What a model is made of must have a JSON form to be saved: {error}.") from None
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def load_state(path: str | PathLike[str]) -> tuple[ModelState, dict[str, Any]]:
    """Read and verify a model directory; returns the state and the constructor's parameters.

    Raises
    ------
    ModelDirectoryError
    """
    directory = Path(path)
    _verify(directory)
    try:
        state, parameters = _read(directory)
    except (KeyError, TypeError, ValueError, OSError, pa.ArrowException) as error:
        raise ModelDirectoryError(
            f"The saved model must be complete and well formed, got {type(error).__name__} in reading it. Save it anew."
        ) from error
    _verify_shares(state)
    return state, parameters


def _verify(directory: Path) -> None:
    manifest_path = directory / _MANIFEST
    if not manifest_path.is_file():
        raise ModelDirectoryError(f"A saved model must be a directory with {_MANIFEST}, got none. Check the path.")
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        version, files = int(manifest["format_version"]), dict(manifest["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelDirectoryError(
            f"{_MANIFEST} is corrupted ({type(error).__name__}). Restore the saved model."
        ) from error
    if version > FORMAT_VERSION:
        raise ModelDirectoryError(
            f"The saved model must have format {FORMAT_VERSION} or older, got {version}, "
            "which a newer Benne wrote. Upgrade Benne."
        )
    if version < 1 or sorted(files) != sorted(_FILES):
        raise ModelDirectoryError(f"{_MANIFEST} must list {', '.join(_FILES)} in format 1. Restore the saved model.")
    for name in _FILES:
        if not (directory / name).is_file():
            raise ModelDirectoryError(f"The saved model must hold {name}, got none. Restore it.")
        if _sha256(directory / name) != files[name]:
            raise ModelDirectoryError(f"{name} is corrupted: its hash is not the manifest's. Restore the saved model.")


def _read(directory: Path) -> tuple[ModelState, dict[str, Any]]:
    model = json.loads((directory / _MODEL).read_text(encoding="utf-8"))
    reports = json.loads((directory / _REPORTS).read_text(encoding="utf-8"))
    layout = serialising.layout_from(model["layout"])
    table = pq.read_table(directory / _REFERENCE)
    learned = Learned(
        text=(directory / _BOOSTER).read_text(encoding="utf-8"),
        patterns=serialising.patterns_from(model["patterns"]),
        reference=np.column_stack([table.column(name).to_numpy() for name in layout.names]),
        contract_report=serialising.contract_from(reports["contract"]),
        calibration_reports=serialising.calibration_from(reports["calibration"]),
    )
    state = ModelState(
        learned,
        layout,
        serialising.rules_from(model["rules"]),
        serialising.scale_from(model["scale"]),
        serialising.classes_from(model["classes"]),
        bool(model["named"]),
    )
    return state, serialising.parameters_from(model["parameters"])


def _verify_shares(state: ModelState) -> None:
    """Recompute each pattern's shares on the reference sample: a saved promise is checked, not trusted."""
    tolerance = state.learned.contract_report.tolerance + _SHARES_HOLD_TO
    for pattern in state.learned.patterns:
        if any(pattern.multipliers):
            shares = influence_shares(state.learned.reference * np.array(pattern.multipliers))
            missed = np.abs(shares - state.layout.weights_over(pattern.used)).max()
            if missed > tolerance:
                raise ModelDirectoryError(
                    f"Shares on the reference sample must be within {tolerance:g} of the weights, "
                    f"got {missed:g} off. Fit anew."
                )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
