"""Arrays as NumPy stores them: .npy and .npz."""

import contextlib
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import DEFAULT_ARRAY, NUMBERS, OBJECTS, TEXT, Container
from scorebounds.datasets.readers.entry import Entry


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
    shapes, kinds, notes = {}, {}, []
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                notes.append(f"left out {member.filename!r}, which is no array")
                continue
            name = member.filename.removesuffix(".npy")
            if name in shapes:
                raise UnusableError(f"expected different names, got two arrays named {name!r}")
            with archive.open(member) as stored:
                shapes[name], kinds[name] = _declared(stored, member.file_size, name)

        def read(name: str) -> np.ndarray:
            _require_no_objects(name, kinds[name])
            with archive.open(f"{name}.npy") as stored:
                return npy_format.read_array(stored, allow_pickle=False)

        yield Container(shapes, read, kinds=kinds, notes=tuple(notes))


@contextlib.contextmanager
def _open_npy(path: Path) -> Iterator[Container]:
    with open(path, "rb") as file:
        shape, kind = _declared(file, path.stat().st_size, DEFAULT_ARRAY)

    def read(_: str) -> np.ndarray:
        _require_no_objects(DEFAULT_ARRAY, kind)
        with open(path, "rb") as file:
            return npy_format.read_array(file, allow_pickle=False)

    yield Container({DEFAULT_ARRAY: shape}, read)


def _require_no_objects(name: str, kind: str) -> None:
    if kind == OBJECTS:
        raise UnusableError(
            f"{name!r} holds Python objects; save numbers or text, as with .astype(str)"
        )


def _declared(stored: IO[bytes], size: int, name: str) -> tuple[tuple[int, ...], str]:
    """Read shape and kind in the header of an `.npy`, which must be the size that there is."""
    version = npy_format.read_magic(stored)
    read_header = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise UnusableError(f"{name!r} is in version {version} of the format; save it again")
    shape, _, dtype = read_header(stored)
    if dtype.hasobject:
        return shape, OBJECTS
    declared, held = math.prod(shape) * dtype.itemsize, size - stored.tell()
    if declared != held:
        raise UnusableError(
            f"{name!r} declares shape {shape}, {declared} bytes, and holds {held}; save it again"
        )
    return shape, TEXT if dtype.kind in "US" else NUMBERS
