"""Averages that keep the precision of what they are averages of."""

import numpy as np
import xarray as xr


def mean_as_stored(
    values: np.ndarray, axis: int | tuple[int, ...], *, single: bool | None = None
) -> np.ndarray:
    """Average in double precision, rounded to single precision where the values were stored so.

    The rounding of values in single precision is in their averages, too, and would count as
    further dimensions of the data if these were taken for exact
    (`measures.precision.source_precision`).

    Parameters
    ----------
    values : ndarray
    axis : int or tuple of int
    single : bool, optional
        Whether `values` are part of an array that was stored in single precision. Not given: as the
        values themselves say.

    Returns
    -------
    ndarray of float64
    """
    means = np.asarray(values.mean(axis, dtype=np.float64))
    single = is_single(values) if single is None else single
    return means.astype(np.float32).astype(np.float64) if single else means


def is_single(values: np.ndarray) -> bool:
    """Return whether all values are numbers of single precision, and not all of them whole."""
    if values.dtype.kind != "f":
        return False
    with np.errstate(over="ignore"):
        fits = values.dtype.itemsize < 8 or bool((values.astype(np.float32) == values).all())
    return fits and not bool((values == np.round(values)).all())


def values_to_score(array: xr.DataArray) -> np.ndarray:
    """Return activity with the precision of its file, which is its attribute `precision`.

    Readers average in double precision, which does not remove the rounding of what they read.
    """
    values: np.ndarray = array.values
    of_file = str(array.attrs.get("precision", ""))
    if of_file != "float32" or is_single(values) or bool((values == np.round(values)).all()):
        return values
    return values.astype(np.float32).astype(np.float64)
