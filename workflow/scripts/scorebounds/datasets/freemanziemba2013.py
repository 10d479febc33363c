"""Freeman, Ziemba et al. 2013: V1 and V2, images of textures and of their noise."""

from pathlib import Path

import numpy as np
import xarray as xr

from scorebounds.core.recording import recording
from scorebounds.datasets.brainscore import (
    DIMS,
    average_by,
    averaged_step,
    netcdf_and_table,
    open_assembly,
    property_of_stimuli,
    stimulus_ids,
)

# Windows of Cloos et al. 2025, in bins of 1 ms.
WINDOW_BINS, N_WINDOWS = 150, 2
BLOCK = 100  # presentations that are read at a time


def load(files: list[Path]) -> xr.DataArray:
    """Average the repetitions of each texture in V1 and V2, in two windows of 150 ms.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        2 × 135 × 205 mean responses per 1-ms bin, images in the order of their ids;
        `texture_type` and `texture_family`.
    """
    path, stimuli = netcdf_and_table(files)
    with open_assembly(path) as assembly:
        if assembly.sizes["time_bin"] != N_WINDOWS * WINDOW_BINS:
            raise ValueError(
                f"{path}: expected {N_WINDOWS * WINDOW_BINS} time bins, "
                f"got {assembly.sizes['time_bin']}"
            )
        ids = stimulus_ids(assembly, path)
        means = _window_means(assembly)
        windows = [average_by(ids, means[..., window]) for window in range(N_WINDOWS)]
        labels = {
            name: property_of_stimuli(name, assembly, ids, stimuli, path).loc[windows[0].index]
            for name in ("texture_type", "texture_family")
        }
    return recording(
        np.stack([window.to_numpy() for window in windows]),
        {name: values.to_numpy(str) for name, values in labels.items()},
        units="spikes per ms",
        names=windows[0].index.to_numpy(str),
        time=WINDOW_BINS * (np.arange(N_WINDOWS) + 0.5),
        done=averaged_step(ids, "unit, in windows of 150 ms"),
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
