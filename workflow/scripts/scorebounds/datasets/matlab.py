"""MATLAB files, version 5 to 7.3: their variables in one form, read when they are asked for."""

import contextlib
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import h5py
import numpy as np
import scipy.io
import scipy.sparse

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.matlab_hdf5 import (
    NUMBERS,
    OBJECTS,
    TEXT,
    Elements,
    bytes_of,
    fields_of,
    kind_of,
    kind_of_class,
    only_in_matlab,
    read_item,
    shape_of,
)
from scorebounds.datasets.readers.containers import require_bytes
from scorebounds.datasets.self_contained import require_own_data

# The type of an element of version 5 that is compressed.
COMPRESSED = 15
# What readers raise on damaged files.
UNREADABLE = (KeyError, NameError, OSError, RuntimeError, TypeError, ValueError)


class MatlabFile(NamedTuple):
    """Shapes of the variables of a file, by name, and the function that reads one.

    A cell array is read as an array of objects, text as an array of strings, numbers as they are;
    axes are in MATLAB's order whatever the version. A field of a structure is a variable named
    `structure.field`, a cell of an array of cells `cells{1}`. `elements` names, for each field of
    an array of structures, that array, whose elements are the first axis.
    """

    shapes: Mapping[str, tuple[int, ...]]
    read: Callable[[str], np.ndarray]
    kinds: Mapping[str, str]
    elements: Mapping[str, str] = {}


@contextlib.contextmanager
def open_matlab(path: Path) -> Iterator[MatlabFile]:
    """Open a MATLAB file; version 7.3 is HDF5, the others are SciPy's.

    Raises
    ------
    UnusableError
        If it is damaged, takes data from other files, or is no MATLAB file; from the reader, if a
        variable is an object that only MATLAB can read.
    """
    if path.is_file() and h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            require_own_data(file, "")
            yield _version_73(file)
        return
    try:
        listed = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path)}
    except FileNotFoundError:
        raise
    except (*UNREADABLE, IndexError, scipy.io.matlab.MatReadError) as error:
        yield _read_at_once(path, error)
        return
    if any(kind == "struct" for _, kind in listed.values()):
        yield _read_at_once(path, None)
        return
    sizes = _bytes_of_variables(path)
    # A row of text is one value.
    shapes = {name: s[:1] if kind == "char" else s for name, (s, kind) in listed.items()}

    def read_one(name: str) -> np.ndarray:
        parts = _cell_of(name)
        variable = parts[0] if parts else name
        if listed[variable][1] == "cell":
            known = dict(zip(listed, sizes, strict=False)) if len(sizes) == len(listed) else {}
            require_bytes(repr(name), known.get(variable, sum(sizes)))
        values = _from_version_5(path, variable)
        return _whole(values) if parts is None else _picked(name, values, parts[1])

    kinds = {name: kind_of_class(kind) for name, (_, kind) in listed.items()}
    yield MatlabFile(_WithCells(shapes), read_one, kinds)


def _version_73(file: h5py.File) -> MatlabFile:
    # "#refs#" holds what cells and structures point at.
    items = dict(fields_of(file, ""))
    shapes = {name: shape_of(item) for name, item in items.items()}
    kinds = {name: kind_of(item) for name, item in items.items()}

    def read(name: str) -> np.ndarray:
        parts = _cell_of(name)
        item = items[parts[0] if parts else name]
        require_bytes(repr(name), bytes_of(item))
        values = read_item(file, item)
        return _whole(values) if parts is None else _picked(name, values, parts[1])

    of_arrays = {
        name: name.rpartition(".")[0] for name, item in items.items() if isinstance(item, Elements)
    }
    return MatlabFile(_WithCells(shapes), read, kinds, of_arrays)


def _bytes_of_variables(path: Path) -> list[int]:
    """Return the bytes of each variable of a file of version 5, without compression."""
    sizes = []
    with open(path, "rb") as file:
        order = {b"IM": "<", b"MI": ">"}.get(file.read(128)[126:])
        while order and len(tag := file.read(8)) == 8:
            kind, n_bytes = struct.unpack(f"{order}2I", tag)
            end = file.tell() + n_bytes
            if kind == COMPRESSED:
                with contextlib.suppress(zlib.error, struct.error):
                    start = zlib.decompressobj().decompress(file.read(256), 8)
                    _, n_bytes = struct.unpack(f"{order}2I", start)
            sizes.append(n_bytes)
            file.seek(end)
    return sizes


class _WithCells(dict[str, tuple[int, ...]]):
    """Shapes by name, in which a cell that is asked for is there if its array is."""

    def __contains__(self, name: object) -> bool:
        parts = _cell_of(str(name))
        return super().__contains__(parts[0] if parts else name)

    def __missing__(self, name: str) -> tuple[int, ...]:
        # The size of a cell is not known before it is read.
        return ()


