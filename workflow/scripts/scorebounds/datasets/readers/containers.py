"""Files of named arrays, in the formats that users have: shapes first, values when asked for."""

import contextlib
import csv
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import psutil
import xarray as xr
from numpy.lib import format as npy_format

from scorebounds.datasets.matlab import UnusableError, open_matlab

DEFAULT_ARRAY = "activity"
# Copies of an array in double precision while it is brought into form and checked.
COPIES = 3
BYTES = np.dtype(np.float64).itemsize


@dataclass(frozen=True)
class Container:
    """The arrays of one file.

    Attributes
    ----------
    shapes : mapping of str to tuple of int
    reader : function of a name
    dims : mapping of str to tuple of str
        Names of the axes, of those formats that have them.
    """

    shapes: Mapping[str, tuple[int, ...]]
    reader: Callable[[str], np.ndarray]
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, name: str) -> np.ndarray:
        """Read an array that is there and fits into memory.

        Raises
        ------
        UnusableError
            Otherwise.
        """
        if name not in self.shapes:
            there = ", ".join(map(repr, sorted(self.shapes))) or "none"
            raise UnusableError(f"expected an array named {name!r}, got {there}")
        needed = COPIES * BYTES * math.prod(self.shapes[name])
        free = psutil.virtual_memory().available
        if needed > free:
            raise UnusableError(
                f"{name!r} of shape {self.shapes[name]} needs {needed / 1e9:.1f} GB of memory and "
                f"{free / 1e9:.1f} GB are free; take fewer samples or neurons"
            )
        return np.asarray(self.reader(name))


@contextlib.contextmanager
def open_container(path: Path) -> Iterator[Container]:
    """Open a file of arrays, whose format its name tells.

    Raises
    ------
    UnusableError
        If the format is not known, or the file is not what its name says.
    """
    opener = OPENERS.get(path.suffix.lower())
    if opener is None:
        raise UnusableError(
            f"expected a file that ends in one of {', '.join(OPENERS)}, "
            f"got {path.suffix or 'no ending'!r}"
        )
    with opener(path) as container:
        yield container


@contextlib.contextmanager
def _open_npz(path: Path) -> Iterator[Container]:
    shapes = {}
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in shapes:
                raise UnusableError(f"expected different names, got two arrays named {name!r}")
            with archive.open(member) as stored:
                shapes[name] = _declared_shape(stored, member.file_size, name)

        def read(name: str) -> np.ndarray:
            with archive.open(f"{name}.npy") as stored:
                return npy_format.read_array(stored, allow_pickle=False)

        yield Container(shapes, read)


@contextlib.contextmanager
def _open_npy(path: Path) -> Iterator[Container]:
    with open(path, "rb") as file:
        shape = _declared_shape(file, path.stat().st_size, DEFAULT_ARRAY)

    def read(_: str) -> np.ndarray:
        with open(path, "rb") as file:
            return npy_format.read_array(file, allow_pickle=False)

    yield Container({DEFAULT_ARRAY: shape}, read)


def _declared_shape(stored: IO[bytes], size: int, name: str) -> tuple[int, ...]:
    """Read the shape in the header of an `.npy`, which must be the size that there is."""
    version = npy_format.read_magic(stored)
    read_header = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise UnusableError(f"{name!r} is in version {version} of the format; save it anew")
    shape, _, dtype = read_header(stored)
    if dtype.hasobject:
        raise UnusableError(f"{name!r} holds Python objects; save numbers or text")
    declared, held = math.prod(shape) * dtype.itemsize, size - stored.tell()
    if declared != held:
        raise UnusableError(
            f"{name!r} declares shape {shape}, {declared} bytes, and holds {held}; save it anew"
        )
    return shape


@contextlib.contextmanager
def _open_mat(path: Path) -> Iterator[Container]:
    with open_matlab(path) as file:
        yield Container(file.shapes, file.read)


@contextlib.contextmanager
def _open_nc(path: Path) -> Iterator[Container]:
    with open(path, "rb") as file:
        classic = file.read(3) == b"CDF"
    # Axes without a name get one, in the order of the file.
    options: dict[str, Any] = {} if classic else {"phony_dims": "access"}
    engine: Any = "scipy" if classic else "h5netcdf"
    with xr.open_dataset(path, engine=engine, decode_times=False, **options) as stored:
        variables = {str(name): values for name, values in stored.variables.items()}
        yield Container(
            {name: values.shape for name, values in variables.items()},
            lambda name: variables[name].values,
            {name: tuple(map(str, values.dims)) for name, values in variables.items()},
        )


@contextlib.contextmanager
def _open_csv(path: Path) -> Iterator[Container]:
    table = read_csv(path)
    shapes = {str(name): (len(table),) for name in table}
    yield Container(shapes, lambda name: column(table, name))


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table that has a name for each column, and each once.

    Raises
    ------
    UnusableError
        Otherwise.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    if not header:
        raise UnusableError("expected a header with the names of the columns, got an empty file")
    if all(_is_number(name) for name in header):
        raise UnusableError("expected a header with the names of the columns, got numbers")
    if not all(header):
        raise UnusableError("expected a name for every column; is one the row number?")
    if len(set(header)) < len(header):
        twice = next(name for place, name in enumerate(header) if name in header[:place])
        raise UnusableError(f"expected different names, got two columns named {twice!r}")
    return pd.read_csv(path, low_memory=False, encoding="utf-8-sig")


def column(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of numbers, or of text, which is empty where it is missing.

    Raises
    ------
    UnusableError
        If it is of numbers but for some words.
    """
    values = table[name]
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy()
    odd = values[pd.to_numeric(values, errors="coerce").isna() & values.notna()]
    if len(odd) <= len(values) / 2:
        where = f"in sample {odd.index[0]}, counted from 0"
        raise UnusableError(f"expected numbers in column {name!r}, got {odd.iloc[0]!r} {where}")
    return values.fillna("").to_numpy(str)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


OPENERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Container]]] = {
    ".npz": _open_npz,
    ".npy": _open_npy,
    ".csv": _open_csv,
    ".mat": _open_mat,
    ".nc": _open_nc,
}
