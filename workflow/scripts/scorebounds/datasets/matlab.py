"""MATLAB files, version 5 to 7.3: their variables in one form, read when they are asked for."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import h5py
import numpy as np
import scipy.io
import scipy.sparse

# What readers raise on damaged files.
UNREADABLE = (KeyError, NotImplementedError, OSError, TypeError, ValueError)


class UnusableError(ValueError):
    """What is wrong with the content of a file, in a sentence without its name."""


class MatlabFile(NamedTuple):
    """Shapes of the variables of a file, by name, and the function that reads one.

    A cell array is read as an array of objects, text as an array of strings, numbers as they are;
    axes are in MATLAB's order whatever the version.
    """

    shapes: dict[str, tuple[int, ...]]
    read: Callable[[str], np.ndarray]


@contextlib.contextmanager
def open_matlab(path: Path) -> Iterator[MatlabFile]:
    """Open a MATLAB file; version 7.3 is HDF5, the others are SciPy's.

    Raises
    ------
    UnusableError
        If it is damaged, or no MATLAB file; from the reader, if a variable is a structure.
    """
    if path.is_file() and h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            # "#refs#" holds what cells and structures point at.
            shapes = {name: _shape(item) for name, item in file.items() if name[0] != "#"}
            yield MatlabFile(shapes, lambda name: _from_hdf5(file, file[name]))
        return
    try:
        # A row of text is one value.
        shapes = {
            name: shape[:1] if kind == "char" else shape
            for name, shape, kind in scipy.io.whosmat(path)
        }
    except FileNotFoundError:
        raise
    except (*UNREADABLE, scipy.io.matlab.MatReadError) as error:
        raise UnusableError(f"cannot be read as MATLAB file: {error}") from error
    yield MatlabFile(shapes, lambda name: _from_version_5(path, name))


def _shape(item: Any) -> tuple[int, ...]:
    if not isinstance(item, h5py.Dataset):
        return ()
    shape = tuple(item.shape[::-1])
    return shape[:1] if _matlab_class(item) == "char" else shape


def _matlab_class(item: h5py.Dataset) -> str:
    kind = item.attrs.get("MATLAB_class", "")
    return kind.decode() if isinstance(kind, bytes) else kind


def _from_version_5(path: Path, name: str) -> np.ndarray:
    values = scipy.io.loadmat(path, variable_names=[name])[name]
    dense = cast("Any", values).toarray() if scipy.sparse.issparse(values) else values
    return np.asarray(dense)


def _from_hdf5(file: h5py.File, item: Any) -> Any:
    if not isinstance(item, h5py.Dataset):
        raise UnusableError(f"{item.name[1:]!r} is a structure or sparse; save a plain array")
    kind = _matlab_class(item)
    if item.attrs.get("MATLAB_empty", 0):
        # The values of an empty array are its shape.
        return np.empty(tuple(int(size) for size in item[()]))
    values = item[()]
    if kind == "cell" or values.dtype == h5py.ref_dtype:
        cells = np.empty(values.shape, dtype=object)
        for place, reference in np.ndenumerate(values):
            cells[place] = _from_hdf5(file, file[reference])
        return cells.T
    if kind == "char":
        return np.array(["".join(map(chr, row)) for row in values.T])
    if values.dtype.names == ("real", "imag"):
        return (values["real"] + 1j * values["imag"]).T
    return values.T
