"""MATLAB files as containers; structures by path."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from scorebounds.datasets.matlab import open_matlab
from scorebounds.datasets.readers.axes import meaning
from scorebounds.datasets.readers.containers import Container
from scorebounds.datasets.readers.entry import Entry


@contextlib.contextmanager
def open_file(path: Path, _: Entry) -> Iterator[Container]:
    """Open a MATLAB file of any version; a field of a structure is named `structure.field`."""
    with open_matlab(path) as file:
        # If an array of structures is called `units`, its elements are no samples.
        dims = {
            name: (array, *[""] * (len(file.shapes[name]) - 1))
            for name, array in file.elements.items()
            if meaning(array.rpartition(".")[2]) == "neuron"
        }
        yield Container(file.shapes, file.read, dims, file.kinds)
