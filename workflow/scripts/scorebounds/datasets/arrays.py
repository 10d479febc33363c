"""Arrays in memory as recordings: NumPy, torch, xarray and pandas."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.checks import FEW_SAMPLES, MIN_SAMPLES, count_neurons
from scorebounds.core.recording import (
    CONDITION_PLACE,
    HALVES,
    N_CONDITIONS,
    ROW_NAME,
    SAMPLE_DIMS,
    recording,
    with_conditions,
)
from scorebounds.datasets.readers.axes import UNNAMED, meaning
from scorebounds.datasets.trials import has_trials, trials_as_rows

# Where an axis of this meaning goes: samples, neurons, times.
_PLACE = {"sample": 0, "trial": 0, "condition": 0, "neuron": 1, "time": 2}
# Columns of these names hold identifiers of rows, whatever their type.
_IDENTIFIERS = {
    "id",
    "index",
    "level_0",
    "sample",
    "trial",
    "condition",
    "stimulus",
    "image",
    "row",
    "session",
    "run",
    "subject",
    "repetition",
    "repeat",
    "block",
    "fold",
    "time",
}
_PROVENANCE = ("dataset", "path", "checksum", "licence", "citation")
_KEPT_ATTRIBUTES = (*_PROVENANCE, "groups", "precision", "reduced", "rows")


# What to do with values that are no real numbers, by the kind of their type.
_REMEDIES = {
    "c": "pass np.abs(x), or x.real where the imaginary part is zero",
    "V": "make columns of its fields with numpy.lib.recfunctions.structured_to_unstructured(x)",
    "M": "times are no activity; pass them as a coordinate",
    "m": "divide it by a unit, such as x / np.timedelta64(1, 's')",
}


def as_recording(values: Any, name: str) -> xr.DataArray:
    """Bring activity into the form of a recording, in double precision.

    Parameters
    ----------
    values : array_like, torch.Tensor, DataArray or DataFrame
        Shape (n_samples, n_neurons) or (n_times, n_conditions, n_neurons), of any real number type.
        The index of a DataFrame and the coordinates of a DataArray become names and labels of the
        rows; a column of text becomes a label.
    name : str
        Used in messages, and as the attribute `dataset` unless `values` has one.

    Raises
    ------
    ValueError
        If the values are not real numbers, have another number of axes, or are not finite, or if
        a column of a DataFrame may be a neuron or an identifier.
    """
    if isinstance(values, pd.Series):
        values = values.to_numpy()
    if isinstance(values, pd.DataFrame):
        made = _from_pandas(values, name)
    elif isinstance(values, xr.DataArray):
        made = _from_xarray(values, name)
    elif isinstance(values, xr.Dataset):
        raise TypeError(
            f"expected {name} as a DataArray, got a Dataset with {', '.join(map(str, values))}; "
            "select one of them"
        )
    else:
        made = recording(_real_numbers(_array(values, name), name))
    made.attrs = {"dataset": name, **made.attrs}
    _require_finite(made.values, name)
    return made


def row_names(array: xr.DataArray) -> list[str] | None:
    """Return the name of each row, or None where the rows have no names."""
    if ROW_NAME not in array.coords:
        return None
    values = array[ROW_NAME].values.tolist()
    # Equal numbers have equal names: 0 and 0.0.
    return [f"{v:.0f}" if isinstance(v, float) and v.is_integer() else str(v) for v in values]


def require_same_order(x: xr.DataArray, y: xr.DataArray) -> None:
    """Raise ValueError where a name occurs in both, but in different rows."""
    first, second = row_names(x), row_names(y)
    if first is None or second is None or first == second:
        return
    common = set(first) & set(second)
    for row, pair in enumerate(zip(first, second, strict=False)):
        if pair[0] != pair[1] and common & set(pair):
            raise ValueError(
                f"expected the rows of both sides in one order, got {pair[0]!r} and {pair[1]!r} in "
                f"row {row} (counted from 0) although both sides name their rows; pass "
                "match='names' to pair rows by name, or x.to_numpy() and y.to_numpy() to pair them "
                "by position"
            )


def read_halves(array: xr.DataArray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the averages over either half of the trials, where a recording has them."""
    if HALVES[0] not in array.coords:
        return None
    first, second = (array[half].values for half in HALVES)
    return first, second


