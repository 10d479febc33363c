"""Dyer et al. 2017: motor cortex in centre-out reaching, single trials of subject C."""

from pathlib import Path

import numpy as np
import scipy.io
import xarray as xr

from scorebounds.core.recording import recording

N_BINS = 31  # of each trial, from the 15th after the go cue on
BIN_MS = 10
SUMMED = 8  # bins that each count is the sum of, backwards from its own
CUT_ROWS = 20  # rows before the first whole trial of the second half
DEGREES = {0: -90, 1: -45, 2: 0, 3: 90}


def load(files: list[Path]) -> xr.DataArray:
    """Put the whole trials of both halves together, without the bins that mix two trials.

    The file has trials one after the other, of equal length, and trailing sums of counts that run
    across them: the first seven bins of a trial hold counts of the trial before and are left out,
    as are the trials that were cut where the halves begin and end.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        24 × 96 × 71 spike counts in windows of 80 ms every 10 ms; a condition is a trial, `target`
        its direction in degrees.
    """
    (path,) = files
    stored = scipy.io.loadmat(path)
    trials, targets = [], []
    for half, first in (("tr", 0), ("te", CUT_ROWS)):
        counts, labels = stored[f"Y{half}"][first:], stored[f"T{half}"][first:]
        n_trials = len(counts) // N_BINS
        trials.append(counts[: n_trials * N_BINS].reshape(n_trials, N_BINS, -1))
        by_trial = labels[: n_trials * N_BINS].reshape(n_trials, N_BINS)
        if (by_trial != by_trial[:, :1]).any():
            raise ValueError(
                f"{path}, T{half}: expected one target for all {N_BINS} bins of a trial"
            )
        targets.append(by_trial[:, 0])
    activity = np.concatenate(trials).transpose(1, 0, 2)[SUMMED - 1 :]
    degrees = np.array([DEGREES[target] for target in np.concatenate(targets).tolist()])
    varies = np.ptp(activity, axis=(0, 1)) > 0
    return recording(
        activity[..., varies],
        {"target": degrees},
        units="spikes per 80 ms",
        time=BIN_MS * (15 + np.arange(SUMMED - 1, N_BINS)),
    )
