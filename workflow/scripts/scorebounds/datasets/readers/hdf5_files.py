"""HDF5: data sets by their path, axes by their labels or scales."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import (
    NUMBERS,
    OBJECTS,
    TEXT,
    Container,
    as_text,
    bytes_of,
)
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.self_contained import require_self_contained


@contextlib.contextmanager
def open_file(path: Path, _: Entry) -> Iterator[Container]:
    """Open an HDF5 file; a data set in a group is named `group/name`."""
    require_self_contained(path)
    with h5py.File(path, "r") as file:
        items = datasets_of(file)
        dims = {name: axis_names(item) for name, item in items.items()}
        yield Container(
            {name: item.shape or () for name, item in items.items()},
            lambda name: read_dataset(items[name]),
            {name: names for name, names in dims.items() if any(names)},
            {name: kind_of(item) for name, item in items.items()},
            item_bytes={name: bytes_of(item.dtype) for name, item in items.items()},
        )


def datasets_of(file: h5py.File) -> dict[str, h5py.Dataset]:
    """List the data sets of a file by path, but scales without values of their own."""
    found: dict[str, h5py.Dataset] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not _is_empty_scale(item):
            found[name] = item

    file.visititems(visit)
    return found


def _is_empty_scale(item: h5py.Dataset) -> bool:
    name = item.attrs.get("NAME", b"")
    return isinstance(name, bytes) and name.startswith(b"This is a netCDF dimension but not")


def axis_names(item: h5py.Dataset) -> tuple[str, ...]:
    """Return the names of the axes, empty where there is none."""
    names = []
    for dim in item.dims:
        scales = [scale.name.rpartition("/")[2] for scale in dim.values()] if len(dim) else []
        names.append(dim.label or (scales[0] if scales else ""))
    return tuple(names)


def kind_of(item: h5py.Dataset) -> str:
    """Say what a data set holds."""
    if h5py.check_string_dtype(item.dtype) is not None:
        return TEXT
    return NUMBERS if item.dtype.kind in "fiub" else OBJECTS


def read_dataset(item: h5py.Dataset) -> np.ndarray:
    """Read numbers or text; raise UnusableError for anything else."""
    kind = kind_of(item)
    if kind == TEXT:
        cells = np.asarray(item.asstr(errors="replace")[()], dtype=object)
        return as_text(item.name[1:], cells)
    if kind == OBJECTS:
        raise UnusableError(f"{item.name[1:]!r} holds {item.dtype}; save numbers or text")
    return np.asarray(item[()])
