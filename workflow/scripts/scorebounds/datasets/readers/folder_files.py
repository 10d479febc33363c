"""A folder with a file per unit, as MATLAB users keep them: the files are the neurons."""

import contextlib
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import Container, require_content, require_memory
from scorebounds.datasets.readers.entry import Entry

Opener = Callable[[Path, Entry], AbstractContextManager[Container]]


@contextlib.contextmanager
def open_folder(path: Path, entry: Entry, openers: dict[str, Opener]) -> Iterator[Container]:
    """Open all files of a folder; the arrays of activity are stacked along a last axis.

    Raises
    ------
    UnusableError
        If the files are of several formats, or not alike, or the content of one is not there.
    """
    # A link whose target is not there is a unit too, and is refused below.
    files = sorted(
        (file for file in path.iterdir() if not file.is_dir() and file.name[0] != "."),
        key=_in_order,
    )
    kinds = {file.suffix.lower() for file in files}
    if len(kinds) != 1 or not kinds <= {".mat", ".npz", ".npy", ".h5", ".hdf5"}:
        raise UnusableError(
            "expected a folder with one file per unit, all .mat, .npz, .npy or .h5, got "
            f"{', '.join(sorted(kinds)) or 'no files'}"
        )
    (kind,) = kinds
    with ExitStack() as stack:
        units = []
        for file in files:
            with _named(file):
                require_content(file)
                units.append(stack.enter_context(openers[kind](file, entry)))
        name = _activity_name(units[0], entry)
        one = units[0].shapes[name]
        plain = tuple(size for size in one if size != 1) or (1,)
        stacked = (*plain, len(units))
        require_memory(name, stacked)

        def read(wanted: str) -> np.ndarray:
            parts = [
                _same_shape(unit, wanted, one, f, name)
                for unit, f in zip(units, files, strict=True)
            ]
            if wanted == name:
                return np.stack([np.reshape(part, plain) for part in parts], axis=-1)
            for part, file in zip(parts, files, strict=True):
                if not np.array_equal(part, parts[0]):
                    raise UnusableError(
                        f"expected {wanted!r} to be the same for all units, got others in "
                        f"{file.name}"
                    )
            return parts[0]

        yield Container(
            {**units[0].shapes, name: stacked},
            read,
            kinds=units[0].kinds,
            notes=(f"stacked {len(units)} files as neurons, {files[0].name} to {files[-1].name}",),
        )


@contextlib.contextmanager
def _named(file: Path) -> Iterator[None]:
    try:
        yield
    except UnusableError as error:
        raise UnusableError(f"{file.name}: {error}") from error


def _activity_name(unit: Container, entry: Entry) -> str:
    """Return the array of a unit, which may have a single axis."""
    if entry.array is None and len(unit.shapes) == 1:
        return next(iter(unit.shapes))
    name = unit.choose_activity(entry.array)
    if name not in unit.shapes:
        raise UnusableError(f"expected an array named {name!r} in each file, got {unit.listed()}")
    return name


def _same_shape(
    unit: Container, wanted: str, shape: tuple[int, ...], file: Path, activity: str
) -> np.ndarray:
    with _named(file):
        values = unit.read(wanted)
    if wanted == activity and values.shape != shape:
        raise UnusableError(
            f"expected {wanted!r} of the same shape in all files, {shape}, got {values.shape} in "
            f"{file.name}; keep the trials or conditions that all units have"
        )
    return values


def _in_order(file: Path) -> list[tuple[int, str]]:
    """Sort `unit2` before `unit10`."""
    parts = re.split(r"(\d+)", file.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
