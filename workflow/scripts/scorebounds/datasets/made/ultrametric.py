"""Ultrametric data: binary features drawn down a tree."""

import numpy as np
import xarray as xr

from scorebounds.core.recording import recording


def make(
    rng: np.random.Generator,
    *,
    branching: tuple[int, ...] = (2, 5, 10),
    n_features: int = 50,
    resample_probability: float = 0.2,
) -> xr.DataArray:
    """Draw binary features down a tree, so that distances between the leaves are nested.

    Each child copies its parent's bits and redraws each with the given probability. The label
    is the branch before the last, whose leaves are a category. Cloos et al. 2025, supplement.

    Returns
    -------
    DataArray, dims (sample, neuron)
        Leaves by features, 0 or 1, with the coordinate `category`.
    """
    nodes = rng.integers(0, 2, size=(1, n_features))
    for children in branching:
        copies = np.repeat(nodes, children, axis=0)
        drawn = rng.integers(0, 2, size=copies.shape)
        nodes = np.where(rng.random(copies.shape) < resample_probability, drawn, copies)
    category = np.repeat(np.arange(len(nodes) // branching[-1]), branching[-1])
    done = ["drew binary features down a tree"]
    return recording(nodes, {"category": category}, units="1", done=done)
