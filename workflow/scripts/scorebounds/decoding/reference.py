"""Tables of how well variables are decoded from a recording and from synthetic data."""

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.recording import samples_by_neurons
from scorebounds.decoding.decoder import Decoder, decode, null_accuracy
from scorebounds.decoding.design import Design, variance_share
from scorebounds.decoding.summary import (
    ACCURACY_COLUMNS,
    REFERENCE_COLUMNS,
    SIGNIFICANT,
    permutation_p,
)


def reference_table(
    recording: xr.DataArray, plan: Design, decoder: Decoder, *, n_permutations: int, seed: int
) -> pd.DataFrame:
    """Decode the variables of a recording, and permuted labels for comparison.

    Returns
    -------
    DataFrame
        `REFERENCE_COLUMNS`, a row per variable of the plan.
    """
    activity, rows = samples_by_neurons(recording), []
    accuracies = decode(activity[None], plan, decoder)
    nulls = null_accuracy(activity, plan, decoder, n_permutations=n_permutations, seed=seed)
    for variable, codes in plan.classes.items():
        accuracy, null = accuracies[variable][0], nulls[variable]
        p = permutation_p(accuracy, null)
        share = variance_share(plan.select(activity), codes)
        row = (recording.attrs["dataset"], variable, codes.max() + 1, len(codes), plan.over)
        row += (plan.chance(variable), accuracy, null.mean(), null.max())
        rows.append((*row, p, p <= SIGNIFICANT, share))
    return pd.DataFrame(rows, columns=REFERENCE_COLUMNS)


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
    accuracies = decode(stored.checkpoint_activity.values, plan, decoder)
    tables = [
        pd.DataFrame({**names, "target": variable, **checkpoints, "accuracy": accuracy})
        for variable, accuracy in accuracies.items()
    ]
    return pd.concat(tables) if tables else pd.DataFrame(columns=ACCURACY_COLUMNS)
