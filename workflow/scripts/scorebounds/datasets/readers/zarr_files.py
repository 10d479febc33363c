"""Zarr stores, version 2 and 3, in a folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import (
    DEFAULT_ARRAY,
    NUMBERS,
    OBJECTS,
    TEXT,
    Container,
    as_text,
    bytes_of,
    missing_package,
)
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.zarr_chunks import files_of_store, missing_chunks


@contextlib.contextmanager
def open_file(path: Path, _: Entry) -> Iterator[Container]:
    """Open a Zarr store; an array in a group is named `group/name`."""
    try:
        import zarr
    except ImportError as error:
        raise missing_package("zarr", path) from error
    files = files_of_store(path) if path.is_dir() else []
    noticed: list[str] = []
    try:
        store: Any = zarr.open(str(path), mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise UnusableError(f"cannot be read as Zarr store: {error}") from error
    arrays = {DEFAULT_ARRAY: store} if hasattr(store, "shape") else dict(_arrays(store, ""))
    kinds = {"f": NUMBERS, "i": NUMBERS, "u": NUMBERS, "b": NUMBERS, "U": TEXT, "T": TEXT}

    def read(name: str) -> np.ndarray:
        _require_no_program(name, arrays[name].metadata)
        values = np.asarray(arrays[name][...])
        missing = missing_chunks(name, arrays[name], files)
        if missing is not None and missing not in noticed:
            noticed.append(missing)
        return as_text(name, values) if values.dtype.kind in "TO" else values

    yield Container(
        {name: tuple(array.shape) for name, array in arrays.items()},
        read,
        {name: dims for name, array in arrays.items() if (dims := _dims(array))},
        {name: kinds.get(np.dtype(a.dtype).kind, OBJECTS) for name, a in arrays.items()},
        item_bytes={name: bytes_of(np.dtype(array.dtype)) for name, array in arrays.items()},
        noticed=noticed,
    )


def _arrays(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, item in group.members():
        if hasattr(item, "shape"):
            yield prefix + name, item
        else:
            yield from _arrays(item, f"{prefix}{name}/")


def _dims(array: Any) -> tuple[str, ...]:
    """Return the names of the axes, as xarray writes them in either version."""
    named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    return tuple(str(name) for name in named) if named else ()


def _require_no_program(name: str, metadata: Any) -> None:
    """Refuse an array whose chunks are pickles, which older versions of numcodecs open."""
    codecs = (*(getattr(metadata, "filters", None) or ()), getattr(metadata, "compressor", None))
    if any(getattr(codec, "codec_id", "") == "pickle" for codec in codecs):
        raise UnusableError(
            f"{name!r} is stored as a pickle, which can run any program when it is opened, and is "
            "not read; save it as numbers or text"
        )
