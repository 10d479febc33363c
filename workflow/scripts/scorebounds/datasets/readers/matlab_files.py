"""MATLAB files as containers; structures by path."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from scorebounds.datasets.matlab import open_matlab
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.hdf5_files import require_self_contained


@contextlib.contextmanager
def open_file(path: Path, _: Entry) -> Iterator[Container]:
    """Open a MATLAB file of any version; a field of a structure is named `structure.field`."""
    require_self_contained(path)
    with open_matlab(path) as file:
        yield Container(file.shapes, file.read, kinds=file.kinds)
