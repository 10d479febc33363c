"""MATLAB 7.3 files, which are HDF5: their items as variables."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.sparse

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.self_contained import follow

# Of an array of NumPy, however small.
LEAST_BYTES = 128
NUMBERS, TEXT, OBJECTS = "numbers", "text", "objects"
_NUMERIC = re.compile(r"u?int\d+|double|single|logical|sparse")


def kind_of_class(matlab_class: str) -> str:
    """Say what a variable of a class holds."""
    if matlab_class == "char":
        return TEXT
    return NUMBERS if _NUMERIC.fullmatch(matlab_class or "double") else OBJECTS


def only_in_matlab(name: str) -> UnusableError:
    """Return the error for an object of MATLAB."""
    return UnusableError(
        f"{name!r} is a string, table, categorical or other object, which only MATLAB can read; "
        "save numbers, or text with cellstr(…)"
    )


class Elements(list[Any]):
    """A field of an array of structures: an item for each of them."""

    def summary(self) -> tuple[tuple[int, ...], str]:
        """Return shape and kind of the array that the items make."""
        alike = {(shape_of(item), kind_of(item)) for item in self}
        shape, kind = next(iter(alike))
        if len(alike) > 1 or kind == OBJECTS or (kind == TEXT and shape != (1,)):
            return (len(self),), TEXT if {kind for _, kind in alike} == {TEXT} else OBJECTS
        plain = tuple(size for size in shape if size != 1 and kind != TEXT)
        return (len(self), *plain), kind


def fields_of(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the variables of a file, and the fields of its structures by path."""
    for name, item in group.items():
        if name[0] != "#":
            yield from _parts(prefix + name, item)


def _parts(name: str, item: Any) -> Iterator[tuple[str, Any]]:
    is_group = isinstance(item, h5py.Group) and "MATLAB_sparse" not in item.attrs
    if is_group and len(item):
        yield from fields_of(item, f"{name}.")
    elif getattr(item, "dtype", None) == h5py.ref_dtype and not _matlab_class(item):
        # Cells have a class; these are the elements of an array of structures.
        references = item[()].T.ravel(order="F")
        elements = Elements(follow(item.file, reference) for reference in references)
        if elements and all(isinstance(one, h5py.Group) and len(one) for one in elements):
            for field in elements[0]:
                if all(field in one for one in elements):
                    yield f"{name}.{field}", Elements(one[field] for one in elements)
        else:
            yield name, elements
    else:
        yield name, item


def kind_of(item: Any) -> str:
    """Say what an item holds: numbers, text or objects."""
    if isinstance(item, Elements):
        return item.summary()[1]
    return kind_of_class(_matlab_class(item))


def shape_of(item: Any) -> tuple[int, ...]:
    """Return the shape of an item in MATLAB's order; a row of text is one value."""
    if isinstance(item, Elements):
        return item.summary()[0]
    if isinstance(item, h5py.Group) and "MATLAB_sparse" in item.attrs:
        n_columns = len(item["jc"]) - 1 if "jc" in item else 0
        return int(item.attrs["MATLAB_sparse"]), n_columns
    if not isinstance(item, h5py.Dataset):
        return ()
    shape = tuple(item.shape[::-1])
    return shape[:1] if _matlab_class(item) == "char" else shape


def is_by_matlab(path: Path) -> bool:
    """Say whether an HDF5 file was written by MATLAB, which stores axes in reverse."""
    with h5py.File(path, "r") as file:
        links = {name: file.get(name, getlink=True) for name in file}
        own = [name for name, link in links.items() if isinstance(link, h5py.HardLink)]
        return any("MATLAB_class" in file[name].attrs for name in own)


def _matlab_class(item: Any) -> str:
    kind = item.attrs.get("MATLAB_class", "")
    return str(kind.decode() if isinstance(kind, bytes) else kind)


def bytes_of(item: Any, known: dict[int, int | None] | None = None) -> int:
    """Return the memory that an item takes, with all that its cells hold.

    Cells may hold the same array many times, or themselves.
    """
    known = {} if known is None else known
    if isinstance(item, Elements):
        return sum(bytes_of(one, known) for one in item)
    place = h5py.h5o.get_info(item.id).addr
    if place not in known:
        known[place] = None
        known[place] = LEAST_BYTES + _bytes_of_values(item, known)
    found = known[place]
    if found is None:
        raise UnusableError(f"{item.name!r} is a cell array that holds itself")
    return found


def _bytes_of_values(item: Any, known: dict[int, int | None]) -> int:
    if isinstance(item, h5py.Group) and "MATLAB_sparse" in item.attrs:
        return 8 * math.prod(shape_of(item))
    if isinstance(item, h5py.Group):
        return sum(bytes_of(one, known) for one in item.values())
    if item.attrs.get("MATLAB_empty", 0):
        return 8 * math.prod(map(int, item[()]))
    if item.dtype != h5py.ref_dtype:
        return int(item.size) * int(item.dtype.itemsize)
    return sum(bytes_of(follow(item.file, reference), known) for reference in item[()].flat)


def read_item(file: h5py.File, item: Any) -> Any:
    """Read a variable, with its axes in MATLAB's order; cells become an array of objects."""
    if isinstance(item, Elements):
        cells = np.empty(len(item), dtype=object)
        cells[:] = [read_item(file, one) for one in item]
        return cells
    if isinstance(item, h5py.Group) and "MATLAB_sparse" in item.attrs:
        return _sparse(item)
    if not isinstance(item, h5py.Dataset):
        raise UnusableError(f"{item.name[1:]!r} is a structure without fields; save a plain array")
    kind = _matlab_class(item)
    if item.attrs.get("MATLAB_empty", 0):
        # The values of an empty array are its shape.
        return np.empty(tuple(int(size) for size in item[()]))
    if "MATLAB_object_decode" in item.attrs or kind in ("string", "table", "categorical"):
        raise only_in_matlab(item.name[1:])
    values = item[()]
    if kind == "cell" or values.dtype == h5py.ref_dtype:
        cells = np.empty(values.shape, dtype=object)
        for place, reference in np.ndenumerate(values):
            cells[place] = read_item(file, follow(file, reference))
        return cells.T
    if kind == "char":
        return np.array(["".join(map(chr, row)) for row in values.T])
    if values.dtype.names == ("real", "imag"):
        return (values["real"] + 1j * values["imag"]).T
    return values.T


def _sparse(item: Any) -> np.ndarray:
    n_rows, n_columns = shape_of(item)
    data = item["data"][()] if "data" in item else np.empty(0)
    rows = item["ir"][()] if "ir" in item else np.empty(0, dtype=np.int64)
    matrix = scipy.sparse.csc_array((data, rows, item["jc"][()]), shape=(n_rows, n_columns))
    return np.asarray(matrix.toarray())
