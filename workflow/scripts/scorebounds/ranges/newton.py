"""Newton's method in three dimensions, for many small smooth problems at once."""

from collections.abc import Callable

import numpy as np

N_STEPS = 6
# Relative distance of the points between which slopes are compared.
DIFFERENCE = 1e-5
# Shares of a step that are tried.
SHARES = (1.0, 0.3)

# Takes the rows of the batch and their points, and returns the slopes there.
Slopes = Callable[[np.ndarray, np.ndarray], np.ndarray]


def make_stationary(slopes: Slopes, start: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Move points until the slope vanishes, as far as Newton's steps reduce it.

    Parameters
    ----------
    slopes : callable
        See `Slopes`.
    start : ndarray, shape (n_problems, 3)
    least : ndarray, shape (3,)
        Smallest value of each coordinate.

    Returns
    -------
    ndarray, shape (n_problems, 3)
    """
    n, dimensions = start.shape
    rows = np.arange(n)
    at, slope = start.copy(), slopes(rows, start)
    for _ in range(N_STEPS):
        width = DIFFERENCE * (np.abs(at) + 1e-2)
        matrix = np.empty((n, dimensions, dimensions))
        for k in range(dimensions):
            moved = at.copy()
            moved[:, k] += width[:, k]
            matrix[:, :, k] = (slopes(rows, moved) - slope) / width[:, k, None]
        # A damped inverse: where the function is linear in a direction, the step there is 0.
        step = -np.einsum("bij,bj->bi", np.linalg.pinv(matrix, rcond=1e-10), slope)
        size = np.linalg.norm(slope, axis=1)
        open_rows: np.ndarray = np.ones(n, dtype=bool)
        for share in SHARES:
            tried = np.maximum(at + share * step, least)
            there = slopes(rows, tried)
            better = open_rows & (np.linalg.norm(there, axis=1) < 0.9 * size)
            at[better], slope[better] = tried[better], there[better]
            open_rows &= ~better
        if open_rows.all():
            break
    return at


def promising(reached: np.ndarray, value: np.ndarray, n: int) -> np.ndarray:
    """Return the rows with the n largest scores, and those with the n largest dual values.

    Where a dual has converged, its maximiser can still be far from meeting the constraints: it
    has a low score until it is made stationary.
    """
    value = np.where(np.isfinite(value), value, -np.inf)
    largest = [np.argsort(-each, kind="stable")[:n] for each in (reached, value)]
    return np.unique(np.concatenate(largest))
