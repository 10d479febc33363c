"""Proven ranges of other measures, given one score."""

import logging

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.recording import samples_by_neurons
from scorebounds.measures import registry
from scorebounds.ranges.linked_bounds import samples_of
from scorebounds.ranges.proven import proven_bounds

logger = logging.getLogger(__name__)


def proven_table(recording: xr.DataArray, measure: str, value: float) -> pd.DataFrame:
    """Return the proven range of every other measure, columns measure, low, high, bound.

    The ranges hold for data of any number of neurons. An empty table comes with a warning.

    Raises
    ------
    ValueError
        If the score is outside the measure's range, nothing is proven for the measure, or no neuron
        varies.
    """
    activity = samples_by_neurons(recording)
    # Scaled, so that no square is too large or too small for a floating-point number.
    activity = activity / max(np.abs(activity).max(), np.finfo(float).tiny)
    centred = activity - activity.mean(0)
    spread = np.abs(centred).max()
    if spread <= len(activity) * np.finfo(float).eps:
        raise ValueError("expected neurons that vary over the samples of x, got constant ones only")
    squared = np.linalg.svd(centred / spread, compute_uv=False) ** 2
    # Squared singular values below this are rounding.
    eigenvalues = squared[squared > squared[0] * (max(activity.shape) * np.finfo(float).eps) ** 2]
    rank = len(activity) - 1
    table = proven_bounds(
        eigenvalues,
        registry.load(measure).name,
        value,
        rank=rank,
        outside=rank > len(eigenvalues),
        samples=samples_of(centred / spread),
    )
    if table.empty:
        logger.warning("nothing is proven about other scores of data with %s = %g", measure, value)
    return table
