"""Majaj et al. 2015: inferior temporal cortex, images of objects on backgrounds."""

from pathlib import Path

import numpy as np
import xarray as xr

from scorebounds.core.recording import recording
from scorebounds.datasets.brainscore import (
    DIMS,
    average_by,
    averaged_step,
    coordinate,
    netcdf_and_table,
    open_assembly,
    property_of_stimuli,
    stimulus_ids,
)


def load(files: list[Path]) -> xr.DataArray:
    """Average the repetitions of each image in inferior temporal cortex.

    Returns
    -------
    DataArray, dims (sample, neuron)
        3200 × 168 normalised responses, images in the order of their ids; `category`.
    """
    path, stimuli = netcdf_and_table(files)
    with open_assembly(path) as assembly:
        in_it = np.asarray(coordinate(assembly, "region", "neuroid", path)).astype(str) == "IT"
        if not in_it.any():
            raise ValueError(f"{path}: expected neuroids of region IT, got none")
        if assembly.sizes["time_bin"] != 1:
            raise ValueError(f"{path}: expected one time bin, got {assembly.sizes['time_bin']}")
        ids = stimulus_ids(assembly, path)
        responses = assembly.transpose(*DIMS).values[:, :, 0][:, in_it]
        category = property_of_stimuli("category_name", assembly, ids, stimuli, path)
    averages = average_by(ids, responses)
    return recording(
        averages.to_numpy(),
        {"category": category.loc[averages.index].to_numpy(str)},
        units="1",
        names=averages.index.to_numpy(str),
        done=averaged_step(ids, "site of IT"),
    )
