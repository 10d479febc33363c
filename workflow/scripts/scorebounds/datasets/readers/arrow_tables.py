"""Tables of columns with types: .parquet and .feather."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import missing_package, require_bytes, require_memory


def read_arrow(path: Path) -> dict[str, np.ndarray]:
    """Read the columns of a file, text as objects; the index of pandas is one without a name.

    Raises
    ------
    UnusableError
        If a column is neither of numbers nor of text.
    """
    try:
        import pyarrow.feather as feather
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise missing_package("pyarrow", path) from error
    is_parquet = path.suffix.lower() == ".parquet"
    _require_memory(path, is_parquet=is_parquet)
    reader: Any = parquet.read_table if is_parquet else feather.read_table
    table = reader(path)
    columns: dict[str, np.ndarray] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        plain = "" if re.fullmatch(r"__index_level_\d+__", name) else str(name)
        if plain in columns:
            raise UnusableError(f"expected different names, got two columns named {plain!r}")
        columns[plain] = _values(column, plain)
    if not columns or not table.num_rows:
        raise UnusableError("expected columns with at least one row, got none")
    return columns


def _require_memory(path: Path, *, is_parquet: bool) -> None:
    """Refuse a table that does not fit into memory, however well it is compressed."""
    from pyarrow import ArrowInvalid, ipc, parquet

    if is_parquet:
        with parquet.ParquetFile(path) as file:
            found = file.metadata
            require_memory(path.name, (found.num_rows, found.num_columns))
            groups = range(found.num_row_groups)
            n_bytes = sum(found.row_group(number).total_byte_size for number in groups)
            require_bytes(repr(path.name), n_bytes)
        return
    with open(path, "rb") as stored:
        try:
            batches = ipc.open_file(stored)
        except ArrowInvalid:  # version 1 of the format, which is not compressed
            return
        n_rows = 0
        for number in range(batches.num_record_batches):
            n_rows += batches.get_batch(number).num_rows
            require_memory(path.name, (n_rows, len(batches.schema)))


def _values(column: Any, name: str) -> np.ndarray:
    series = column.to_pandas()
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(str)
    values: np.ndarray = series.to_numpy()
    if values.dtype.kind == "M":
        return values.astype(str).astype(object)
    if values.dtype.kind in "fiub":
        return np.asarray(values)
    if not all(isinstance(value, str | bytes | None) for value in values):
        raise UnusableError(f"column {name!r} holds {column.type}; save numbers or text")
    return np.array(["" if value is None else str(value) for value in values], dtype=object)
