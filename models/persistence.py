"""A saved model: a directory of text, JSON and Parquet whose manifest names and hashes every file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
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
from benne.models.fitting import Learned, SavedBooster
from benne.models.histogram_saving import histograms_from, histograms_to
from benne.models.inputs import FeatureRules
from benne.models.model_directory import FILES, MANIFEST, files_of, found_model, replace_model
from benne.models.points import AdditiveTrees
from benne.models.reference_histograms import ReferenceHistograms
from benne.models.reference_sample import PatternReference, ReferenceSample
from benne.models.reference_saving import references_from, references_to
from benne.models.saved_promises import check_promises
from benne.models.scale import ScoreScale
from benne.models.score_function import ScoreFunction

__all__ = ["FORMAT_VERSION", "MALFORMED", "ModelState", "load_state", "malformed", "save_state"]

FORMAT_VERSION: Final = 5
_WITHOUT_HISTOGRAMS: Final = 4
_OLDEST: Final = 3
_ATTEMPTS: Final = 20

MALFORMED: Final = (
    ArithmeticError, AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError, LightGBMError,
)  # fmt: skip
"""What reading a malformed model may run into."""

_BOOSTER, _OWN_BOOSTERS, _MODEL, _REPORTS, _REFERENCE, _POINTS, _HISTOGRAMS = FILES


@dataclass(frozen=True)
class ModelState:
    """Everything that answers, and nothing that belongs to a member."""

    learned: Learned
    layout: CategoryLayout
    rules: FeatureRules
    scale: ScoreScale
    classes: npt.NDArray[Any]
    named: bool
    histograms: ReferenceHistograms | None = None

    @property
    def reference(self) -> ReferenceSample:
        """What is known of the members that others are compared with."""
        of_patterns = zip(self.learned.patterns, self.learned.reference)  # noqa: B905 - none where none were kept
        return ReferenceSample(self.rules.columns, self.layout, {p.used: one for p, one in of_patterns})

    def function(self, threads: int) -> ScoreFunction:
        """The path from features to scores, with the trees laid out for so many threads."""
        of_column, categories = self.layout.categories_of_columns, len(self.layout.names)
        trees = [one.trees or AdditiveTrees(one.text, of_column, categories, threads) for one in self.learned.boosters]
        return ScoreFunction(trees, self.layout, self.learned.patterns, self.scale)


def save_state(
    path: str | PathLike[str], state: ModelState, parameters: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    """Write a model directory in full beside its place, then move it there; no row of a member is in it.

    The same model gives the same bytes. An earlier model at ``path`` is replaced.

    Parameters
    ----------
    path : path
    state : ModelState
    parameters, now : mapping of str to object
        The constructor's parameters as they were at the fit, and as they are.

    Raises
    ------
    ModelDirectoryError
        If ``path`` holds anything besides a saved model, or cannot be written.
    ParameterError
        If a parameter is not what it was at the fit, or what the model is made of has no JSON form.
    """
    of_the_fit, of_today = _parameters_to(parameters), _parameters_to(now)
    changed = [name for name, value in of_the_fit.items() if of_today[name] != value]
    if changed:
        raise ParameterError(f"Parameters must be those of the fit, {changed[0]!r} was set since. Fit anew.")
    replace_model(path, lambda directory: _write(directory, state, of_the_fit))


def _write(directory: Path, state: ModelState, parameters: dict[str, Any]) -> None:
    learned = state.learned
    model = {
        "parameters": parameters,
        "layout": dataclasses.asdict(state.layout),
        "rules": serialising.rules_to(state.rules),
        "scale": dataclasses.asdict(state.scale),
        "classes": serialising.classes_to(state.classes),
        "named": state.named,
        "patterns": serialising.patterns_to(learned),
    }
    reports = {
        "contract": serialising.contract_to(learned.contract_report),
        "calibration": serialising.calibration_to(learned.calibration_reports),
        "patterns": serialising.frame_to(learned.pattern_table),
    }
    (directory / _BOOSTER).write_text(learned.boosters[0].text, encoding="utf-8", newline="\n")
    _write_json(directory / _OWN_BOOSTERS, [booster.text for booster in learned.boosters[1:]])
    _write_json(directory / _MODEL, model)
    _write_json(directory / _REPORTS, reports)
    tables = [pa.table(list(booster.reference.T), list(state.layout.names)) for booster in learned.boosters]
    numbered = [table.append_column("booster", pa.array([k] * len(table))) for k, table in enumerate(tables)]
    pq.write_table(pa.concat_tables(numbered), directory / _REFERENCE)
    version = _version(state)
    if version >= _WITHOUT_HISTOGRAMS:
        pq.write_table(references_to(learned.reference, state.rules.columns), directory / _POINTS)
    if state.histograms is not None and version == FORMAT_VERSION:
        _write_json(directory / _HISTOGRAMS, histograms_to(state.histograms))
    files = {name: _sha256(directory / name) for name in files_of(version)}
    _write_json(directory / MANIFEST, {"format_version": version, "files": files})


def _version(state: ModelState) -> int:
    """What an older Benne did not keep, or too small a sample does not give, cannot be made up."""
    if not state.learned.reference:
        return _OLDEST
    return _WITHOUT_HISTOGRAMS if state.histograms is None else FORMAT_VERSION


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
    files = _consistent(path)
    try:
        state, parameters = _read(files)
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


def _consistent(path: str | PathLike[str]) -> dict[str, bytes]:
    """The files of one save, each read once: what was hashed is what is parsed.

    A save may replace the model while it is read. Then another directory stands in its place, and
    reading begins again.
    """
    for _ in range(_ATTEMPTS):
        directory = found_model(path)
        before = _identity(directory)
        try:
            return _verified(directory)
        except ModelDirectoryError as error:
            refusal = error
            if before == _identity(found_model(path)):
                break
    raise refusal


def _identity(directory: Path) -> tuple[int, int] | None:
    """Which directory stands there, and since when; None where there is none."""
    try:
        found = directory.stat()
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns


def _verified(directory: Path) -> dict[str, bytes]:
    """Content of every file by name, once each has the hash that the manifest says."""
    manifest_bytes = _bytes_of(directory / MANIFEST)
    if manifest_bytes is None:
        raise ModelDirectoryError(f"A saved model must be a directory with {MANIFEST}, got none. Check the path.")
    try:
        manifest = json.loads(manifest_bytes)
        version, files = manifest["format_version"], dict(manifest["files"])
    except MALFORMED as error:
        raise ModelDirectoryError(
            f"{MANIFEST} is corrupted ({type(error).__name__}). Restore the saved model."
        ) from None
    if type(version) is not int:
        raise ModelDirectoryError(f"{MANIFEST} must name its format by a whole number. Restore the saved model.")
    if version > FORMAT_VERSION:
        raise ModelDirectoryError(
            f"The saved model must have format {FORMAT_VERSION}, got {version}, "
            "which a newer Benne wrote. Upgrade Benne."
        )
    if version < _OLDEST:
        raise ModelDirectoryError(
            f"The saved model must have a format from {_OLDEST} to {FORMAT_VERSION}, got {version} of an older Benne. "
            "Fit it anew."
        )
    if sorted(files) != sorted(files_of(version)):
        raise ModelDirectoryError(f"{MANIFEST} must list {', '.join(files_of(version))}. Restore the saved model.")
    content = {}
    for name in files_of(version):
        found = _bytes_of(directory / name)
        if found is None:
            raise ModelDirectoryError(f"The saved model must hold {name}, got none. Restore it.")
        if hashlib.sha256(found).hexdigest() != files[name]:
            raise ModelDirectoryError(f"{name} is corrupted: its hash is not the manifest's. Restore the saved model.")
        content[name] = found
    return content


def _bytes_of(path: Path) -> bytes | None:
    """What is in a file, or None where there is none."""
    try:
        return path.read_bytes() if path.is_file() else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise malformed(error) from None


def _read(files: Mapping[str, bytes]) -> tuple[ModelState, dict[str, Any]]:
    model, reports = json.loads(files[_MODEL]), json.loads(files[_REPORTS])
    layout = serialising.layout_from(model["layout"])
    learned = Learned(
        **serialising.patterns_from(model["patterns"]),
        boosters=_boosters(files, layout.names),
        pattern_table=serialising.frame_from(reports["patterns"]),
        contract_report=serialising.contract_from(reports["contract"]),
        calibration_reports=serialising.calibration_from(reports["calibration"]),
        reference=_references(files, [rule["column"] for rule in model["rules"]]),
    )
    state = ModelState(
        learned,
        layout,
        serialising.rules_from(model["rules"]),
        serialising.scale_from(model["scale"]),
        serialising.classes_from(model["classes"]),
        bool(model["named"]),
        histograms_from(json.loads(files[_HISTOGRAMS])) if _HISTOGRAMS in files else None,
    )
    return state, serialising.parameters_from(model["parameters"])


def _boosters(files: Mapping[str, bytes], names: Sequence[str]) -> tuple[SavedBooster, ...]:
    own = json.loads(files[_OWN_BOOSTERS])
    table = pq.read_table(pa.BufferReader(files[_REFERENCE]))
    number = table.column("booster").to_numpy()
    reference = np.column_stack([table.column(name).to_numpy() for name in names])
    texts = [files[_BOOSTER].decode(), *own]
    return tuple(SavedBooster(text, reference[number == k]) for k, text in enumerate(texts))


def _references(files: Mapping[str, bytes], columns: Sequence[str]) -> tuple[PatternReference, ...]:
    if _POINTS not in files:
        return ()
    return references_from(pq.read_table(pa.BufferReader(files[_POINTS])), columns)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
