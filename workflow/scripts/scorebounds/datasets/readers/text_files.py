"""Tables of which every column is an array: text, .parquet and .feather."""

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path

import psutil

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import NUMBERS, TEXT, Container
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.tables import read_table

# A table in memory takes a few times the bytes of its text.
MEMORY_PER_BYTE = 3


@contextlib.contextmanager
def open_file(path: Path, entry: Entry) -> Iterator[Container]:
    """Read a table; its columns are the arrays."""
    _require_memory(path)
    table = read_table(path, decimal=entry.decimal, names=entry.columns_of_names())
    shapes = {name: values.shape for name, values in table.columns.items()}
    kinds = {name: TEXT if v.dtype.kind in "UT" else NUMBERS for name, v in table.columns.items()}
    yield Container(
        shapes, table.columns.__getitem__, kinds=kinds, is_table=True, notes=table.notes
    )


def _require_memory(path: Path) -> None:
    """Refuse a text that does not fit into memory, however well it is compressed."""
    free, size = psutil.virtual_memory().available, path.stat().st_size
    if path.suffix.lower() == ".gz":
        size = 0
        with gzip.open(path, "rb") as file:
            while MEMORY_PER_BYTE * size <= free and (block := file.read(1 << 22)):
                size += len(block)
    if MEMORY_PER_BYTE * size > free:
        raise UnusableError(
            f"the table needs {MEMORY_PER_BYTE * size / 1e9:.1f} GB of memory or more and "
            f"{free / 1e9:.1f} GB are free; take fewer samples or neurons"
        )
