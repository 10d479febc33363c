"""Proven ranges of other measures, given one score."""

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.recording import samples_by_neurons
from scorebounds.measures import registry
from scorebounds.ranges.bounds import outer_range

# Measures between which bounds are proven (docs/bounds.md).
BOUNDED = ("cka", "cka_angular", "nbs", "procrustes_angular", "linreg")


def proven_table(recording: xr.DataArray, measure: str, value: float) -> pd.DataFrame:
    """Return the proven range of every other measure, columns measure, low, high.

    The ranges hold for data of any number of neurons.

    Raises
    ------
    ValueError
        If the score is outside the measure's range, or nothing is proven for the measure.
    """
    chosen = registry.load(measure)
    low, high = chosen.bounds
    if not low <= value <= high:
        raise ValueError(
            f"expected a score of {measure} between {low:g} and {high:g}, got {value:g}"
        )
    if chosen.name not in BOUNDED:
        raise ValueError(
            f"expected one of the measures with proven bounds ({', '.join(BOUNDED)}), got "
            f"{measure!r}; `ranges` searches the range of other measures"
        )
    activity = samples_by_neurons(recording)
    squared = np.linalg.svd(activity - activity.mean(0), compute_uv=False) ** 2
    eigenvalues = squared[squared > squared[0] * max(activity.shape) * np.finfo(float).eps]
    rows = []
    for other in BOUNDED:
        if other != chosen.name:
            ends = outer_range(
                chosen.name, other, np.array([value]), eigenvalues, len(activity) - 1
            )
            rows.append((other, float(ends[0][0]), float(ends[1][0])))
    return pd.DataFrame(rows, columns=["measure", "low", "high"])
