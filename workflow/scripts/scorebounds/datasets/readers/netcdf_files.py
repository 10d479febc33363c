"""netCDF 3 and 4: variables by name, with named axes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xarray as xr

from scorebounds.datasets.readers.containers import NUMBERS, OBJECTS, TEXT, Container, bytes_of
from scorebounds.datasets.readers.entry import Entry
from scorebounds.datasets.self_contained import require_self_contained


@contextlib.contextmanager
def open_file(path: Path, _: Entry) -> Iterator[Container]:
    """Open a netCDF file of either version."""
    with open(path, "rb") as file:
        classic = file.read(3) == b"CDF"
    if not classic:
        require_self_contained(path)
    # Axes without a name get one, in the order of the file.
    options: dict[str, Any] = {} if classic else {"phony_dims": "access"}
    engine: Any = "scipy" if classic else "h5netcdf"
    with xr.open_dataset(path, engine=engine, decode_times=False, **options) as stored:
        variables = {str(name): values for name, values in stored.variables.items()}
        kinds = {"f": NUMBERS, "i": NUMBERS, "u": NUMBERS, "b": NUMBERS, "U": TEXT, "T": TEXT}
        yield Container(
            {name: values.shape for name, values in variables.items()},
            lambda name: variables[name].values,
            {name: tuple(map(str, values.dims)) for name, values in variables.items()},
            {name: kinds.get(values.dtype.kind, OBJECTS) for name, values in variables.items()},
            item_bytes={name: bytes_of(values.dtype) for name, values in variables.items()},
            units={n: str(v.attrs["units"]) for n, v in variables.items() if "units" in v.attrs},
        )
