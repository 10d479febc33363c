"""Checks of arrays that name what was expected and what came."""

import logging

import numpy as np

logger = logging.getLogger(__name__)

MIN_SAMPLES = 3
# Why there have to be so many, and what to do with two.
FEW_SAMPLES = (
    "; with two, every model scores as a copy would: take more conditions, or decode the two "
    "(docs/decoding.md)"
)


def require_activity(activity: np.ndarray, name: str) -> None:
    """Raise ValueError, naming `name`, unless `activity` (..., n_neurons) can be a reference.

    All axes but the last are samples. Every neuron has to vary, or it would only add a dimension
    that no score can see.
    """
    if activity.ndim not in (2, 3):
        raise ValueError(
            f"{name}: expected activity (sample, neuron) or (time, condition, neuron), "
            f"got {activity.ndim} dimension(s) of shape {activity.shape}"
        )
    if not np.issubdtype(activity.dtype, np.floating):
        raise ValueError(f"{name}: expected activity of real numbers, got {activity.dtype}")
    if activity.shape[-1] == 0:
        raise ValueError(f"{name}: expected at least one neuron, got shape {activity.shape}")
    flat = activity.reshape(-1, activity.shape[-1])
    if flat.shape[0] < MIN_SAMPLES:
        raise ValueError(
            f"{name}: expected at least {MIN_SAMPLES} samples, got {flat.shape[0]} "
            f"(shape {activity.shape})"
        )
    bad = np.flatnonzero(~np.isfinite(flat).all(axis=0))
    if bad.size:
        raise ValueError(
            f"{name}: expected finite activity, got NaN or infinity in {count_neurons(bad)}; "
            f"fill them in, or leave them out (`drop` in docs/data.md)"
        )
    constant = np.flatnonzero(np.ptp(flat, axis=0) == 0)
    if constant.size:
        raise ValueError(
            f"{name}: expected every neuron to vary over samples, got a constant value in "
            f"{count_neurons(constant)}; leave them out (`drop` in docs/data.md)"
        )


def warn_of_width(activity: np.ndarray, name: str) -> None:
    """Warn where there are so many neurons that least squares explains any component."""
    n_samples, n_neurons = activity.reshape(-1, activity.shape[-1]).shape
    if n_neurons >= n_samples - 1:
        logger.warning(
            "%s: with %d neurons and %d samples, data of as many random neurons explain every "
            "component from the start: there will be no thresholds, and linear regression scores 1 "
            "whatever the data; take more samples or fewer neurons",
            name,
            n_neurons,
            n_samples,
        )


def count_neurons(indices: np.ndarray) -> str:
    """Say how many neurons, and which."""
    shown = ", ".join(str(index) for index in indices[:5])
    more = f" and {indices.size - 5} more" if indices.size > 5 else ""
    return f"{indices.size} neuron(s): number {shown}{more}, counted from 0"
