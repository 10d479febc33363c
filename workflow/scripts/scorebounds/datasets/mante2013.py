"""Mante et al. 2013: one MATLAB file per unit, trials of a context-dependent decision task."""

import logging
from pathlib import Path

import numpy as np
import scipy.io
import xarray as xr

from scorebounds.storage import recording

logger = logging.getLogger(__name__)

BIN_MS = 50
N_CONDITIONS = 72
HZ_PER_SPIKE_PER_MS = 1000.0


def load(files: list[Path]) -> xr.DataArray:
    """Average correct trials by condition and stack the units that have all 72 conditions.

    Coherence levels differ between sessions, so conditions are matched by the rank of the
    coherence. A unit without all conditions is left out, and the log says so.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        15 × 72 × n_units rates in Hz, in 50 ms bins.
    """
    units, time, reference_conditions = [], None, None
    for path in sorted(files):
        conditions, rates, time = _condition_averages(path)
        if len(conditions) != N_CONDITIONS:
            logger.info(
                "left out unit %s: it has %d of %d conditions",
                *(path.stem, len(conditions), N_CONDITIONS),
            )
            continue
        if reference_conditions is None:
            reference_conditions = conditions
        if not np.array_equal(conditions, reference_conditions):
            raise ValueError(f"{path}: expected the 72 conditions of the other units")
        units.append(rates)
    if reference_conditions is None:
        raise ValueError(f"expected a unit with {N_CONDITIONS} conditions in {len(files)} files")
    choice, motion, colour, context = reference_conditions.T
    labels = {
        "choice": np.where(choice > 0, "preferred", "other"),
        "motion": np.where(motion > 0, "preferred", "other"),
        "colour": np.where(colour > 0, "preferred", "other"),
        "context": np.where(context > 0, "motion", "colour"),
    }
    return recording(np.stack(units, axis=-1), labels, units="Hz", time=time)


def _condition_averages(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return conditions (n, 4), mean rates (n_bins, n) in Hz and bin centres in ms of one unit."""
    unit = scipy.io.loadmat(path, simplify_cells=True)["unit"]
    variables = unit["task_variable"]
    # Conditions are sorted by choice, motion, colour and context.
    columns = [variables["targ_dir"], _signed_rank(variables["stim_dir"])]
    columns += [_signed_rank(variables["stim_col2dir"]), variables["context"]]
    conditions, of_trial = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    n_bins = unit["response"].shape[1] // BIN_MS
    spikes = unit["response"][:, : n_bins * BIN_MS].astype(np.float64)
    by_bin = spikes.reshape(len(spikes), n_bins, BIN_MS).mean(-1)
    correct = np.asarray(variables["correct"]) == 1
    kept, rates = [], []
    for index in range(len(conditions)):
        trials = of_trial == index
        # A choice against the evidence is an error: such a condition has no correct trial.
        if correct[trials].all():
            kept.append(index)
            rates.append(by_bin[trials].mean(0))
    edges_ms = 1000 * np.asarray(unit["time"])[: n_bins * BIN_MS : BIN_MS]
    return (
        conditions[kept].astype(np.int64),
        HZ_PER_SPIKE_PER_MS * np.array(rates).T,
        np.round(edges_ms) + BIN_MS / 2,
    )


def _signed_rank(values: np.ndarray) -> np.ndarray:
    """Rank signed levels outwards from zero: −2 and −1 below it, 1 and 2 above."""
    levels, index = np.unique(values, return_inverse=True)
    ranks = np.arange(len(levels)) - np.sum(levels <= 0)
    return (ranks + (ranks >= 0))[index]
