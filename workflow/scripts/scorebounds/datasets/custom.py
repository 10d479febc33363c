"""A user's own recording, in whichever of the common formats it comes."""

import logging
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
import xarray as xr

from scorebounds.storage import SAMPLE_DIMS, recording

logger = logging.getLogger(__name__)

ARRAY = "activity"
AXES = ("sample", "time", "condition", "neuron")
# What the readers raise on damaged files and on formats that they do not know.
_UNREADABLE = (
    KeyError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    scipy.io.matlab.MatReadError,
    zipfile.BadZipFile,
)


def load(path: Path) -> xr.DataArray:
    """Read a recording whose format its file name tells.

    `.npz`, `.mat` (MATLAB 5 to 7.2) and `.nc` hold an array `activity`, (sample, neuron) or
    (time, condition, neuron); every other array with one value per sample, or per condition, is
    a label. `.npy` is the array alone. `.csv` has a header and a sample per row; columns of
    numbers are neurons and columns of text are labels.

    Raises
    ------
    ValueError
        If the file cannot be read, or holds no usable activity.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ValueError(
            f"{path}: expected a file that ends in one of {', '.join(_READERS)}, "
            f"got {path.suffix or 'no ending'!r}"
        )
    try:
        activity, others = read(path)
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file") from error
    except _UNREADABLE as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error
    if activity.ndim not in (2, 3) or activity.dtype.kind not in "fiub":
        raise ValueError(
            f"{path}: expected {ARRAY!r} to hold numbers, (sample, neuron) or "
            f"(time, condition, neuron), got {activity.dtype} of shape {activity.shape}"
        )
    array = recording(activity, _labels(path, others, activity.shape[-2]))
    logger.info(
        "%s: read as %s; labels: %s",
        path,
        ", ".join(f"{size} {dim}s" for dim, size in array.sizes.items()),
        array.attrs["variables"] or "none",
    )
    return array


def _labels(path: Path, arrays: Mapping[str, np.ndarray], n: int) -> dict[str, np.ndarray]:
    """Pick the arrays with one value per sample or condition, and name them as identifiers."""
    labels = {}
    for name, values in arrays.items():
        flat = np.squeeze(np.asarray(values))
        if name in AXES:
            logger.warning("%s: %r is no label: it has the name of an axis", path, name)
        elif flat.shape != (n,):
            logger.warning(
                "%s: %r of shape %s is no label: it has not one value for each of the %d rows",
                *(path, name, np.shape(values), n),
            )
        else:
            labels[re.sub(r"[^\w.-]+", "_", name)] = _plain(path, name, flat)
    return labels


def _plain(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Return numbers or text; MATLAB hands over a cell of text as an array in each element."""
    if values.dtype.kind != "O":
        return values
    cells = [np.ravel(cell) for cell in values]
    if not all(cell.size == 1 and cell.dtype.kind in "USfiub" for cell in cells):
        raise ValueError(f"{path}: expected label {name!r} to hold numbers or text, got objects")
    return np.array([str(cell[0]) for cell in cells])


def _read_npz(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
        return _split(dict(stored))


def _read_npy(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    with open(path, "rb") as file:
        return np.load(file, allow_pickle=False), {}


def _read_mat(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    stored = scipy.io.loadmat(path)
    return _split({name: values for name, values in stored.items() if not name.startswith("__")})


def _read_nc(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    with xr.open_dataset(path, engine="h5netcdf") as stored:
        arrays = {str(name): values.values for name, values in stored.variables.items()}
        if ARRAY in stored:
            # Axes that have their names may come in any order.
            for names in SAMPLE_DIMS.values():
                if set(stored[ARRAY].dims) == set(names):
                    arrays[ARRAY] = stored[ARRAY].transpose(*names).values
        return _split(arrays)


def _read_csv(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    table = pd.read_csv(path)
    if pd.to_numeric(table.columns.to_series(), errors="coerce").notna().all():
        raise ValueError("expected a header with the names of the columns, got numbers")
    unnamed = [column for column in table.columns if column.startswith("Unnamed: ")]
    if unnamed:
        raise ValueError("expected a name for every column; is one the row number?")
    numbers = table.select_dtypes("number")
    labels = table.drop(columns=numbers.columns)
    for name, values in labels.items():
        odd = values[pd.to_numeric(values, errors="coerce").isna()]
        if len(odd) <= len(values) / 2:
            where = f"in sample {odd.index[0]}, counted from 0"
            raise ValueError(f"expected numbers in column {name!r}, got {odd.iloc[0]!r} {where}")
    return numbers.to_numpy(), {str(name): labels[name].to_numpy(str) for name in labels}


def _split(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    if ARRAY not in arrays:
        raise ValueError(f"expected an array named {ARRAY!r}, got {sorted(arrays) or 'none'}")
    return arrays.pop(ARRAY), arrays


_READERS: dict[str, Callable[[Path], tuple[np.ndarray, dict[str, np.ndarray]]]] = {
    ".npz": _read_npz,
    ".npy": _read_npy,
    ".csv": _read_csv,
    ".mat": _read_mat,
    ".nc": _read_nc,
}