def _as_numpy(values: Any) -> np.ndarray:
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(
            "expected values without a mask, got a masked array; take the rows without masked "
            "values, x[~np.ma.getmaskarray(x).any(axis=1)].data, of both sides"
        )
    if hasattr(values, "detach"):
        tensor = values.detach().to_dense().cpu()
        # NumPy has no bfloat16; single precision holds every value of it.
        return np.asarray(tensor.float() if tensor.is_floating_point() else tensor)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"expected an array, got a {type(values).__name__} of rows of different lengths; give "
            "every sample a value for every neuron"
        ) from error


def _array(values: Any, name: str) -> np.ndarray:
    """Return the values as an array, and refuse what is none."""
    if isinstance(values, str | Path):
        raise TypeError(f"expected {name} as an array, got a path; read the file with sb.read")
    if hasattr(values, "toarray") and not hasattr(values, "__array__"):
        raise TypeError(
            f"expected {name} as an array, got a sparse {type(values).__name__}; pass x.toarray()"
        )
    array = _as_numpy(values)
    if array.dtype == object and array.ndim == 0:
        raise TypeError(f"expected {name} as an array, got {type(values).__name__}")
    return array


def _real_numbers(values: np.ndarray, name: str) -> np.ndarray:
    if values.dtype.kind not in "fiub":
        remedy = _REMEDIES.get(values.dtype.kind, "convert it with x.astype(float)")
        kind = "a structured array" if values.dtype.names else f"{values.dtype}"
        raise ValueError(
            f"expected {name} to hold real numbers, got {kind} of shape {values.shape}; {remedy}"
        )
    if values.ndim not in SAMPLE_DIMS:
        remedy = "; a single neuron is x.reshape(-1, 1)" if values.ndim == 1 else ""
        raise ValueError(
            f"expected {name} of shape (n_samples, n_neurons) or (n_times, n_conditions, "
            f"n_neurons), got shape {values.shape}{remedy}"
        )
    return values.astype(np.float64)


def _require_finite(values: np.ndarray, name: str) -> None:
    *samples, n_neurons = values.shape
    if math.prod(samples) < MIN_SAMPLES or n_neurons == 0:
        raise ValueError(
            f"expected {name} with at least {MIN_SAMPLES} samples and one neuron, "
            f"got shape {values.shape}{FEW_SAMPLES if math.prod(samples) == 2 else ''}"
        )
    flat = values.reshape(-1, n_neurons)
    bad = np.flatnonzero(~np.isfinite(flat).all(axis=0))
    if bad.size:
        raise ValueError(
            f"expected finite values, got NaN or infinity in {name}, {count_neurons(bad)}; "
            "drop these neurons or the affected samples from both sides"
        )


def _from_pandas(table: pd.DataFrame, name: str) -> xr.DataArray:
    kinds = {column: table[column].dtype.kind for column in table.columns}
    texts = [column for column, kind in kinds.items() if kind not in "fiub"]
    numbers = [column for column in table.columns if column not in texts]
    _require_neurons(kinds, numbers, name)
    _require_text(table[texts], name)
    labels = {str(column): table[column].astype(str).to_numpy() for column in texts}
    names = None
    if isinstance(table.index, pd.MultiIndex):
        for level, values in enumerate(table.index.levels):
            title = values.name or f"level_{level}"
            labels[str(title)] = np.asarray(table.index.get_level_values(level)).astype(str)
        names = np.array([" ".join(map(str, entry)) for entry in table.index])
    else:
        names = _names_of_index(table.index)
        if table.index.name is not None and not _is_default(table.index):
            labels[str(table.index.name)] = names.astype(str)
    # Missing values of nullable columns become NaN, which is refused afterwards.
    activity = _real_numbers(table[numbers].to_numpy(np.float64, na_value=np.nan), name)
    return recording(activity, labels, names=names)


def _names_of_index(index: pd.Index) -> np.ndarray:
    """Return numbers as numbers, so that 0 and 0.0 are one name, and all else as text."""
    if index.dtype.kind in "iuf":
        return index.to_numpy()
    return np.array([str(value) for value in index])


def _is_default(index: pd.Index) -> bool:
    return index.dtype.kind in "iu" and np.array_equal(index, np.arange(len(index)))