def _cell_of(name: str) -> tuple[str, int] | None:
    """Return array and number, from 1, of a cell `cells{number}`."""
    found = re.fullmatch(r"(.+)\{(\d+)\}", name)
    return (found[1], int(found[2])) if found else None


def _picked(name: str, values: np.ndarray, number: int) -> np.ndarray:
    cells = values.ravel(order="F")
    if values.dtype.kind != "O" or not 1 <= number <= cells.size:
        raise UnusableError(f"expected {name!r} to be one of the cells, of which there are "
                            f"{cells.size if values.dtype.kind == 'O' else 0}")  # fmt: skip
    return np.asarray(cells[number - 1])


def _whole(values: Any) -> np.ndarray:
    array = np.asarray(values)
    return stacked(array) if array.dtype.kind == "O" and array.size else array


def _read_at_once(path: Path, cause: Exception | None) -> MatlabFile:
    """Read everything: structures, and files with objects, whose list SciPy cannot make."""
    require_bytes(repr(path.name), sum(_bytes_of_variables(path)))
    try:
        content = scipy.io.loadmat(path)
    except (*UNREADABLE, IndexError, scipy.io.matlab.MatReadError) as error:
        said = " ".join(str(cause or error).split())
        raise UnusableError(f"cannot be read as MATLAB file: {said}") from error
    arrays: dict[str, Any] = {}
    of_arrays: dict[str, str] = {}
    for name, values in content.items():
        if name.startswith("__") and name.endswith("__"):
            continue
        if isinstance(values, scipy.io.matlab.MatlabOpaque):
            arrays.update(_opaque_names(values))
        else:
            arrays.update(_unpacked(name, values, of_arrays))
    shapes = {name: getattr(values, "shape", ()) for name, values in arrays.items()}
    kinds = {name: _kind_of_values(values) for name, values in arrays.items()}

    def read(name: str) -> np.ndarray:
        parts = _cell_of(name)
        values = arrays[parts[0] if parts else name]
        if values is None:
            raise only_in_matlab(name)
        dense = cast("Any", values).toarray() if scipy.sparse.issparse(values) else values
        return _whole(dense) if parts is None else _picked(name, np.asarray(dense), parts[1])

    return MatlabFile(_WithCells(shapes), read, kinds, of_arrays)


def _opaque_names(values: Any) -> dict[str, None]:
    """Return the names of objects, of which nothing else can be read."""
    names = [field.decode() if isinstance(field, bytes) else str(field) for field in values["s0"]]
    return dict.fromkeys(name for name in names if name.isidentifier())


def _unpacked(
    name: str, values: Any, of_arrays: dict[str, str], array: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a structure, and what is none as it is.

    Fields of an array of structures are added to `of_arrays`.
    """
    if isinstance(values, np.ndarray) and values.dtype.names and values.size == 1:
        for field in values.dtype.names:
            yield from _unpacked(f"{name}.{field}", values.ravel()[0][field], of_arrays, array)
    elif isinstance(values, np.ndarray) and values.dtype.names:
        # An array of structures, a trial each.
        for field in values.dtype.names:
            cells = np.empty(values.size, dtype=object)
            cells[:] = [element[field] for element in values.ravel(order="F")]
            path = f"{name}.{field}"
            inner = [np.ravel(cell) for cell in cells]
            types = {cell.dtype if cell.size == 1 else None for cell in inner}
            if len(types) == 1 and getattr(next(iter(types)), "names", None):
                within = np.concatenate(inner)
                yield from _unpacked(path, within, of_arrays, array or name)
            else:
                of_arrays[path] = array or name
                yield path, stacked(cells)
    else:
        yield name, values


def stacked(values: np.ndarray) -> np.ndarray:
    """Stack cells of equal shape along the first axis; others stay an array of objects."""
    cells = [np.asarray(cell) for cell in values.ravel(order="F")]
    alike = {(cell.shape, cell.dtype.kind in "fiub", cell.dtype.kind in "US") for cell in cells}
    if len(alike) != 1 or not any(next(iter(alike))[1:]) or not cells[0].size:
        return values
    one = tuple(size for size in cells[0].shape if size != 1)
    return np.stack([cell.reshape(one) for cell in cells])


def _kind_of_values(values: Any) -> str:
    if scipy.sparse.issparse(values):
        return NUMBERS
    kind = values.dtype.kind if isinstance(values, np.ndarray) else "O"
    return NUMBERS if kind in "fiub" else TEXT if kind == "U" else OBJECTS


def _from_version_5(path: Path, name: str) -> np.ndarray:
    values = scipy.io.loadmat(path, variable_names=[name])[name]
    dense = cast("Any", values).toarray() if scipy.sparse.issparse(values) else values
    return np.asarray(dense)
