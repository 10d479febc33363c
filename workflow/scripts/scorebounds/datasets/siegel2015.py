"""Siegel, Buschman & Miller 2015: not public; read from a file that its owner names."""

from pathlib import Path

import xarray as xr

from scorebounds.datasets.readers import custom

VARIABLES = ("context", "response", "color", "direction")


def load(files: list[Path]) -> xr.DataArray:
    """Read `activity` (time, condition, neuron) and its four labels, a condition being a trial.

    Cloos et al. 2025 took the frontal eye field 0 to 500 ms after stimulus onset, the components
    that hold 99 % of the variance, and colour and direction as below or above their median.

    Raises
    ------
    ValueError
        If the file cannot be read, or lacks one of the labels.
    """
    (path,) = files
    return custom.load(path, axes=("time", "trial", "neuron"), labels=VARIABLES)
