"""Arrays as NumPy stores them: .npy and .npz."""

import contextlib
import math
import tokenize
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import (
    DEFAULT_ARRAY,
    NUMBERS,
    OBJECTS,
    TEXT,
    Container,
    bytes_of,
)
from scorebounds.datasets.readers.entry import Entry

MAX_HEADER_BYTES = 10_000


def open_file(path: Path, _: Entry) -> contextlib.AbstractContextManager[Container]:
    """Open an .npy or .npz file."""
    return _open_npy(path) if path.suffix.lower() == ".npy" else _open_npz(path)


# Files of suite2p by name: traces are (ROI, frame), the others hold no activity.
_TRACES = ("F.npy", "Fneu.npy", "spks.npy", "F_chan2.npy", "Fneu_chan2.npy")
_NO_TRACES = ("iscell.npy", "redcell.npy")


def require_no_suite2p(path: Path) -> None:
    """Refuse files of suite2p, which have an order of axes of their own."""
    if path.name in _NO_TRACES:
        raise UnusableError(
            f"expected activity, got {path.name}, in which suite2p says which ROIs are cells; give "
            "F.npy or spks.npy"
        )
    if path.name in _TRACES:
        raise UnusableError(
            "expected `axes`, because suite2p writes a file of this name as (ROI, frame), got "
            "none; say axes: [neuron, time], or [sample, neuron] if the file is another one"
        )


@contextlib.contextmanager
def _open_npz(path: Path) -> Iterator[Container]:
    shapes, kinds, item_bytes, notes = {}, {}, {}, []
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                notes.append(f"left out {member.filename!r}, which is no array")
                continue
            name = member.filename.removesuffix(".npy")
            if name in shapes:
                raise UnusableError(f"expected different names, got two arrays named {name!r}")
            with archive.open(member) as stored:
                shapes[name], kinds[name], item_bytes[name] = _declared(
                    stored, member.file_size, name
                )

        def read(name: str) -> np.ndarray:
            _require_no_objects(name, kinds[name])
            with archive.open(f"{name}.npy") as stored:
                return npy_format.read_array(stored, allow_pickle=False)

        yield Container(shapes, read, kinds=kinds, notes=tuple(notes), item_bytes=item_bytes)


@contextlib.contextmanager
def _open_npy(path: Path) -> Iterator[Container]:
    with open(path, "rb") as file:
        shape, kind, n_bytes = _declared(file, path.stat().st_size, DEFAULT_ARRAY)

    def read(_: str) -> np.ndarray:
        _require_no_objects(DEFAULT_ARRAY, kind)
        with open(path, "rb") as file:
            return npy_format.read_array(file, allow_pickle=False)

    yield Container({DEFAULT_ARRAY: shape}, read, item_bytes={DEFAULT_ARRAY: n_bytes})


def _require_no_objects(name: str, kind: str) -> None:
    if kind == OBJECTS:
        raise UnusableError(
            f"{name!r} holds Python objects; save numbers or text, as with .astype(str)"
        )


def _declared(stored: IO[bytes], size: int, name: str) -> tuple[tuple[int, ...], str, int]:
    """Read shape, kind and bytes of an item in the header of an `.npy` of a size."""
    version = npy_format.read_magic(stored)
    read_header = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise UnusableError(f"{name!r} is in version {version} of the format; save it again")
    _require_short_header(stored, 2 if version == (1, 0) else 4, name)
    try:
        shape, _, dtype = read_header(stored)
    except (tokenize.TokenError, RecursionError) as error:
        raise UnusableError(f"{name!r} has a header that cannot be read; save it again") from error
    if dtype.hasobject:
        return shape, OBJECTS, bytes_of(dtype)
    declared, held = math.prod(shape) * dtype.itemsize, size - stored.tell()
    if declared != held or min(shape, default=0) < 0:
        raise UnusableError(
            f"{name!r} declares shape {shape}, {declared} bytes, and holds {held}; save it again"
        )
    return shape, TEXT if dtype.kind in "US" else NUMBERS, bytes_of(dtype)


def _require_short_header(stored: IO[bytes], n_bytes: int, name: str) -> None:
    """Refuse a header that NumPy would refuse, but only after it had read all of it."""
    place = stored.tell()
    length = int.from_bytes(stored.read(n_bytes), "little")
    stored.seek(place)
    if length > MAX_HEADER_BYTES:
        raise UnusableError(
            f"{name!r} has a header of {length} bytes, expected at most {MAX_HEADER_BYTES}; save "
            "it again"
        )
