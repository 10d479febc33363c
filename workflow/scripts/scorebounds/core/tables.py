"""Results on disk: tables as tidy CSV, labelled arrays as netCDF, reports as Markdown."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.integrity import (
    has_digest,
    readable,
    record_digest,
    require_digest,
    require_space,
)

if TYPE_CHECKING:
    import xarray as xr


def write_dataset(path: str | Path, dataset: "xr.Dataset") -> None:
    """Write a labelled dataset as netCDF, and its digest."""
    require_space(path, dataset.nbytes)
    dataset.to_netcdf(path, engine="h5netcdf")
    record_digest(path)


def open_dataset(path: str | Path) -> "xr.Dataset":
    """Open a netCDF file; its arrays are read when they are used.

    Raises
    ------
    ValueError
        If the file is damaged; the message names the file and how to remake it.
    """
    # Most jobs read tables only.
    import xarray as xr

    with readable(path, "netCDF file"):
        return xr.open_dataset(path, engine="h5netcdf")


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a tidy table as CSV, and its digest; a missing value is an empty cell."""
    table.to_csv(path, index=False, float_format="%.8g")
    record_digest(path)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table; only an empty cell is a missing value.

    Raises
    ------
    ValueError
        If the file is not as it was written; the message names the file and how to remake it.
    """
    with readable(path, "table (CSV in UTF-8 with a header)"):
        if not has_digest(path):
            _require_rectangle(path)
        return pd.read_csv(path, keep_default_na=False, na_values=[""])


def write_report(path: str | Path, text: str) -> None:
    """Write a report, and its digest."""
    Path(path).write_text(text, encoding="utf-8")
    record_digest(path)


def read_report(path: str | Path) -> str:
    """Read a report; raise ValueError if it is not as it was written."""
    with readable(path, "report (text in UTF-8)"):
        return Path(path).read_text(encoding="utf-8")


def read_picture(path: str | Path) -> bytes:
    """Read an image; raise ValueError if it is not as it was written."""
    require_digest(path)
    return Path(path).read_bytes()


def _require_rectangle(path: str | Path) -> None:
    """Raise ValueError for rows of other lengths than the header, which pandas fills or shifts."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file, strict=True)
        width = len(next(rows, []))
        for row in rows:
            if row and len(row) != width:
                raise ValueError(
                    f"line {rows.line_num}: expected {width} cells, as in the header, found "
                    f"{len(row)}"
                )
