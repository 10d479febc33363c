"""A toy of two dimensions: two fans of curved trajectories."""

import numpy as np
import xarray as xr

from scorebounds.core.recording import recording

N_TIMES, SPREAD = 10, 0.35


def make(rng: np.random.Generator) -> xr.DataArray:
    """Draw two fans of curved trajectories that leave the origin in opposite directions.

    In two neurons, whose first principal component is the direction of the fans and whose second,
    much weaker one is their spread. A toy to watch what a score captures first.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        10 × 6 × 2, without unit, with the coordinate `fan`.
    """
    t = np.linspace(0.1, 1, N_TIMES)[:, None]
    side = np.array([-1, -1, -1, 1, 1, 1])
    bend = np.array([-1, 0, 1, -1, 0, 1])
    along = side * t
    across = SPREAD * bend * t**2
    rotation = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    activity = np.stack([along, across], axis=-1) @ rotation
    return recording(activity, {"fan": np.where(side < 0, "left", "right")}, units="1")
