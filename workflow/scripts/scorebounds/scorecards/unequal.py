"""What to do where a recording and a model have different numbers of rows or times."""

import xarray as xr

from scorebounds.core.recording import CONDITION_PLACE, N_CONDITIONS, ROW_NAME

NAME_AXES = (
    "name the axes: trial, condition and neuron (`axes` of an entry, dimensions of a DataArray)"
)
NAME_ROWS = (
    "name the rows of both by condition (`names` of an entry, index of a DataFrame) and match them "
    "by name (match: names)"
)


def unequal_rows(reference: xr.DataArray, model: xr.DataArray) -> str:
    """Say how many rows of the model were expected, how many there are, and what to do."""
    row = str(reference.dims[-2])
    n_reference, n_rows = reference.sizes[row], model.sizes[str(model.dims[-2])]
    expected = f"{n_reference} {row}s in the order of the reference's"
    if CONDITION_PLACE in reference.coords:
        n_conditions = int(reference[CONDITION_PLACE].attrs[N_CONDITIONS])
        expected = (
            f"a row for each of {n_conditions} conditions, or for each of {n_reference} trials"
        )
    return f"expected {expected}, got {n_rows}; {_remedy(reference, model)}"


def _remedy(reference: xr.DataArray, model: xr.DataArray) -> str:
    if has_unnamed_axes(reference):
        return f"record the same ones; if the recording has an axis of trials, {NAME_AXES}"
    if all(ROW_NAME in side.coords or side.attrs["variables"] for side in (reference, model)):
        return (
            "record the same ones, or match them by name (match: names) or by the labels that are "
            "named in `match`"
        )
    n_rows = model.sizes[str(model.dims[-2])]
    are_few = 2 * n_rows <= reference.sizes[str(reference.dims[-2])]
    if CONDITION_PLACE in reference.coords or not are_few:
        return "record the same ones, or " + NAME_ROWS
    return (
        f"record the same ones; if rows of the recording are trials of the model's {n_rows} "
        f"conditions, {NAME_ROWS}, or give the recording an axis of trials and {NAME_AXES}"
    )


def if_trials(reference: xr.DataArray, model: xr.DataArray) -> str:
    """Say what to do if what was taken for an axis of time holds trials; empty for named times."""
    if not has_unnamed_axes(reference):
        return ""
    average = "" if "time" not in model.dims else ", and average the model over its trials"
    return f"; if its first axis holds trials, {NAME_AXES}{average}"


def has_unnamed_axes(array: xr.DataArray) -> bool:
    """Return whether an axis was taken for time because of its place alone."""
    return "time" in array.dims and "time" not in array.coords
