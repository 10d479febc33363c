"""Recordings: labelled arrays of activity, stored as netCDF."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from scorebounds.core.checks import count_neurons, require_activity, warn_of_width
from scorebounds.core.integrity import readable, record_digest, require_space

SAMPLE_DIMS = {2: ("sample", "neuron"), 3: ("time", "condition", "neuron")}
# Coordinate with the name of each sample or condition, by which a model's are found; no variable.
ROW_NAME = "row_name"
# Coordinates with averages over either half of the trials.
HALVES = ("__first_half__", "__second_half__")
# Coordinate with the subject of each neuron, where neurons of several subjects are known.
SUBJECTS = "__subject__"
# Coordinate with the place of each row's condition, from 0, where conditions × trials are the rows.
# Its attribute N_CONDITIONS counts the conditions with those that have no trial.
CONDITION_PLACE, N_CONDITIONS = "__condition__", "n"
# Names that a label cannot have, because a recording has them itself.
AXES = ("sample", "condition", "time", "neuron")
RESERVED = (*AXES, ROW_NAME, SUBJECTS, CONDITION_PLACE, *HALVES, "activity")
# Attributes that are lists of names. netCDF stores a list of one as its element.
LISTS = ("variables", "averaged_by", "found")


def stored_name(label: str) -> str:
    """Return the name under which a recording has a label of this name.

    >>> stored_name("target"), stored_name("condition"), stored_name("task/cue")
    ('target', 'condition_label', 'task_cue')
    """
    # A slash is a group in netCDF.
    plain = re.sub(r"[^\w.-]+", "_", label)
    return f"{plain}_label" if plain in RESERVED else plain or "row"


def recording(
    activity: np.ndarray,
    labels: Mapping[str, np.ndarray] | None = None,
    *,
    units: str = "",
    time: np.ndarray | None = None,
    time_units: str = "ms",
    names: np.ndarray | None = None,
    halves: Sequence[np.ndarray] = (),
    subjects: np.ndarray | None = None,
    done: Sequence[str] = (),
) -> xr.DataArray:
    """Make a labelled array of activity.

    Parameters
    ----------
    activity : ndarray, shape (n_samples, n_neurons) or (n_times, n_conditions, n_neurons)
    labels : mapping of str to ndarray
        Task variables; each has one value per sample, or per condition.
    units : str
        Unit of the activity.
    time : ndarray, shape (n_times,)
        Bin centres.
    time_units : str
        Unit of `time`.
    names : ndarray of str, optional
        Of each sample, or condition: what a model's are matched by.
    halves : sequence of two ndarray, optional
        Where activity is an average over trials: the averages over either half of them, NaN in the
        neurons that have too few.
    subjects : ndarray of str, shape (n_neurons,), optional
        Subject of each neuron.
    done : sequence of str
        What was done to get it, step by step.

    Returns
    -------
    DataArray
        With attributes units, variables (the names of the labels) and history.
    """
    dims = SAMPLE_DIMS.get(activity.ndim)
    if dims is None:
        raise ValueError(
            "expected activity (sample, neuron) or (time, condition, neuron), "
            f"got shape {activity.shape}"
        )
    labelled = dims[-2]
    coords = {name: (labelled, np.asarray(values)) for name, values in (labels or {}).items()}
    # In the order of its axes, or flattening it would copy it every time.
    values = np.ascontiguousarray(activity, dtype=np.float64)
    array = xr.DataArray(values, dims=dims, coords=coords, name="activity")
    array.attrs["units"] = units
    array.attrs["variables"] = list(coords)
    # A step is a line, whatever names it quotes.
    array.attrs["history"] = "\n".join(" ".join(step.split()) for step in done)
    if time is not None:
        array = array.assign_coords(time=("time", time, {"units": time_units}))
    if names is not None:
        array = array.assign_coords({ROW_NAME: (labelled, np.asarray(names))})
    for name, half in zip(HALVES, halves, strict=False):
        array = array.assign_coords({name: (dims, half)})
    if subjects is not None:
        array = array.assign_coords({SUBJECTS: ("neuron", np.asarray(subjects))})
    return array


def with_conditions(array: xr.DataArray, place: np.ndarray, n_conditions: int) -> xr.DataArray:
    """Store of which condition each row is a trial, counted from 0."""
    row = array.dims[-2]
    return array.assign_coords({CONDITION_PLACE: (row, place, {N_CONDITIONS: n_conditions})})


def without_constant_neurons(array: xr.DataArray) -> xr.DataArray:
    """Leave out the neurons that have one value in all samples, and say so in the history."""
    flat = samples_by_neurons(array)
    constant = np.ptp(flat, axis=0) == 0
    if not constant.any():
        return array
    kept = array.isel(neuron=~constant)
    return with_history(kept, f"left out {count_neurons(np.flatnonzero(constant))}: constant")


def with_history(array: xr.DataArray, *done: str) -> xr.DataArray:
    """Add steps to the history of a recording."""
    history = [*filter(None, [array.attrs["history"]]), *done]
    return array.assign_attrs(history="\n".join(history))


def write_recording(path: str | Path, array: xr.DataArray, name: str) -> None:
    """Check an array of activity, write it and its digest; `name` stands in the messages."""
    require_activity(array.values, name)
    warn_of_width(array.values, name)
    require_space(path, array.nbytes)
    array.to_netcdf(path, engine="h5netcdf")
    record_digest(path)


def read_recording(path: str | Path) -> xr.DataArray:
    """Read what `write_recording` wrote."""
    with readable(path, "netCDF file"), xr.open_dataarray(path, engine="h5netcdf") as stored:
        array = stored.drop_vars(HALVES, errors="ignore").load()
    for name in LISTS:
        if name in array.attrs:
            array.attrs[name] = [str(item) for item in np.atleast_1d(array.attrs[name])]
    return array


def read_halves(path: str | Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Read the averages over either half of the trials, in the shape of the activity, if stored."""
    with readable(path, "netCDF file"), xr.open_dataarray(path, engine="h5netcdf") as stored:
        if HALVES[0] not in stored.coords:
            return None
        return stored[HALVES[0]].values, stored[HALVES[1]].values


def samples_by_neurons(array: xr.DataArray) -> np.ndarray:
    """Return the activity as (n_samples, n_neurons), times and conditions flattened."""
    return array.values.reshape(-1, array.sizes["neuron"])
