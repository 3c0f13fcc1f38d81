"""A saved model: a directory of text, JSON and Parquet whose manifest names and hashes every file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from lightgbm.basic import LightGBMError

from benne.errors import ModelDirectoryError, ModelError, ParameterError
from benne.models import serialising
from benne.models.additive_booster import BoosterOptions
from benne.models.category_layout import CategoryLayout
from benne.models.fitting import Learned
from benne.models.inputs import FeatureRules
from benne.models.model_directory import FILES, MANIFEST, found_model, replace_model
from benne.models.saved_promises import check_promises
from benne.models.scale import ScoreScale

__all__ = ["FORMAT_VERSION", "MALFORMED", "ModelState", "load_state", "malformed", "save_state"]

FORMAT_VERSION: Final = 1

MALFORMED: Final = (
    ArithmeticError, AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError, LightGBMError,
)  # fmt: skip
"""What reading a malformed model may run into."""

_BOOSTER, _MODEL, _REPORTS, _REFERENCE = FILES


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
    """Write a model directory in full beside its place, then move it there; no row of a member is in it.

    The same model gives the same bytes. An earlier model at ``path`` is replaced.

    Raises
    ------
    ModelDirectoryError
        If ``path`` holds anything besides a saved model, or cannot be written.
    ParameterError
        If what the model is made of has no JSON form.
    """
    replace_model(path, lambda directory: _write(directory, state, parameters))


def _write(directory: Path, state: ModelState, parameters: Mapping[str, Any]) -> None:
    learned = state.learned
    model = {
        "parameters": _parameters_to(parameters),
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
    files = {name: _sha256(directory / name) for name in FILES}
    _write_json(directory / MANIFEST, {"format_version": FORMAT_VERSION, "files": files})


def _parameters_to(parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return serialising.parameters_to(parameters)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise ParameterError(
            f"Parameters must be as for a fit to be saved, got {type(error).__name__} in reading them. Correct them."
        ) from None


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
    directory = found_model(path)
    try:
        _verify(directory)
        state, parameters = _read(directory)
        check_promises(state)
        (parameters["booster"] or BoosterOptions()).check()
    except ModelDirectoryError:
        raise
    except (*MALFORMED, OSError, pa.ArrowException, ModelError) as error:
        raise malformed(error) from None
    return state, parameters


def malformed(error: Exception) -> ModelDirectoryError:
    """What to raise for whatever a malformed model runs into; the cause, which may quote a value, is left out."""
    return ModelDirectoryError(
        f"The saved model must be complete and well formed, got {type(error).__name__} in reading it. Save it anew."
    )


def _verify(directory: Path) -> None:
    manifest_path = directory / MANIFEST
    if not manifest_path.is_file():
        raise ModelDirectoryError(f"A saved model must be a directory with {MANIFEST}, got none. Check the path.")
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        version, files = manifest["format_version"], dict(manifest["files"])
    except MALFORMED as error:
        raise ModelDirectoryError(
            f"{MANIFEST} is corrupted ({type(error).__name__}). Restore the saved model."
        ) from None
    if type(version) is not int:
        raise ModelDirectoryError(f"{MANIFEST} must name its format by a whole number. Restore the saved model.")
    if version > FORMAT_VERSION:
        raise ModelDirectoryError(
            f"The saved model must have format {FORMAT_VERSION} or older, got {version}, "
            "which a newer Benne wrote. Upgrade Benne."
        )
    if version < 1 or sorted(files) != sorted(FILES):
        raise ModelDirectoryError(f"{MANIFEST} must list {', '.join(FILES)} in format 1. Restore the saved model.")
    for name in FILES:
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


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
