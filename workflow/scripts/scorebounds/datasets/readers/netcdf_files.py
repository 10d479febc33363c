"""netCDF 3 and 4: variables by name, with named axes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.containers import (
    NUMBERS,
    OBJECTS,
    TEXT,
    Container,
    bytes_of,
    require_memory,
    width_of,
)
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.readers.hdf5_files import axis_names
from scorebounds.datasets.self_contained import require_self_contained


@contextlib.contextmanager
def open_file(path: Path, _: Entry) -> Iterator[Container]:
    """Open a netCDF file of either version."""
    with open(path, "rb") as file:
        classic = file.read(3) == b"CDF"
    if not classic:
        require_self_contained(path)
    long = {} if classic else _long_texts(path)
    # Axes without a name get one, in the order of the file.
    options: dict[str, Any] = {} if classic else {"phony_dims": "access"}
    engine: Any = "scipy" if classic else "h5netcdf"
    with xr.open_dataset(
        path, engine=engine, decode_times=False, drop_variables=list(long), **options
    ) as stored:
        variables = {str(name): values for name, values in stored.variables.items()}
        kinds = {"f": NUMBERS, "i": NUMBERS, "u": NUMBERS, "b": NUMBERS, "U": TEXT, "T": TEXT}
        yield Container(
            {name: values.shape for name, values in variables.items()}
            | {name: shape for name, (shape, _, _) in long.items()},
            lambda name: variables[name].values,
            {name: tuple(map(str, values.dims)) for name, values in variables.items()}
            | {name: dims for name, (_, dims, _) in long.items()},
            {name: kinds.get(values.dtype.kind, OBJECTS) for name, values in variables.items()}
            | dict.fromkeys(long, TEXT),
            item_bytes={name: bytes_of(values.dtype) for name, values in variables.items()}
            | {name: width for name, (_, _, width) in long.items()},
            units={n: str(v.attrs["units"]) for n, v in variables.items() if "units" in v.attrs},
        )


def _long_texts(path: Path) -> dict[str, tuple[tuple[int, ...], tuple[str, ...], int]]:
    """Return shape, axes and width of the text that does not fit into memory at one width.

    xarray brings all text to the width of the longest on opening a file.
    """
    found = {}
    with h5py.File(path, "r") as file:
        for name in file:
            item = file.get(name)
            text = h5py.check_string_dtype(getattr(item, "dtype", np.dtype(float)))
            if text is None or text.length is not None or not item.shape:
                continue
            width = width_of(item.asstr(errors="replace")[()])
            try:
                require_memory(name, item.shape, width)
            except UnusableError:
                found[name] = (item.shape, axis_names(item), width)
    return found
