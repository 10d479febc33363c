"""Recordings that Brain-Score stores: netCDF of presentation × neuroid × time, and a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.datasets.self_contained import require_self_contained

DIMS = ("presentation", "neuroid", "time_bin")


def netcdf_and_table(files: list[Path]) -> tuple[Path, pd.DataFrame]:
    """Return the path of the recording and the table of its stimuli, by their ids."""
    (netcdf,) = (file for file in files if file.suffix == ".nc")
    (table,) = (file for file in files if file.suffix == ".csv")
    stimuli = pd.read_csv(table)
    key = "stimulus_id" if "stimulus_id" in stimuli else "image_id"
    if key not in stimuli:
        raise ValueError(f"{table}: expected a column stimulus_id, got {list(stimuli)}")
    stimuli.index = pd.Index(stimuli[key].astype(str))
    if stimuli.index.has_duplicates:
        twice = stimuli.index[stimuli.index.duplicated()][0]
        raise ValueError(f"{table}: expected each stimulus once, got {twice!r} twice")
    return netcdf, stimuli


def open_assembly(path: Path) -> xr.DataArray:
    """Open a recording of presentation × neuroid × time_bin; raise ValueError if it is none."""
    try:
        require_self_contained(path)
        assembly = xr.open_dataarray(path, engine="h5netcdf", decode_times=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: expected a netCDF file of one array: {error}") from error
    if set(assembly.dims) != set(DIMS):
        assembly.close()
        raise ValueError(f"{path}: expected axes {', '.join(DIMS)}, got {assembly.dims}")
    return assembly


def coordinate(assembly: xr.DataArray, name: str, dim: str, path: Path) -> np.ndarray:
    """Return a coordinate along one axis; raise ValueError if it is not there."""
    if name not in assembly.coords or assembly[name].dims != (dim,):
        raise ValueError(f"{path}: expected a coordinate {name!r} along {dim!r}")
    return assembly[name].values


def stimulus_ids(assembly: xr.DataArray, path: Path) -> np.ndarray:
    """Return the id of the stimulus of each presentation."""
    name = "stimulus_id" if "stimulus_id" in assembly.coords else "image_id"
    return coordinate(assembly, name, "presentation", path).astype(str)


def average_by(ids: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """Average rows of one id, missing values left out, in the order of the ids."""
    return pd.DataFrame(values.astype(np.float64, copy=False)).groupby(ids, sort=True).mean()


def averaged_step(ids: np.ndarray, what: str) -> list[str]:
    """Say in the history what was averaged."""
    repetitions = np.unique(ids, return_counts=True)[1]
    least, most = repetitions.min(), repetitions.max()
    counts = f"{least} to {most}" if least < most else str(most)
    return [f"averaged the {counts} repetitions of each image, for each {what}"]


def property_of_stimuli(
    name: str, assembly: xr.DataArray, ids: np.ndarray, stimuli: pd.DataFrame, path: Path
) -> pd.Series:
    """Look a property of the stimuli up, in the recording or else in the table."""
    if name in assembly.coords:
        presented = pd.Series(coordinate(assembly, name, "presentation", path), index=ids)
        return presented[~presented.index.duplicated()]
    unknown = sorted(set(ids) - set(stimuli.index))
    if name not in stimuli or unknown:
        lacks = f"stimulus {str(unknown[0])!r}" if unknown else f"column {name!r}"
        raise ValueError(f"{path}: expected the table next to it to have {lacks}, it has not")
    return stimuli[name]
