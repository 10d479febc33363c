"""The toy with two neurons: what its synthetic data capture on the way, and how they look.

Figure 2 of the website of Cloos et al. 2025.
"""

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.optimization.thresholds import curve_over_score

N_SCORES = 40
CURVE_COLUMNS = ["measure", "target", "score", "r2_mean", "r2_sd"]


def capture_curves(stored: xr.Dataset) -> pd.DataFrame:
    """Return the R² of each component along the score, over seeds.

    Parameters
    ----------
    stored : Dataset
        From `trajectories.to_dataset`.

    Returns
    -------
    DataFrame
        Columns measure, target, score, r2_mean, r2_sd; on the scores that all seeds passed, of
        which there may be none.
    """
    direction = int(stored.attrs["direction"])
    # A seed that stopped early, or at a score that is not finite, is NaN from there on.
    passed = [(score, np.isfinite(score)) for score in direction * stored.score.values]
    runs = [
        (score[finite], captured[finite])
        for (score, finite), captured in zip(passed, stored.captured.values, strict=True)
    ]
    if not all(len(score) for score, _ in runs):
        return pd.DataFrame(columns=CURVE_COLUMNS)
    lowest, highest = max(run[0][0] for run in runs), min(run[0].max() for run in runs)
    if highest <= lowest:
        return pd.DataFrame(columns=CURVE_COLUMNS)
    grid = np.linspace(lowest, highest, N_SCORES)
    curves = np.stack([curve_over_score(score, captured, grid) for score, captured in runs])
    targets = stored.component.values
    return pd.DataFrame(
        {
            "measure": stored.attrs["measure"],
            "target": np.tile(targets, len(grid)),
            "score": np.repeat(direction * grid, len(targets)),
            "r2_mean": curves.mean(0).ravel(),
            "r2_sd": curves.std(0, ddof=1).ravel() if len(curves) > 1 else np.nan,
        }
    )


def snapshots(stored: xr.Dataset, reference: xr.DataArray) -> pd.DataFrame:
    """Return the first seed's data at the scores at which they were kept, laid over X for display.

    Y is centred, scaled to the size of X and turned by the rotation (or reflection) that fits it
    best, none of which CKA and Procrustes see, and ridge regression only as far as its penalty
    goes. Axes are X's principal components. Where nothing was kept on the way
    (`n_checkpoints: 0`), there is one frame, the end.

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
        y = laid_over(x, activity.astype(np.float64))
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


def laid_over(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Centre `y`, scale it to the size of centred `x`, and rotate it for the best fit."""
    y = y - y.mean(0)
    y = y * np.linalg.norm(x) / np.linalg.norm(y)
    u, _, vt = np.linalg.svd(y.T @ x)
    return y @ u @ vt
