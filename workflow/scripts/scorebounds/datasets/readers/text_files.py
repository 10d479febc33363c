"""Tables of which every column is an array: text, .parquet and .feather."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scorebounds.datasets.readers.containers import NUMBERS, TEXT, Container, as_text
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.tables import read_table


@contextlib.contextmanager
def open_file(path: Path, entry: Entry) -> Iterator[Container]:
    """Read a table; its columns are the arrays."""
    table = read_table(path, decimal=entry.decimal, names=entry.columns_of_names())
    shapes = {name: values.shape for name, values in table.columns.items()}
    kinds = {name: TEXT if v.dtype == object else NUMBERS for name, v in table.columns.items()}

    def read(name: str) -> np.ndarray:
        values = table.columns[name]
        return as_text(name, values) if kinds[name] == TEXT else values

    yield Container(shapes, read, kinds=kinds, is_table=True, notes=table.notes)
