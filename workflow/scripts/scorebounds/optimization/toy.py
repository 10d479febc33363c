"""The toy with two neurons: what its synthetic data capture, and how they look.

Figure 2 of the website of Cloos et al. 2025.
"""

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.optimization.thresholds import curves_on_common_scores

N_SCORES = 40


def capture_curves(stored: xr.Dataset) -> pd.DataFrame:
    """Return the R² of each component along the score, over seeds.

    Parameters
    ----------
    stored : Dataset
        From `trajectories.to_dataset`.

    Returns
    -------
    DataFrame
        Columns measure, target, score, r2_mean, r2_sd; on the scores that all seeds passed; no row
        where there are none.
    """
    runs = list(zip(stored.score.values, stored.captured.values, strict=True))
    grid, curves = curves_on_common_scores(runs, int(stored.attrs["direction"]), N_SCORES)
    targets = stored.component.values
    return pd.DataFrame(
        {
            "measure": stored.attrs["measure"],
            "target": np.tile(targets, len(grid)),
            "score": np.repeat(grid, len(targets)),
            "r2_mean": curves.mean(0).ravel(),
            "r2_sd": curves.std(0, ddof=1).ravel() if len(curves) > 1 else np.nan,
        }
    )


def snapshots(stored: xr.Dataset, reference: xr.DataArray) -> pd.DataFrame:
    """Return the checkpoints of the first seed, aligned with X for display.

    Y is centred, scaled to the size of X and rotated (or reflected) to fit X best. CKA and
    Procrustes are invariant to all of this, ridge regression apart from its penalty. Axes are the
    principal components of X. Without checkpoints (`n_checkpoints: 0`) there is one frame, the
    end.

    Returns
    -------
    DataFrame
        Columns measure, frame, score, time, condition, fan, x, y, reference_x, reference_y.
    """
    n_times, n_conditions, _ = reference.shape
    flat = reference.values.reshape(n_times * n_conditions, -1)
    centred = flat - flat.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    x = centred @ axes.T
    time, condition = np.divmod(np.arange(len(x)), n_conditions)
    tables = []
    for frame, (score, activity) in enumerate(_kept_of_first_seed(stored)):
        y = align(x, activity.astype(np.float64))
        tables.append(
            pd.DataFrame(
                {
                    "measure": stored.attrs["measure"],
                    "frame": frame,
                    "score": score,
                    "time": time,
                    "condition": condition,
                    "fan": reference.fan.values[condition],
                    "x": y[:, 0],
                    "y": y[:, 1],
                    "reference_x": x[:, 0],
                    "reference_y": x[:, 1],
                }
            )
        )
    return pd.concat(tables)


def _kept_of_first_seed(stored: xr.Dataset) -> list[tuple[float, np.ndarray]]:
    if "checkpoint_seed" not in stored:
        last = int(stored.n_updates[0])
        return [(float(stored.score[0, last]), stored.final_activity.values[0])]
    kept = np.flatnonzero(stored.checkpoint_seed.values == 0)
    scores, activities = stored.checkpoint_score.values, stored.checkpoint_activity.values
    return [(float(scores[index]), activities[index]) for index in kept]


def align(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Centre `y`, scale it to the size of centred `x`, and rotate it for the best fit."""
    y = y - y.mean(0)
    y = y * np.linalg.norm(x) / np.linalg.norm(y)
    u, _, vt = np.linalg.svd(y.T @ x)
    aligned: np.ndarray = y @ u @ vt
    return aligned
