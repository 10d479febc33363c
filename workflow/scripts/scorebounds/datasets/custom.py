"""A user's own recording, in whichever of the common formats it comes."""

import logging
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
import xarray as xr

from scorebounds.storage import recording

logger = logging.getLogger(__name__)

ARRAY = "activity"
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
    return recording(activity, _labels(path, others, activity.shape[-2]))


def _labels(path: Path, arrays: Mapping[str, np.ndarray], n: int) -> dict[str, np.ndarray]:
    """Pick the arrays with one value per sample or condition."""
    labels = {}
    for name, values in arrays.items():
        flat = np.squeeze(np.asarray(values))
        if flat.shape == (n,) and name not in ("sample", "time", "condition", "neuron"):
            labels[name] = flat
        else:
            logger.warning(
                "%s: %r of shape %s is no label: it has not one value for each of the %d rows",
                *(path, name, np.shape(values), n),
            )
    return labels


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
        return _split({str(name): values.values for name, values in stored.variables.items()})


def _read_csv(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    table = pd.read_csv(path)
    numbers = table.select_dtypes("number")
    labels = table.drop(columns=numbers.columns)
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
