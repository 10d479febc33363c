"""The ellipsoid method in three dimensions, for many small convex problems at once."""

from collections.abc import Callable

import numpy as np

N_DIMENSIONS = 3
# A cut deeper than this proves that nothing in the ellipsoid reaches the goal.
DEEPEST = 0.999
# Width of the ellipsoid along the gradient, in units of the objective, at which it has converged.
CONVERGED = 2e-4

# Takes the rows of the batch and their points; returns the objective, its subgradient, and where
# a point is outside the domain (there the subgradient is the outward normal of the constraint).
Objective = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def minimise_convex(
    objective: Objective,
    start: np.ndarray,
    radii: np.ndarray,
    goal: np.ndarray | None,
    n_steps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise convex functions of three variables by deep cuts, each until it meets its goal.

    Parameters
    ----------
    objective : callable
        See `Objective`.
    start, radii : ndarray, shape (n_problems, 3)
        Centres and half-axes of the first ellipsoids.
    goal : ndarray, shape (n_problems,), or None
        A problem stops at a value of at most its goal, or as soon as no point of its ellipsoid can
        reach it. None: search for the minimum.
    n_steps : int
        Largest number of steps.

    Returns
    -------
    tuple of ndarray, shapes (n_problems,) and (n_problems, 3)
        Smallest value met (inf where no point was inside the domain), and where.

    References
    ----------
    Bland, Goldfarb and Todd 1981, The ellipsoid method: a survey, Operations Research 29, 1039.
    """
    centre = start.copy()
    shape = np.zeros((len(start), N_DIMENSIONS, N_DIMENSIONS))
    diagonal = np.arange(N_DIMENSIONS)
    shape[:, diagonal, diagonal] = N_DIMENSIONS * radii**2
    best, where = np.full(len(start), np.inf), start.copy()
    live = np.arange(len(start))
    for _ in range(n_steps):
        at = centre[live]
        value, slope, outside = objective(live, at)
        better = ~outside & (value < best[live])
        best[live[better]], where[live[better]] = value[better], at[better]
        matrix = shape[live]
        across = np.einsum("bij,bj->bi", matrix, slope)
        width = np.sqrt(np.maximum((across * slope).sum(1), 1e-300))
        reference = best[live] if goal is None else goal[live]
        depth = np.where(outside, 0, (value - np.minimum(reference, value)) / width)
        done = (depth >= DEEPEST) | (width < (CONVERGED if goal is None else 1e-12))
        if goal is not None:
            done |= ~outside & (value <= goal[live])
        centre[live], shape[live] = _cut(at, matrix, across / width[:, None], depth)
        live = live[~done]
        if not len(live):
            break
    return best, where


def _cut(
    centre: np.ndarray, matrix: np.ndarray, direction: np.ndarray, depth: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest ellipsoids around the parts that deep cuts leave."""
    n = N_DIMENSIONS
    depth = np.minimum(np.maximum(depth, 0), 0.95)[:, None]
    step = (1 + n * depth) / (n + 1)
    outer = direction[:, :, None] * direction[:, None, :]
    shrunk = matrix - (2 * step / (1 + depth))[:, :, None] * outer
    return centre - step * direction, (n * n * (1 - depth**2) / (n * n - 1))[:, :, None] * shrunk
