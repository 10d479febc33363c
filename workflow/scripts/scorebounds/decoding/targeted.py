"""Targeted dimensionality reduction: trajectories along the axes of task variables.

Mante et al. 2013, doi:10.1038/nature12742, supplementary information 6.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

# Components of the averages in which axes lie; Mante et al. 2013 used 12.
N_COMPONENTS = 12
VARIABLES = ("choice", "motion", "colour", "context")
# The classes that axes point to; of others the last in alphabetical order.
POSITIVE = ("preferred", "right", "green")


def signs(recording: xr.DataArray, variable: str) -> np.ndarray:
    """Return −1 or 1 for each condition, by the two classes of a variable.

    1 is that of `POSITIVE`, or the last in alphabetical order.

    Raises
    ------
    ValueError
        If the variable does not have two classes.
    """
    values = recording[variable].values
    classes = np.unique(values)
    if len(classes) != 2:
        raise ValueError(
            f"targeted dimensionality reduction: expected two classes of {variable!r}, got "
            f"{len(classes)}"
        )
    first, second = classes
    higher = first if first in POSITIVE else second
    return np.where(values == higher, 1.0, -1.0)


def targeted_axes(activity: np.ndarray, design: np.ndarray) -> np.ndarray:
    """Return an axis in the space of neurons for each task variable.

    The activity of each neuron at each time is regressed on all variables. Of the vectors of
    coefficients, restricted to the first principal components, the axis of a variable is the one
    at the time at which it is longest; axes are then made orthogonal in their order.

    Parameters
    ----------
    activity : ndarray, shape (n_times, n_conditions, n_neurons)
        Centred neurons.
    design : ndarray, shape (n_conditions, n_variables)

    Returns
    -------
    ndarray, shape (n_neurons, n_variables)
        Orthonormal columns; each points to the higher value of its variable.
    """
    with_constant = np.column_stack([design, np.ones(len(design))])
    coefficients = np.linalg.lstsq(
        with_constant, activity.transpose(1, 0, 2).reshape(len(design), -1), rcond=None
    )[0][:-1].reshape(design.shape[1], activity.shape[0], activity.shape[2])
    flat = activity.reshape(-1, activity.shape[2])
    components = np.linalg.svd(flat, full_matrices=False)[2][:N_COMPONENTS]
    restricted = coefficients @ components.T @ components
    longest = np.linalg.norm(restricted, axis=2).argmax(1)
    vectors = restricted[np.arange(len(longest)), longest].T
    axes = np.linalg.qr(vectors)[0]
    turned: np.ndarray = axes * np.sign((axes * vectors).sum(0))
    return turned


def targeted_trajectories(
    recording: xr.DataArray, variables: Sequence[str] = VARIABLES
) -> pd.DataFrame:
    """Project the averages over conditions of equal variables on the axes of the variables.

    Parameters
    ----------
    recording : DataArray, dims (time, condition, neuron)
        With two classes of each variable.
    variables : sequence of str
        Axes are made orthogonal in this order.

    Returns
    -------
    DataFrame
        Columns dataset, time, one per variable with its class, and `<variable>_axis` with the
        projection in standard deviations of a neuron; a row per time and combination of classes
        that occurs.
    """
    design = np.column_stack([signs(recording, name) for name in variables])
    values = recording.values - recording.values.mean((0, 1))
    deviation = values.std((0, 1))
    scaled = values / np.where(deviation > 0, deviation, 1)
    projected = scaled @ targeted_axes(scaled, design)
    tables = []
    for group in np.unique(design, axis=0):
        chosen = (design == group).all(1)
        mean = projected[:, chosen].mean(1)
        table = pd.DataFrame(mean, columns=[f"{name}_axis" for name in variables])
        for place, name in enumerate(variables):
            table.insert(place, name, recording[name].values[chosen][0])
        table.insert(0, "time", recording.time.values)
        tables.append(table)
    trajectories = pd.concat(tables, ignore_index=True)
    trajectories.insert(0, "dataset", recording.attrs["dataset"])
    return trajectories
