"""Recordings that Brain-Score stores: netCDF of presentation × neuroid × time, and a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.recording import recording

DIMS = ("presentation", "neuroid", "time_bin")
# Windows of Cloos et al. 2025, in 1-ms bins of FreemanZiemba2013.
WINDOW_BINS, N_WINDOWS = 150, 2
BLOCK = 100  # presentations that are read at a time


def load_majajhong2015(files: list[Path]) -> xr.DataArray:
    """Average the repetitions of each image in inferior temporal cortex.

    Returns
    -------
    DataArray, dims (sample, neuron)
        3200 × 168 normalised responses, images in the order of their ids; `category`.
    """
    path, stimuli = _netcdf_and_table(files)
    with _open(path) as assembly:
        in_it = np.asarray(_coordinate(assembly, "region", "neuroid", path)).astype(str) == "IT"
        if not in_it.any():
            raise ValueError(f"{path}: expected neuroids of region IT, got none")
        if assembly.sizes["time_bin"] != 1:
            raise ValueError(f"{path}: expected one time bin, got {assembly.sizes['time_bin']}")
        ids = _stimulus_ids(assembly, path)
        responses = assembly.transpose(*DIMS).values[:, :, 0][:, in_it]
        category = _of_stimulus("category_name", assembly, ids, stimuli, path)
    averages = _average_by(ids, responses)
    return recording(
        averages.to_numpy(),
        {"category": category.loc[averages.index].to_numpy(str)},
        units="1",
        done=_averaged(ids, "site of IT"),
    )


def load_freemanziemba2013(files: list[Path]) -> xr.DataArray:
    """Average the repetitions of each texture in V1 and V2, in two windows of 150 ms.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        2 × 135 × 205 mean responses per 1-ms bin, images in the order of their ids;
        `texture_type` and `texture_family`.
    """
    path, stimuli = _netcdf_and_table(files)
    with _open(path) as assembly:
        if assembly.sizes["time_bin"] != N_WINDOWS * WINDOW_BINS:
            raise ValueError(
                f"{path}: expected {N_WINDOWS * WINDOW_BINS} time bins, "
                f"got {assembly.sizes['time_bin']}"
            )
        ids = _stimulus_ids(assembly, path)
        means = _window_means(assembly)
        windows = [_average_by(ids, means[..., window]) for window in range(N_WINDOWS)]
        labels = {
            name: _of_stimulus(name, assembly, ids, stimuli, path).loc[windows[0].index]
            for name in ("texture_type", "texture_family")
        }
    return recording(
        np.stack([window.to_numpy() for window in windows]),
        {name: values.to_numpy(str) for name, values in labels.items()},
        units="spikes per ms",
        time=WINDOW_BINS * (np.arange(N_WINDOWS) + 0.5),
        done=_averaged(ids, "unit, in windows of 150 ms"),
    )


def _window_means(assembly: xr.DataArray) -> np.ndarray:
    """Average over the bins of each window; (n_presentations, n_neuroids, n_windows)."""
    parts = []
    for first in range(0, assembly.sizes["presentation"], BLOCK):
        # A block at a time, for the sake of memory.
        block = assembly.isel(presentation=slice(first, first + BLOCK)).transpose(*DIMS).values
        windowed = block.reshape(*block.shape[:2], N_WINDOWS, WINDOW_BINS)
        parts.append(windowed.mean(-1, dtype=np.float64))
    return np.concatenate(parts)


def _netcdf_and_table(files: list[Path]) -> tuple[Path, pd.DataFrame]:
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


def _open(path: Path) -> xr.DataArray:
    try:
        assembly = xr.open_dataarray(path, engine="h5netcdf", decode_times=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: expected a netCDF file of one array: {error}") from error
    if set(assembly.dims) != set(DIMS):
        assembly.close()
        raise ValueError(f"{path}: expected axes {', '.join(DIMS)}, got {assembly.dims}")
    return assembly


def _coordinate(assembly: xr.DataArray, name: str, dim: str, path: Path) -> np.ndarray:
    if name not in assembly.coords or assembly[name].dims != (dim,):
        raise ValueError(f"{path}: expected a coordinate {name!r} along {dim!r}")
    return assembly[name].values


def _stimulus_ids(assembly: xr.DataArray, path: Path) -> np.ndarray:
    name = "stimulus_id" if "stimulus_id" in assembly.coords else "image_id"
    return _coordinate(assembly, name, "presentation", path).astype(str)


def _average_by(ids: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """Average rows of one id, missing values left out, in the order of the ids."""
    return pd.DataFrame(values.astype(np.float64, copy=False)).groupby(ids, sort=True).mean()


def _averaged(ids: np.ndarray, what: str) -> list[str]:
    repetitions = np.unique(ids, return_counts=True)[1]
    least, most = repetitions.min(), repetitions.max()
    counts = f"{least} to {most}" if least < most else str(most)
    return [f"averaged the {counts} repetitions of each image, for each {what}"]


def _of_stimulus(
    name: str, assembly: xr.DataArray, ids: np.ndarray, stimuli: pd.DataFrame, path: Path
) -> pd.Series:
    """Look a property of the stimuli up, in the recording or else in the table."""
    if name in assembly.coords:
        presented = pd.Series(_coordinate(assembly, name, "presentation", path), index=ids)
        return presented[~presented.index.duplicated()]
    unknown = sorted(set(ids) - set(stimuli.index))
    if name not in stimuli or unknown:
        lacks = f"stimulus {str(unknown[0])!r}" if unknown else f"column {name!r}"
        raise ValueError(f"{path}: expected the table beside it to have {lacks}, it has not")
    return stimuli[name]
