"""Twenty units of Mante et al. 2013, a MATLAB file each."""

from pathlib import Path

import xarray as xr

from scorebounds.datasets.mante2013 import average_units


def load(files: list[Path]) -> xr.DataArray:
    """Average correct trials by condition, see `mante2013.average_units`.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        15 × 72 × 19 rates in Hz, in 50 ms bins: one of the units lacks conditions.
    """
    return average_units((path, path) for path in sorted(files))
