"""Hatsopoulos et al. 2007: motor cortex in centre-out reaching, averaged by target."""

from pathlib import Path

import numpy as np
import xarray as xr

from scorebounds.core.recording import recording
from scorebounds.datasets.pickles import load_object_array

FIRST_TIME_MS, STEP_MS = -800, 10


def load(files: list[Path]) -> xr.DataArray:
    """Load the smoothed rates around movement onset, one average per reach target.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        121 × 8 × 141 rates in Hz; `target` k lies at k · 45 degrees. It is decoded from times as
        samples, since there is one average per target, and from the movement on.
    """
    (path,) = files
    rates = load_object_array(path).item()["firing_rate"].transpose(1, 2, 0)
    time = FIRST_TIME_MS + STEP_MS * np.arange(len(rates))
    array = recording(
        rates,
        {"target": np.arange(rates.shape[1])},
        units="Hz",
        time=time,
        done=["took the averages over trials as they were deposited, smoothed with SD 25 ms"],
    )
    return array.assign_attrs(decode_over="times", decode_from=0.0)
