"""A simulated prefrontal population in the context-dependent decision task of Mante et al. 2013."""

import itertools
from collections.abc import Mapping

import numpy as np
import xarray as xr

from scorebounds.core.recording import recording
from scorebounds.datasets.mante2013 import condition_names

N_TIMES = 15
FIRST_TIME_MS, BIN_MS = 125, 50
COHERENCES = (-0.5, -0.15, -0.05, 0.05, 0.15, 0.5)
RANKS = (-3, -2, -1, 1, 2, 3)
BASELINE_HZ, RATE_SD_HZ = 30.0, 6.0
TASK_VARIABLES = ("time", "choice", "motion", "colour", "context")


def make(
    rng: np.random.Generator, *, n_neurons: int, variance_shares: Mapping[str, float]
) -> xr.DataArray:
    """Simulate neurons of mixed selectivity in a context-dependent decision task.

    Motion and colour evidence is shown at six coherences each, in two contexts; the choice
    follows the evidence that the context makes relevant. Every task variable has a time course
    and a random axis in neuron space, orthogonal to the other axes, so that it carries exactly
    its share of the variance; neurons mix all of them. The residual fills all dimensions, with a
    power-law spectrum and smooth in time.

    Parameters
    ----------
    rng : Generator
    n_neurons : int
        At least 5, one for each axis.
    variance_shares : mapping of str to float
        Share of the variance of time (the same in all conditions), choice, motion, colour,
        context and residual; they sum to 1.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        15 × 72 × n_neurons rates in Hz, with the task variables as coordinates.
    """
    expected = {*TASK_VARIABLES, "residual"}
    if set(variance_shares) != expected or abs(sum(variance_shares.values()) - 1) > 1e-6:
        raise ValueError(
            f"simulated-pfc: expected variance shares of {sorted(expected)} that sum to 1, "
            f"got {dict(variance_shares)}"
        )
    conditions = list(itertools.product(COHERENCES, COHERENCES, ("motion", "colour")))
    motion = np.array([condition[0] for condition in conditions])
    colour = np.array([condition[1] for condition in conditions])
    context = np.array([condition[2] for condition in conditions])
    choice = np.sign(np.where(context == "motion", motion, colour))
    courses = _time_courses(motion, colour, np.where(context == "motion", 1.0, -1.0), choice)
    axes = np.linalg.qr(rng.standard_normal((n_neurons, n_neurons)))[0]
    activity = np.zeros((N_TIMES, len(conditions), n_neurons))
    for axis, variable in enumerate(TASK_VARIABLES):
        course = courses[variable] / courses[variable].std()
        activity += np.sqrt(variance_shares[variable]) * course[..., None] * axes[:, axis]
    residual = _residual(rng, activity.shape)
    activity += np.sqrt(variance_shares["residual"]) * residual
    labels = {
        "choice": np.where(choice > 0, "right", "left"),
        "motion": np.where(motion > 0, "right", "left"),
        "colour": np.where(colour > 0, "green", "red"),
        "context": context,
    }
    ranks = dict(zip(COHERENCES, RANKS, strict=True))
    return recording(
        # A unit of total variance is spread over the neurons.
        BASELINE_HZ + RATE_SD_HZ * np.sqrt(n_neurons) * activity,
        labels,
        units="Hz",
        time=FIRST_TIME_MS + BIN_MS * np.arange(N_TIMES),
        names=condition_names(
            np.array([ranks[coherence] for coherence in motion]),
            np.array([ranks[coherence] for coherence in colour]),
            context,
        ),
        done=["simulated neurons of mixed selectivity"],
    )


def _time_courses(
    motion: np.ndarray, colour: np.ndarray, context: np.ndarray, choice: np.ndarray
) -> dict[str, np.ndarray]:
    """Return each variable's value at each (time, condition), centred."""
    t = np.linspace(0, 1, N_TIMES)[:, None]
    evidence = t * np.exp(-3 * t)
    courses = {
        "time": np.cos(np.pi * t) + 0.5 * evidence + 0 * motion,
        "choice": t**1.5 * choice,
        "motion": evidence * motion,
        "colour": evidence * colour,
        "context": np.ones_like(t) * context,
    }
    return {name: course - course.mean() for name, course in courses.items()}


def _residual(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw centred activity of unit total variance, smooth in time, of power-law spectrum."""
    lags = np.subtract.outer(np.arange(shape[0]), np.arange(shape[0]))
    smooth = np.linalg.cholesky(np.exp(-np.abs(lags) / 2))
    noise = np.tensordot(smooth, rng.standard_normal(shape), axes=1)
    noise -= noise.mean((0, 1))
    axes = np.linalg.qr(rng.standard_normal((shape[-1], shape[-1])))[0]
    spectrum = 1 / np.arange(1, shape[-1] + 1)
    residual = noise * np.sqrt(spectrum) @ axes.T
    return np.asarray(residual / np.sqrt(residual.var((0, 1)).sum()))
