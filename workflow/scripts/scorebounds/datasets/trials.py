"""Arrays whose trials and conditions are axes of their own."""

from typing import Any

import numpy as np
import xarray as xr

from scorebounds.core.recording import CONDITION_PLACE, ROW_NAME, with_conditions
from scorebounds.datasets.readers.axes import meaning

_AXES = ("time", "condition", "trial", "neuron")


def has_trials(array: Any) -> bool:
    """Return whether an array in memory knows which rows are trials of which condition."""
    if not isinstance(array, xr.DataArray):
        return False
    return CONDITION_PLACE in array.coords or {"condition", "trial"} <= _axes(array).keys()


def trials_as_rows(array: xr.DataArray, name: str) -> xr.DataArray:
    """Return an array with the trials of all conditions as its rows, sorted by condition.

    Trials that are NaN throughout fill up the array and are left out. Coordinates of conditions and
    of trials become those of the rows; the index of the conditions names the rows.
    """
    if CONDITION_PLACE in array.coords:
        return array
    axes = _axes(array)
    if len(axes) < array.ndim or "neuron" not in axes:
        raise ValueError(
            f"expected {name} with dimensions ([time,] trial, condition, neuron), got "
            f"{array.dims}; rename them with x.rename({{...}}), or average over the others"
        )
    ordered = array.transpose(*(axes[axis] for axis in _AXES if axis in axes))
    condition, trial = axes["condition"], axes["trial"]
    n_conditions, n_trials = ordered.sizes[condition], ordered.sizes[trial]
    row = "presentation" if "sample" in ordered.coords else "sample"
    rows = ordered.stack({row: (condition, trial)}, create_index=False)
    rows = rows.transpose(..., row, axes["neuron"])
    if condition in rows.coords and ROW_NAME not in rows.coords:
        rows = rows.rename({condition: ROW_NAME})
    rows = with_conditions(
        rows.drop_vars(trial, errors="ignore"),
        np.repeat(np.arange(n_conditions), n_trials),
        n_conditions,
    )
    filled = rows.notnull().any(dim=[dim for dim in rows.dims if dim != row])
    return rows.isel({row: np.flatnonzero(filled.values)})


def _axes(array: xr.DataArray) -> dict[str, Any]:
    """Return the dimension of each meaning."""
    return {
        kind: dim for dim in array.dims if (kind := meaning(str(dim))) is not None and kind in _AXES
    }