def _require_neurons(kinds: Mapping[Any, str], numbers: Sequence[Any], name: str) -> None:
    """Refuse columns of numbers that may identify rows rather than hold a neuron's activity."""
    if not numbers:
        raise ValueError(f"expected {name} with columns of numbers, one for each neuron, got none")
    named = [column for column in numbers if _is_identifier(column)]
    real = [column for column in numbers if kinds[column] == "f"]
    whole = [column for column in numbers if kinds[column] != "f"]
    suspects = named or (whole if real and whole else [])
    if suspects and len(suspects) < len(numbers):
        shown = ", ".join(repr(column) for column in suspects[:3])
        raise ValueError(
            f"expected every column of numbers in {name} to be a neuron, got {len(suspects)} that "
            f"may identify rows ({shown}); make them the index with set_index, drop them, or "
            "convert all columns to one floating-point type"
        )


def _require_text(columns: pd.DataFrame, name: str) -> None:
    """Refuse columns that hold numbers but are not stored as numbers: they may be neurons."""
    numeric = []
    for column, values in columns.items():
        if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype.kind in "mM":
            continue
        known = values.dropna()
        if pd.to_numeric(known, errors="coerce").notna().any() or known.empty:
            numeric.append(column)
    if numeric:
        shown = ", ".join(repr(column) for column in numeric[:3])
        raise ValueError(
            f"expected every column of {name} to hold numbers, or text that labels the rows, got "
            f"{len(numeric)} of type object with numbers or without values ({shown}); convert a "
            "neuron with pd.to_numeric, a label with astype('category'), or drop the column"
        )


def _is_identifier(column: Any) -> bool:
    text = str(column).lower()
    return text in _IDENTIFIERS or text.startswith("unnamed:") or text.endswith("_id")


def _from_xarray(array: xr.DataArray, name: str) -> xr.DataArray:
    ordered = in_order(trials_as_rows(array, name) if has_trials(array) else array, name)
    row, times = ordered.dims[-2], ordered.dims[0] if ordered.ndim == len(SAMPLE_DIMS[3]) else None
    labels = {
        str(title): coordinate.values
        for title, coordinate in ordered.coords.items()
        if coordinate.dims == (row,) and title not in (row, ROW_NAME, CONDITION_PLACE)
    }
    halves = read_halves(ordered) or ()
    time = ordered[times].values if times is not None and times in ordered.coords else None
    known = {key: ordered.attrs[key] for key in _KEPT_ATTRIBUTES if key in ordered.attrs}
    made = recording(
        _real_numbers(ordered.values, name),
        labels,
        units=str(ordered.attrs.get("units", "")),
        time=time,
        names=names_of(ordered, row),
        halves=halves,
    )
    history = {key: ordered.attrs[key] for key in ("history",) if key in ordered.attrs}
    rows = meaning(str(row)) or ""
    made = made.assign_coords(_of_neurons(ordered))
    if CONDITION_PLACE in ordered.coords:
        place = ordered[CONDITION_PLACE]
        made = with_conditions(made, place.values, place.attrs[N_CONDITIONS])
    return made.assign_attrs(**{"rows": rows, **known, **history})


def _of_neurons(array: xr.DataArray) -> dict[str, Any]:
    """Return the coordinates along the neurons, one of which can name their subjects."""
    neuron = array.dims[-1]
    return {
        str(title): ("neuron", coordinate.values)
        for title, coordinate in array.coords.items()
        if coordinate.dims == (neuron,) and meaning(str(title)) is None
    }


def names_of(array: xr.DataArray, row: Any) -> np.ndarray | None:
    if ROW_NAME in array.coords:
        return np.asarray(array[ROW_NAME].values)
    if row not in array.coords or isinstance(array.get_index(row), pd.MultiIndex):
        return None
    return _names_of_index(array.get_index(row))


def in_order(array: xr.DataArray, name: str) -> xr.DataArray:
    """Return the array with its axes as (time,) sample, neuron."""
    kinds = [_PLACE.get(meaning(str(dim)) or "") for dim in array.dims]
    wanted = {2: [0, 1], 3: [2, 0, 1]}.get(array.ndim)
    if wanted is None or all(UNNAMED.fullmatch(str(dim)) for dim in array.dims):
        return array
    if sorted(kind for kind in kinds if kind is not None) == sorted(wanted):
        return array.transpose(*(array.dims[kinds.index(kind)] for kind in wanted))
    if sorted(kinds, key=str) == [1, 2]:
        # Samples are times.
        return array.transpose(array.dims[kinds.index(2)], array.dims[kinds.index(1)])
    raise ValueError(
        f"expected {name} with dimensions (sample, neuron), (time, condition, neuron) or ([time,] "
        f"trial, condition, neuron), got {array.dims}; rename them with x.rename({{...}})"
    )
