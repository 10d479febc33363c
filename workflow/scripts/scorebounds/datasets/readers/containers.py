"""Files of named arrays, in the formats that users have: shapes first, values when asked for."""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from scorebounds.datasets.errors import UnusableError

DEFAULT_ARRAY = "activity"
# Copies of an array in double precision while it is brought into form and checked.
COPIES = 3
BYTES = np.dtype(np.float64).itemsize
NUMBERS, TEXT, OBJECTS = "numbers", "text", "objects"
N_SHOWN = 12


@dataclass(frozen=True)
class Container:
    """The arrays of one file.

    Attributes
    ----------
    shapes : mapping of str to tuple of int
    reader : function of a name
    dims : mapping of str to tuple of str
        Names of the axes, of those formats that have them.
    kinds : mapping of str to str
        `numbers`, `text` or `objects`, where it is known before reading.
    is_table : bool
        Whether arrays are columns, of which those of numbers may be neurons.
    notes : tuple of str
        What was decided on opening the file.
    activity_name : str or None
        The array of activity, once it is chosen.
    units : mapping of str to str
        Of those arrays whose unit the file tells.
    item_bytes : mapping of str to int
        What an item takes in memory, where that is known: text may take more than a number.
    noticed : list of str
        What is to be warned of in the arrays that have been read so far.
    """

    shapes: Mapping[str, tuple[int, ...]]
    reader: Callable[[str], np.ndarray]
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    is_table: bool = False
    notes: tuple[str, ...] = ()
    activity_name: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    item_bytes: Mapping[str, int] = field(default_factory=dict)
    noticed: list[str] = field(default_factory=list)

    def read(self, name: str) -> np.ndarray:
        """Read an array that is there and fits into memory.

        Raises
        ------
        UnusableError
            Otherwise.
        """
        if name not in self.shapes:
            close = difflib.get_close_matches(name, self.shapes, n=1)
            meant = f" (did you mean {close[0]!r}?)" if close else ""
            raise UnusableError(f"expected an array named {name!r}, got {self.listed()}{meant}")
        require_memory(name, self.shapes[name], self.item_bytes.get(name, BYTES))
        return np.asarray(self.reader(name))

    def listed(self) -> str:
        """List the names of the arrays."""
        names = sorted(self.shapes)
        more = f" and {len(names) - N_SHOWN} more" if names[N_SHOWN:] else ""
        return (", ".join(map(repr, names[:N_SHOWN])) or "none") + more

    def choose_activity(self, wanted: str | None) -> str:
        """Return the name of the array of activity: the one asked for, or the obvious one.

        Raises
        ------
        UnusableError
            If it is not there, or several arrays may be it.
        """
        if wanted is not None:
            # MATLAB's and HDF5's way of writing a path are the same here.
            same = [
                n for n in self.shapes if re.sub(r"[./]", "/", n) == re.sub(r"[./]", "/", wanted)
            ]
            inside = [name for name in self._large() if re.match(re.escape(wanted) + r"[./]", name)]
            found = same if len(same) == 1 else inside
            return wanted if wanted in self.shapes or len(found) != 1 else found[0]
        if DEFAULT_ARRAY in self.shapes:
            return DEFAULT_ARRAY
        large = self._large()
        if len(large) == 1:
            return large[0]
        if not large:
            raise UnusableError(
                f"expected an array named {DEFAULT_ARRAY!r} or one other array of numbers with "
                f"two or more axes, got {self.listed()}"
            )
        raise UnusableError(
            f"expected an array named {DEFAULT_ARRAY!r}, got {self.listed()}; name the array of "
            "activity in `array`"
        )

    def _large(self) -> list[str]:
        """List the arrays of numbers with two or more axes."""
        return [
            name
            for name, shape in self.shapes.items()
            if sum(size > 1 for size in shape) >= 2 and self.kinds.get(name, NUMBERS) == NUMBERS
        ]


def bytes_of(dtype: "np.dtype[Any]") -> int:
    """Return what an item takes once it is read; a character in bytes becomes four."""
    return max(BYTES, dtype.itemsize * (4 if dtype.kind == "S" else 1))


def width_of(cells: np.ndarray) -> int:
    """Return the bytes of a cell of text once all are as wide as the longest."""
    return 4 * max((len(str(cell)) for cell in cells.flat), default=0)


def as_text(name: str, cells: np.ndarray) -> np.ndarray:
    """Return cells, which are objects, as text of the width of the longest.

    Raises
    ------
    UnusableError
        If that would not fit into memory.
    """
    require_memory(name, cells.shape, width_of(cells))
    return cells.astype(str)


def require_memory(name: str, shape: tuple[int, ...], item_bytes: int = BYTES) -> None:
    """Raise UnusableError if an array of such a shape would not fit into memory."""
    require_bytes(f"{name!r} of shape {shape}", item_bytes * math.prod(shape))


def require_bytes(what: str, n_bytes: int, copies: int = COPIES) -> None:
    """Raise UnusableError if so many copies of so many bytes would not fit into memory."""
    needed, free = copies * n_bytes, psutil.virtual_memory().available
    if needed > free:
        raise UnusableError(
            f"{what} needs {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; take "
            "fewer samples or neurons"
        )


def require_content(path: Path) -> None:
    """Raise UnusableError for a file that is empty, or stands for one that is elsewhere."""
    if path.is_symlink() and not path.exists():
        target = str(path.readlink())
        annex = "annex/objects" in target
        raise UnusableError(
            f"it is a link to {target!r}, which is not there"
            + ("; its content is in git-annex: run `git annex get` or `datalad get`" * annex)
        )
    if path.is_dir():
        return
    if path.exists() and not path.is_file():
        # To read a device or a pipe would not end.
        raise UnusableError("expected a file, got a device or a pipe")
    with open(path, "rb") as file:
        start = file.read(512)
    if not start:
        raise UnusableError("the file is empty")
    if b"/annex/objects/" in start and len(start) < 512:
        raise UnusableError(
            "it is a pointer of git-annex and its content is elsewhere: run `git annex get` or "
            "`datalad get`"
        )
    if start.startswith(b"version https://git-lfs"):
        raise UnusableError(
            "it is a pointer of Git LFS and its content is elsewhere: run `git lfs pull`"
        )
    if re.match(rb"\s*(<!doctype html|<html)", start, flags=re.IGNORECASE):
        raise UnusableError("it is a web page, as a failed download leaves; fetch the file again")
    if not start.strip(b"\0"):
        with open(path, "rb") as file:
            if not any(block.strip(b"\0") for block in iter(lambda: file.read(1 << 20), b"")):
                raise UnusableError("the file holds nothing but zeros; fetch it again")


def missing_package(package: str, path: Path) -> UnusableError:
    """Return the error that says how to install what a format needs."""
    return UnusableError(
        f"reading {''.join(path.suffixes[-2:]) or path.name} needs {package}: "
        "pip install 'scorebounds[formats]'"
        f" (or: pip install {package})"
    )
