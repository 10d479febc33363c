"""Datasets that the software makes itself, so that their ground truth is known."""

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
N_TOY_TIMES, TOY_SPREAD = 10, 0.35
TASK_VARIABLES = ("time", "choice", "motion", "colour", "context")


def ultrametric(
    rng: np.random.Generator,
    *,
    branching: tuple[int, ...] = (2, 5, 10),
    n_features: int = 50,
    resample_probability: float = 0.2,
) -> xr.DataArray:
    """Draw binary features down a tree, so that distances between the leaves are nested.

    Each child copies its parent's bits and draws each anew with the given probability. The label
    is the branch before the last, whose leaves are a category. Cloos et al. 2025, supplement.

    Returns
    -------
    DataArray, dims (sample, neuron)
        Leaves by features, 0 or 1, with the coordinate `category`.
    """
    nodes = rng.integers(0, 2, size=(1, n_features))
    for children in branching:
        copies = np.repeat(nodes, children, axis=0)
        drawn = rng.integers(0, 2, size=copies.shape)
        nodes = np.where(rng.random(copies.shape) < resample_probability, drawn, copies)
    category = np.repeat(np.arange(len(nodes) // branching[-1]), branching[-1])
    done = ["drew binary features down a tree"]
    return recording(nodes, {"category": category}, units="1", done=done)


def two_fans(rng: np.random.Generator) -> xr.DataArray:
    """Draw two fans of curved trajectories that leave the origin in opposite directions.

    In two neurons, whose first principal component is the direction of the fans and whose second,
    much weaker one is their spread. A toy to watch what a score captures first.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        10 × 6 × 2, without unit, with the coordinate `fan`.
    """
    t = np.linspace(0.1, 1, N_TOY_TIMES)[:, None]
    side = np.array([-1, -1, -1, 1, 1, 1])
    bend = np.array([-1, 0, 1, -1, 0, 1])
    along = side * t
    across = TOY_SPREAD * bend * t**2
    rotation = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    activity = np.stack([along, across], axis=-1) @ rotation
    return recording(activity, {"fan": np.where(side < 0, "left", "right")}, units="1")


def simulated_pfc(
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


def _time_courses(motion, colour, context, choice) -> dict[str, np.ndarray]:
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
    return residual / np.sqrt(residual.var((0, 1)).sum())
