"""Tables of how well variables are decoded from a recording and from synthetic data."""

import logging

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.recording import samples_by_neurons
from scorebounds.decoding.decoder import Decoder, datasets_per_chunk, decode, null_accuracy
from scorebounds.decoding.design import CONDITIONS, Design, variance_share
from scorebounds.decoding.summary import (
    ACCURACY_COLUMNS,
    REFERENCE_COLUMNS,
    SIGNIFICANT,
    TIME_COLUMNS,
    permutation_p,
)

logger = logging.getLogger(__name__)

QUANTILES = (0.05, 0.95)
BLOCK_BYTES = 200e6  # of checkpoints that are in memory at once


def reference_tables(
    recording: xr.DataArray, plan: Design, decoder: Decoder, *, n_permutations: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decode the variables of a recording, and shuffled labels for comparison.

    Returns
    -------
    DataFrame
        `REFERENCE_COLUMNS`, a row per variable of the plan. A variable is decodable if its p, the
        share of its own and of the shuffled accuracies that are at least its own, is at most
        `SIGNIFICANT`. `smallest_p` is the smallest p that the number of distinct shuffles allows:
        where it is above `SIGNIFICANT`, there are too few samples to decide.
    DataFrame
        `TIME_COLUMNS`, a row per variable and time: the accuracy there, and the 5 % and 95 %
        quantiles of the shuffled accuracies. No rows where times are not decoded one by one.
    """
    dataset, activity = recording.attrs["dataset"], samples_by_neurons(recording)
    accuracies = decode(activity[None], plan, decoder)
    nulls = null_accuracy(activity, plan, decoder, n_permutations=n_permutations, seed=seed)
    rows, times = [], [pd.DataFrame(columns=TIME_COLUMNS)]
    for variable, codes in plan.classes.items():
        of_times, null_of_times = accuracies[variable][0], nulls[variable]
        accuracy, null = float(of_times.mean()), null_of_times.mean(1)
        chance_level = (null.mean(), null.max()) if len(null) else (np.nan, np.nan)
        p, smallest = permutation_p(accuracy, null), 1 / (1 + len(null))
        if smallest > SIGNIFICANT:
            logger.warning(
                "%s, variable %r: there are %d distinct shuffles of its labels, so that p cannot "
                "be below %.2g; whether it can be decoded is not decided",
                dataset,
                variable,
                len(null),
                smallest,
            )
        share = variance_share(plan.select(activity), codes)
        sizes = (codes.max() + 1, len(codes), plan.over)
        decided = (p, p <= SIGNIFICANT, share, len(null), smallest)
        accuracies_and_chance = (plan.chance(variable), accuracy, *chance_level)
        rows.append((dataset, variable, *sizes, *accuracies_and_chance, *decided))
        if recording.ndim == 3 and plan.over == CONDITIONS:
            times.append(_time_table(recording, plan, variable, of_times, null_of_times))
    return pd.DataFrame(rows, columns=REFERENCE_COLUMNS), pd.concat(times[1:] or times)


def _time_table(
    recording: xr.DataArray,
    plan: Design,
    variable: str,
    accuracy: np.ndarray,
    null: np.ndarray,
) -> pd.DataFrame:
    """Return the accuracy of one variable at each time.

    Parameters
    ----------
    accuracy : ndarray, shape (n_times,)
    null : ndarray, shape (n_shuffles, n_times)
    """
    first_rows = plan.samples[:, 0] // recording.sizes["condition"]
    time = recording.time if "time" in recording.coords else None
    low, high = np.quantile(null, QUANTILES, axis=0) if len(null) else (np.nan, np.nan)
    return pd.DataFrame(
        {
            "dataset": recording.attrs["dataset"],
            "target": variable,
            "time": first_rows if time is None else time.values[first_rows],
            "time_units": "bins" if time is None else time.attrs.get("units", ""),
            "chance": plan.chance(variable),
            "accuracy": accuracy,
            "null_low": low,
            "null_high": high,
        }
    )[TIME_COLUMNS]


def accuracy_table(stored: xr.Dataset, plan: Design, decoder: Decoder) -> pd.DataFrame:
    """Decode the variables of a recording from the checkpoints of an optimisation.

    Parameters
    ----------
    stored : Dataset
        From `trajectories.to_dataset`, with checkpoints.
    plan : Design
    decoder : Decoder

    Returns
    -------
    DataFrame
        `ACCURACY_COLUMNS`, a row per variable and checkpoint.
    """
    names = {"dataset": stored.attrs["dataset"], "measure": stored.attrs["measure"]}
    checkpoints: dict[str, np.ndarray] = {
        name: stored[f"checkpoint_{name}"].values for name in ("seed", "step", "score")
    }
    activity = stored.checkpoint_activity
    # Blocks end where chunks do, so that results do not depend on them.
    chunk = datasets_per_chunk(plan.samples.shape[1], activity.shape[-1])
    size = chunk * max(1, int(BLOCK_BYTES // (4 * chunk * activity[0].size)))
    blocks = [
        decode(activity[start : start + size].values, plan, decoder)
        for start in range(0, len(activity), size)
    ]
    accuracies = {name: np.concatenate([block[name] for block in blocks]) for name in plan.classes}
    tables = [
        pd.DataFrame({**names, "target": variable, **checkpoints, "accuracy": accuracy.mean(1)})
        for variable, accuracy in accuracies.items()
    ]
    return pd.concat(tables) if tables else pd.DataFrame(columns=ACCURACY_COLUMNS)
