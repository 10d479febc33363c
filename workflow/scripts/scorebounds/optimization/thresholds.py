"""The score at which something is captured, over seeds."""

from collections.abc import Sequence

import numpy as np

HALFWAY = 0.5
LEAST_TO_GAIN = 1e-4  # an R² closer to 1 moves by rounding only


def first_crossing(score: np.ndarray, value: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the score at which each curve first rises through its level.

    Parameters
    ----------
    score : ndarray, shape (n_steps,)
        Score at each step.
    value : ndarray, shape (n_steps, n_curves)
        Value of each curve at each step.
    level : ndarray, shape (n_curves,)
        Above the first value of the curve.

    Returns
    -------
    ndarray, shape (n_curves,)
        Interpolated between the two steps on either side; NaN for a curve that never crosses.
    """
    above = value[1:] >= level
    below = value[:-1] < level
    crossing = above & below
    step = crossing.argmax(0)
    curve = np.arange(value.shape[1])
    before, after = value[step, curve], value[step + 1, curve]
    rise = np.where(after > before, after - before, 1)
    between = score[step] + (level - before) / rise * (score[step + 1] - score[step])
    return np.where(crossing.any(0), between, np.nan)


def capture_thresholds(
    score: np.ndarray, captured: np.ndarray, level: float = HALFWAY
) -> np.ndarray:
    """Return the score at which each principal component is captured.

    A component is captured when its R² first rises through a level between its first value and 1,
    by default the middle. Cloos et al. 2025, section 3. A component whose R² is 1 from the start,
    as for all where Y has as many neurons as there are samples, is never captured.

    Parameters
    ----------
    score : ndarray, shape (n_steps,)
    captured : ndarray, shape (n_steps, n_components)
        R² of each component.
    level : float
        Share of the way from the first value to 1, between 0 and 1.

    Returns
    -------
    ndarray, shape (n_components,)
        NaN for a component that is never captured.
    """
    if len(score) < 2:
        return np.full(captured.shape[1], np.nan)
    start = captured[0]
    crossed = first_crossing(score, captured, start + level * (1 - start))
    return np.where(1 - start > LEAST_TO_GAIN, crossed, np.nan)


def capture_is_defined(captured: np.ndarray) -> bool:
    """Return whether Y leaves anything to capture at its start.

    Y with as many neurons as there are samples explains every component whatever it is.

    Parameters
    ----------
    captured : ndarray, shape (n_steps, n_components)
        R² of each component.
    """
    return bool((1 - captured[0] > LEAST_TO_GAIN).any())


def curve_over_score(score: np.ndarray, value: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Interpolate curves at a grid of scores, each at the first step that reaches the score.

    Parameters
    ----------
    score : ndarray, shape (n_steps,)
    value : ndarray, shape (n_steps, n_curves)
    grid : ndarray, shape (n_grid,)

    Returns
    -------
    ndarray, shape (n_grid, n_curves)
        NaN at scores outside of what the trajectory passed.
    """
    rising = np.concatenate([[True], score[1:] > np.maximum.accumulate(score)[:-1]])
    x, y = score[rising], value[rising]
    read = np.array([np.interp(grid, x, column) for column in y.T]).reshape(-1, len(grid)).T
    return np.where(((grid >= x[0]) & (grid <= x[-1]))[:, None], read, np.nan)


def curves_on_common_scores(
    runs: Sequence[tuple[np.ndarray, np.ndarray]], direction: int, n_points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate the curves of several runs at evenly spaced scores that all of them passed.

    Parameters
    ----------
    runs : sequence of (ndarray of shape (n_steps,), ndarray of shape (n_steps, n_curves))
        Score at each step and value of each curve; steps with a score that is not finite are
        ignored. At least one run.
    direction : int
        1 where the score rises during a run, −1 where it falls (a distance).
    n_points : int
        Number of scores.

    Returns
    -------
    ndarray, shape (n_points,)
        The scores, from the first to the last; none (shape (0,)) where the runs have no range of
        scores in common.
    ndarray, shape (n_runs, n_points, n_curves)
    """
    rising = []
    for score, value in runs:
        finite = np.isfinite(score)
        rising.append((direction * score[finite], value[finite]))
    grid = np.empty(0)
    if all(len(score) for score, _ in rising):
        lowest = max(score[0] for score, _ in rising)
        highest = min(score.max() for score, _ in rising)
        if highest > lowest:
            grid = np.linspace(lowest, highest, n_points)
    if not grid.size:
        return grid, np.empty((len(runs), 0, runs[0][1].shape[1]))
    return direction * grid, np.stack([curve_over_score(*run, grid) for run in rising])
