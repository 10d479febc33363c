"""Hatsopoulos et al. 2007: motor cortex in centre-out reaching."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from scorebounds.core.recording import recording
from scorebounds.datasets.matlab import open_matlab

MS_PER_S = 1000.0
N_TARGETS = 8
# Single trials as in Cloos et al. 2025: ten bins of 50 ms from movement onset, smoothed with a
# Gaussian of 25 ms.
BIN_MS, N_BINS, SMOOTHING_MS = 50, 10, 25


def load(files: list[Path]) -> xr.DataArray:
    """Count the spikes of every trial from movement onset on.

    The bins are those of the whole recording, so that a trial starts up to one bin before its
    onset, and the kernel is the one that the paper sampled: ten points, even in number and half a
    bin aside, whose weights sum to 0.87. Both are kept, since the published thresholds rest on
    them.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        10 × n_trials × n_units smoothed spike counts in bins of 50 ms; `target` 0 to 7.
    """
    (path,) = files
    try:
        with open_matlab(path) as file:
            spikes = list(_vectors(file.read("spikes")))
            onsets = list(_vectors(file.read("stmv_cell"), keep_empty=True))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(
            f"{path}: expected spike times `spikes` and movement onsets `stmv_cell`: {error!r}"
        ) from error
    if len(onsets) != N_TARGETS:
        raise ValueError(f"{path}: expected onsets for {N_TARGETS} targets, got {len(onsets)}")
    first_bins = np.floor(MS_PER_S * np.concatenate(onsets) / BIN_MS).astype(np.int64)
    if not spikes or not first_bins.size or first_bins.min() < 0:
        raise ValueError(f"{path}: expected spikes, and movement onsets after time 0")
    n_bins = first_bins.max() + N_BINS
    counts = np.stack([_binned(times, n_bins) for times in spikes], axis=-1)
    activity = counts[first_bins + np.arange(N_BINS)[:, None]]
    kernel = _paper_kernel()
    smoothed = np.apply_along_axis(np.convolve, 0, activity.astype(np.float64), kernel, "same")
    return recording(
        smoothed,
        {"target": np.repeat(np.arange(N_TARGETS), [len(times) for times in onsets])},
        units="spikes per bin of 50 ms, smoothed",
        time=BIN_MS * (np.arange(N_BINS) + 0.5),
        done=[f"counted spikes in bins of {BIN_MS} ms from movement onset and smoothed them"],
    )


def _vectors(cells: Any, *, keep_empty: bool = False) -> Iterator[np.ndarray]:
    """Yield the vectors of numbers in nested cells."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "O":
        for cell in cells.ravel():
            yield from _vectors(cell, keep_empty=keep_empty)
    else:
        values = np.ravel(cells).astype(np.float64)
        if values.size or keep_empty:
            yield values


def _binned(times_s: np.ndarray, n_bins: int) -> np.ndarray:
    return np.histogram(MS_PER_S * times_s, n_bins, (0, n_bins * BIN_MS))[0]


def _paper_kernel() -> np.ndarray:
    sigma = SMOOTHING_MS / BIN_MS
    bins = np.linspace(-(N_BINS // 2), N_BINS // 2, N_BINS)
    return np.asarray(np.exp(-(bins**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi)))
