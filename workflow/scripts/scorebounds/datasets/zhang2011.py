"""Zhang et al. 2011: inferior temporal cortex, seven objects at three positions."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import rdata
import xarray as xr
from rdata.conversion import DEFAULT_CLASS_MAP

from scorebounds.core.recording import recording

N_TRIALS = 19  # every site has 19 or 20 trials of each object and position
HZ_PER_SPIKE_PER_MS = 1000.0


def read_table(path: Path) -> pd.DataFrame:
    """Read the trials of all sites, a row per trial and site."""
    # The R class `binned_data` is a data frame with a name of its own.
    classes = {**DEFAULT_CLASS_MAP, "binned_data": DEFAULT_CLASS_MAP["data.frame"]}
    table: pd.DataFrame = rdata.read_rda(path, constructor_dict=classes)["binned_data"]
    return table


def load(files: list[Path]) -> xr.DataArray:
    """Join sites that were recorded one after the other into a population of pseudo-trials.

    Pseudo-trial i of a condition is the i-th trial of every site; noise correlations between
    sites are therefore lost.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        18 × 399 × 132 rates in Hz, in 150 ms windows every 50 ms; a condition is a pseudo-trial.
    """
    (path,) = files
    table = read_table(path)
    windows = [column for column in table.columns if column.startswith("time.")]
    table = table.assign(condition=table["labels.combined_ID_position"].astype(str))
    in_order = table.sort_values(["siteID", "condition"], kind="stable")
    trials = in_order.groupby(["siteID", "condition"], sort=True, observed=True)
    counts = trials.size()
    if counts.min() < N_TRIALS:
        raise ValueError(
            f"{path}: expected {N_TRIALS} trials of each site and condition, got {counts.min()}"
        )
    first = in_order[trials.cumcount() < N_TRIALS]
    n_sites = first["siteID"].nunique()
    rates = first[windows].to_numpy(dtype=np.float64).reshape(n_sites, -1, len(windows))
    one_site = first.iloc[: rates.shape[1]]
    array = recording(
        HZ_PER_SPIKE_PER_MS * rates.transpose(2, 1, 0),
        {
            "object": one_site["labels.stimulus_ID"].astype(str).to_numpy(),
            "position": one_site["labels.stimulus_position"].astype(str).to_numpy(),
        },
        units="Hz",
        time=np.array([_centre_ms(window) for window in windows]),
        done=[
            f"joined the first {N_TRIALS} trials of each object and position, by site, into "
            "pseudo-trials: sites were recorded one after the other"
        ],
    )
    # Before the stimulus there is nothing to decode.
    return array.assign_attrs(decode_from=0.0)


def _centre_ms(column: str) -> float:
    """Return the centre of a window from its column's name, `time.<from>_<to>`."""
    found = re.fullmatch(r"time\.(-?\d+)_(-?\d+)", column)
    if found is None:
        raise ValueError(f"expected a column time.<from>_<to>, got {column!r}")
    return (float(found[1]) + float(found[2])) / 2
