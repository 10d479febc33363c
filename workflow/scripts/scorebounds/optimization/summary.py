"""Tidy tables of the results of an optimisation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.intervals import mean_with_interval
from scorebounds.optimization.thresholds import capture_thresholds, curves_on_common_scores

N_CURVE_POINTS = 60
CAPTURE_COLUMNS = ["dataset", "measure", "target", "variance_ratio", "score", "r2"]
THRESHOLD_COLUMNS = [
    "dataset",
    "measure",
    "kind",
    "target",
    "variance_ratio",
    "score_mean",
    "score_low",
    "score_high",
    "n_seeds",
    "n_reached",
]


def summarize_trajectories(stored: xr.Dataset) -> dict[str, pd.DataFrame]:
    """Return the tables of one dataset and measure.

    Parameters
    ----------
    stored : Dataset
        From `trajectories.to_dataset`.

    Returns
    -------
    dict of str to DataFrame
        `thresholds`: the score at which each component is captured, over seeds; `runs`: a row per
        seed, with its first and last score, number of updates and why it stopped; `trajectories`:
        the score at each step; `capture`: the R² of each component along the score.
    """
    names = {"dataset": stored.attrs["dataset"], "measure": stored.attrs["measure"]}
    components = stored.component.values
    variance_ratio = stored.variance_ratio.values
    last = stored.n_updates.values
    scores = [row[: end + 1] for row, end in zip(stored.score.values, last, strict=True)]
    captured = [
        values[: end + 1].astype(np.float64)
        for values, end in zip(stored.captured.values, last, strict=True)
    ]
    thresholds = np.stack(
        [capture_thresholds(score, r2) for score, r2 in zip(scores, captured, strict=True)]
    )
    runs = pd.DataFrame(
        {
            **names,
            "seed": np.arange(len(scores)),
            "first_score": [score[0] for score in scores],
            "last_score": [score[-1] for score in scores],
            "n_updates": last,
            "stop_reason": stored.stop_reason.values,
            "n_captured": np.isfinite(thresholds).sum(1),
        }
    )
    steps = [
        pd.DataFrame({**names, "seed": seed, "step": np.arange(len(score)), "score": score})
        for seed, score in enumerate(scores)
    ]
    return {
        "thresholds": threshold_table(
            **names,
            kind="pc",
            targets=components,
            variance_ratio=variance_ratio,
            thresholds=thresholds,
        ),
        "runs": runs,
        "trajectories": pd.concat(steps),
        "capture": _capture_table(
            names,
            components,
            variance_ratio,
            list(zip(scores, captured, strict=True)),
            int(stored.attrs["direction"]),
        ),
    }


def _capture_table(
    names: dict[str, str],
    components: np.ndarray,
    variance_ratio: np.ndarray,
    runs: Sequence[tuple[np.ndarray, np.ndarray]],
    direction: int,
) -> pd.DataFrame:
    """Average the R² of each component over seeds, on scores that all seeds passed."""
    grid, curves = curves_on_common_scores(runs, direction, N_CURVE_POINTS)
    return pd.DataFrame(
        {
            **names,
            "target": np.tile(components, len(grid)),
            "variance_ratio": np.tile(variance_ratio, len(grid)),
            "score": np.repeat(grid, len(components)),
            "r2": curves.mean(0).ravel(),
        }
    )[CAPTURE_COLUMNS]


def threshold_table(
    dataset: str,
    measure: str,
    kind: str,
    targets: Sequence[str | int],
    variance_ratio: np.ndarray,
    thresholds: np.ndarray,
) -> pd.DataFrame:
    """Summarise thresholds over seeds, a row per target.

    Parameters
    ----------
    dataset, measure, kind : str
        `kind` is `pc` or `variable`.
    targets : sequence
        Number of the component, from 1, or name of the variable.
    variance_ratio : ndarray, shape (n_targets,)
        Share of the reference's variance along the component, or between the variable's classes.
    thresholds : ndarray, shape (n_seeds, n_targets)
        NaN where a seed did not get there; `n_reached` counts the others, over which the mean
        and interval are taken.
    """
    rows = []
    for index, target in enumerate(targets):
        of_target = thresholds[:, index]
        mean, low, high = mean_with_interval(of_target)
        rows.append(
            {
                "dataset": dataset,
                "measure": measure,
                "kind": kind,
                "target": target,
                "variance_ratio": variance_ratio[index],
                "score_mean": mean,
                "score_low": low,
                "score_high": high,
                "n_seeds": len(of_target),
                "n_reached": int(np.isfinite(of_target).sum()),
            }
        )
    return pd.DataFrame(rows, columns=THRESHOLD_COLUMNS)
