"""Strict inputs: refuse by name what LightGBM would score as nonsense without a word."""

from __future__ import annotations

import numbers
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import issparse

from benne.errors import FeatureColumnsError, FeatureTypeError, FeatureValueError, ParameterError
from benne.features.categories import CATEGORIES
from benne.features.consent_mask import split_mask
from benne.models.evidence import ANYTHING_TELLS, NOTHING_TELLS, ZERO_TELLS_NOTHING

if TYPE_CHECKING:
    from benne.features.specification import FeatureSpec

__all__ = ["FeatureRules", "FeatureTable", "check_values", "float_matrix", "read_table", "strange_values"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_EXACT_INT = 2**53


@dataclass(frozen=True)
class FeatureTable:
    """Feature columns as given, and the consent mask that came beside them.

    Parameters
    ----------
    frame : DataFrame, shape (n, columns)
        Never written to.
    mask : DataFrame of bool or None
        One column per category.
    named : bool
        Whether the columns came with names; otherwise they are ``x0``, ``x1``, …
    """

    frame: pd.DataFrame
    mask: pd.DataFrame | None
    named: bool


@dataclass(frozen=True)
class FeatureRules:
    """What values each column may hold.

    Parameters
    ----------
    columns : tuple of str
    minimum, maximum : tuple of float
        Inclusive; infinite where nothing is declared.
    nullable : tuple of bool
        Whether NaN may stand there.
    directions : tuple of int
        Monotone direction on the odds of bad.
    tells : tuple of int
        What a value says, see :mod:`benne.models.evidence`.
    """

    columns: tuple[str, ...]
    minimum: tuple[float, ...]
    maximum: tuple[float, ...]
    nullable: tuple[bool, ...]
    directions: tuple[int, ...]
    tells: tuple[int, ...]


def read_table(X: Any) -> FeatureTable:
    """Read a pandas, Polars or Arrow table, or an array, without changing it.

    Raises
    ------
    FeatureTypeError
        For sparse input, or an array of objects that are not all numbers.
    FeatureColumnsError
        For duplicated columns, no columns, or an array that is not two-dimensional.
    FeatureValueError
        For no rows, or complex numbers.
    """
    if issparse(X):
        raise FeatureTypeError("X must be dense, got a sparse matrix. Sparse input is not scored; pass a table.")
    frame = _frame_of(X)
    named = frame is not None and not all(isinstance(name, numbers.Integral) for name in frame.columns)
    if frame is None:
        array = _array_of(X)
        frame = pd.DataFrame(array, columns=[f"x{j}" for j in range(array.shape[1])], copy=False)
    elif not named:
        frame = frame.set_axis([f"x{j}" for j in range(frame.shape[1])], axis=1)
    _check_names(frame)
    features, mask = split_mask(frame)
    if features.shape[1] == 0:
        raise FeatureColumnsError(
            f"Found array with 0 feature(s) (shape={frame.shape}) while a minimum of 1 is required."
        )
    if len(features) == 0:
        raise FeatureValueError(f"Found array with 0 sample(s) (shape={frame.shape}) while a minimum of 1 is required.")
    return FeatureTable(features, None if mask is None else _checked_mask(mask), named)


def _frame_of(X: Any) -> pd.DataFrame | None:
    if isinstance(X, pd.DataFrame):
        return X
    if X is None or isinstance(X, (pd.Series, Mapping, str, bytes)) or hasattr(X, "collect"):
        raise FeatureTypeError(
            "X must be a table with one row per observation (pandas, Polars or Arrow) or a 2D array, "
            f"got {type(X).__module__}.{type(X).__name__}. For one row of a frame pass `frame.iloc[[0]]`; "
            "collect what is lazy."
        )
    if hasattr(X, "__arrow_c_stream__"):
        import pyarrow as pa  # only tables that are not pandas need it

        table = X if isinstance(X, pa.Table) else pa.table(X)
        columns = {name: _column_of(name, table.column(j)) for j, name in enumerate(table.column_names)}
        if len(columns) < table.num_columns:
            raise FeatureColumnsError("Column names of X must be unique, got a name twice. Rename or drop one.")
        return pd.DataFrame(columns)
    return None


def _column_of(name: str, column: Any) -> pd.Series[Any]:
    """A column of Arrow's; whole numbers beside nulls become floats there, which may not hold them exactly."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count and pa.types.is_integer(column.type):
        ends = [bound for bound in pc.min_max(column).as_py().values() if bound is not None]
        _refuse_beyond(name, sum(abs(bound) > _EXACT_INT for bound in ends))
    series: pd.Series[Any] = column.to_pandas()
    return series


def _array_of(X: Any) -> npt.NDArray[Any]:
    if isinstance(X, np.ma.MaskedArray):
        raise FeatureTypeError("X must say what is not known by NaN, got a masked array. Pass X.filled(numpy.nan).")
    array = np.asarray(X)
    if array.ndim != 2:
        raise FeatureColumnsError(
            f"Expected 2D array, got {array.ndim}D array instead. Reshape your data with array.reshape(-1, 1) "
            "for one feature or array.reshape(1, -1) for one sample."
        )
    if array.dtype.kind == "c":
        raise FeatureValueError("Complex data not supported: X must hold real numbers.")
    return _numbers_of(array) if array.dtype.kind == "O" else array


def _numbers_of(array: npt.NDArray[np.object_]) -> Floats:
    """An array of objects has no column types, so each of its values must be a number itself."""
    for kind in {type(value) for value in array.ravel()}:
        if not issubclass(kind, numbers.Real) or issubclass(kind, (bool, np.bool_)):
            raise FeatureTypeError(
                "Each value of an array given as argument must be not a string or the like but a real number, "
                f"got {kind.__name__}. Convert X to float64."
            )
    _refuse_beyond("X", sum(isinstance(v, numbers.Integral) and abs(int(v)) > _EXACT_INT for v in array.ravel()))
    return array.astype(np.float64)


def _refuse_beyond(name: Any, beyond: int) -> None:
    if beyond:
        raise FeatureValueError(
            f"Feature {name!r} must hold whole numbers up to 2**53 in size, got {beyond} rows beyond. Correct them."
        )


def _check_names(frame: pd.DataFrame) -> None:
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise FeatureColumnsError(f"Column names of X must be unique, got {twice!r} twice. Rename or drop one.")
    strange = [name for name in frame.columns.tolist() if not isinstance(name, str)]
    if strange:
        raise FeatureColumnsError(f"Column names of X must all be strings, got {type(strange[0]).__name__}. Rename it.")


def _checked_mask(mask: pd.DataFrame) -> pd.DataFrame:
    for name in mask.columns:
        if not pd.api.types.is_bool_dtype(mask[name].dtype) or mask[name].isna().any():
            raise FeatureTypeError(
                f"Consent column of {name!r} must be bool without nulls, got {mask[name].dtype}. "
                "Pass the mask as built."
            )
    return mask


def match_columns(table: FeatureTable, columns: Sequence[str], named: bool, absent: Collection[str]) -> None:
    """Refuse a table whose columns are not those of the fit; ``absent`` ones may be missing.

    Raises
    ------
    FeatureColumnsError
    """
    given = table.frame.columns.tolist()
    if not table.named and len(given) != len(columns):
        raise FeatureColumnsError(
            f"X has {len(given)} features, but CreditScoreModel is expecting {len(columns)} features as input."
        )
    if named and not table.named:
        raise FeatureColumnsError(
            "X must carry column names, as the training data did: an array may hold them in another order. "
            "Pass a table."
        )
    there = set(given)
    missing = [name for name in columns if name not in there and name not in absent]
    if missing:
        raise FeatureColumnsError(f"X must have every column of the fit, {_listed(missing)} missing. Add them.")
    known = set(columns)
    extra = [name for name in given if name not in known]
    if extra:
        raise FeatureColumnsError(f"X must have only the columns of the fit, got {_listed(extra)} besides. Drop them.")


def float_matrix(frame: pd.DataFrame, columns: Sequence[str], withheld: Bools | None = None) -> Floats:
    """Columns in their order as a new float64 matrix; withheld cells are NaN and never looked at.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        Columns that every row withholds may be absent.
    columns : sequence of str
    withheld : ndarray of bool, shape (n, columns), optional

    Raises
    ------
    FeatureTypeError
        For a column that is not of real numbers: bool, object, string, date, category.
    FeatureValueError
        For integers that float64 cannot hold exactly.
    """
    whole = _floats_throughout(frame, columns)
    if whole is not None:
        return whole if withheld is None else np.where(withheld, np.nan, whole)
    matrix = np.full((len(frame), len(columns)), np.nan)
    for j, name in enumerate(columns):
        used = np.ones(len(frame), dtype=bool) if withheld is None else ~withheld[:, j]
        if used.all():
            matrix[:, j] = _float_column(frame[name])
        elif used.any():
            # A column of objects may be one only for what stands in its withheld cells.
            matrix[used, j] = _float_column(frame[name].loc[used].infer_objects())
    return matrix


def _floats_throughout(frame: pd.DataFrame, columns: Sequence[str]) -> Floats | None:
    """All columns at once where every one is there and of float64: for one row, columns cost more than numbers."""
    if not all(dtype == np.float64 and isinstance(dtype, np.dtype) for dtype in frame.dtypes):
        return None
    if frame.columns.tolist() == list(columns):
        return frame.to_numpy(copy=True)
    places = frame.columns.get_indexer(pd.Index(columns))
    return None if (places < 0).any() else frame.to_numpy()[:, places]


def _float_column(column: pd.Series[Any]) -> Floats:
    dtype = column.dtype
    if not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype) or dtype.kind not in "iuf":
        raise FeatureTypeError(
            f"Feature {column.name!r} must be of numbers (float64 or whole numbers), got {dtype}. Convert it."
        )
    if dtype.kind in "iu":
        values = column.dropna()
        _refuse_beyond(column.name, int(((values > _EXACT_INT) | (values < -_EXACT_INT)).sum()))
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def rules_for(columns: Sequence[str], categories: Iterable[str], directions: Mapping[str, int]) -> FeatureRules:
    """Rules of registered features; other columns may hold any finite number, and NaN where training had it.

    The registry is asked only where the categories are among the five of the score. A direction may be added to a
    registered feature that has none, and not be turned round or taken away.

    Raises
    ------
    ParameterError
        If a direction is of a column that is not there, or contradicts the registry's.
    """
    unknown = [name for name in directions if name not in columns]
    if unknown:
        raise ParameterError(f"monotone must name columns of X, got {_listed(unknown)}. Correct its name.")
    specs: Any = {}
    if set(categories) <= set(CATEGORIES):
        from benne.features import registry

        specs = {name: registry[name] for name in columns if name in registry}
    return FeatureRules(
        columns=tuple(columns),
        minimum=tuple(float(specs[c].minimum) if c in specs else -np.inf for c in columns),
        maximum=tuple(float(specs[c].maximum) if c in specs else np.inf for c in columns),
        nullable=tuple(not specs[c].never_null if c in specs else True for c in columns),
        directions=tuple(_direction(c, specs.get(c), directions) for c in columns),
        tells=tuple(_tells(specs[c]) if c in specs else ANYTHING_TELLS for c in columns),
    )


def _direction(name: str, spec: FeatureSpec | None, directions: Mapping[str, int]) -> int:
    registered = 0 if spec is None else int(spec.direction)
    asked = int(directions.get(name, registered))
    if registered and asked != registered:
        raise ParameterError(
            f"monotone must leave {name!r} its registered direction {registered}, got {asked}. Leave it out, or name "
            "the column otherwise if it is another feature."
        )
    return asked


def _tells(spec: FeatureSpec) -> int:
    if {table for table, _ in spec.expression.reads()} == {"members"}:
        return NOTHING_TELLS
    return ZERO_TELLS_NOTHING if spec.never_null else ANYTHING_TELLS


def check_values(matrix: Floats, rules: FeatureRules, consented: Bools) -> None:
    """Refuse infinities, nulls where there may be none, and values out of range.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n, features)
        NaN where a category is withheld.
    rules : FeatureRules
    consented : ndarray of bool, shape (n, features)
        Withheld cells are not looked at.

    Raises
    ------
    FeatureValueError
        Naming the column, what it must be, and how many rows break it.
    """
    null = np.isnan(matrix) & consented
    _refuse(np.isinf(matrix), rules, lambda j: "must be finite, not inf (infinity)")
    nullable = np.asarray(rules.nullable)
    if not nullable.all():
        _refuse(
            null & ~nullable, rules,
            lambda j: "must not be null (NaN), because it never is or never was in training",
        )  # fmt: skip
    with np.errstate(invalid="ignore"):
        beyond = (matrix < np.asarray(rules.minimum)) | (matrix > np.asarray(rules.maximum))
    _refuse(beyond, rules, lambda j: f"must lie within [{rules.minimum[j]:g}, {rules.maximum[j]:g}]")


def strange_values(matrix: Floats, rules: FeatureRules, consented: Bools) -> Bools:
    """Cells that :func:`check_values` refuses, shape (n, features)."""
    null = np.isnan(matrix) & consented & ~np.asarray(rules.nullable)
    with np.errstate(invalid="ignore"):
        beyond = (matrix < np.asarray(rules.minimum)) | (matrix > np.asarray(rules.maximum))
    return np.asarray(np.isinf(matrix) | null | beyond)


def _refuse(wrong: Bools, rules: FeatureRules, must: Any) -> None:
    counts = wrong.sum(axis=0)
    for j in np.flatnonzero(counts)[:1]:
        raise FeatureValueError(
            f"Feature {rules.columns[j]!r} {must(j)}, got {int(counts[j])} such rows. Correct them or leave them out."
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
