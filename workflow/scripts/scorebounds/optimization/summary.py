"""Tidy tables of the results of an optimisation."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.intervals import median_with_interval
from scorebounds.optimization.thresholds import (
    HALFWAY,
    capture_is_defined,
    capture_thresholds,
    curves_on_common_scores,
)

logger = logging.getLogger(__name__)

# Scores at each step, and the R² of each component.
Run = tuple[np.ndarray, np.ndarray]

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
    "score_median",
    "score_all",
    "note",
]
UNDEFINED = (
    "capture is undefined, because there are as many neurons as samples: random data with as many "
    "neurons explain every component"
)
SEED_COLUMNS = ["dataset", "measure", "kind", "target", "seed", "score"]


def summarize_trajectories(stored: xr.Dataset, level: float = HALFWAY) -> dict[str, pd.DataFrame]:
    """Return the tables of one dataset and measure.

    Parameters
    ----------
    stored : Dataset
        From `trajectories.to_dataset`.
    level : float
        At which a component is captured, see `capture_thresholds`.

    Returns
    -------
    dict of str to DataFrame
        `thresholds`: the score at which each component is captured, over seeds; `seeds`: the same
        for each seed; `runs`: a row per seed, with its first and last score, number of updates and
        why it stopped; `trajectories`: the score at each step; `capture`: the R² of each component
        against the score. Where Y explains every component from the start, because it has as many
        neurons as samples, capture is undefined: `thresholds` has empty scores and a note, `seeds`
        and `capture` have no rows.
    """
    names = {"dataset": stored.attrs["dataset"], "measure": stored.attrs["measure"]}
    components = stored.component.values
    variance_ratio = stored.variance_ratio.values
    runs = _runs(stored)
    direction = int(stored.attrs["direction"])
    thresholds = np.stack([capture_thresholds(score, r2, level) for score, r2 in runs])
    defined = any(capture_is_defined(r2) for _, r2 in runs)
    if not defined:
        logger.warning(
            "%s, %s: there are no thresholds of components: %s",
            names["dataset"],
            names["measure"],
            UNDEFINED,
        )
    n_captured = np.isfinite(thresholds).sum(1) if defined else np.full(len(runs), np.nan)
    shown = np.arange(len(components) if defined else 0)
    return {
        "thresholds": threshold_table(
            **names,
            kind="pc",
            targets=components,
            variance_ratio=variance_ratio,
            thresholds=thresholds,
            direction=direction,
            note=stored.attrs.get("reduced", "") if defined else UNDEFINED,
        ),
        "seeds": seed_table(
            **names, kind="pc", targets=components[shown], thresholds=thresholds[:, shown]
        ),
        "runs": _run_table(names, runs, stored, n_captured),
        "trajectories": _trajectory_table(names, runs),
        "capture": _capture_table(
            names,
            components[shown],
            variance_ratio[shown],
            [(score, r2[:, shown]) for score, r2 in runs],
            direction,
        ),
    }


def _runs(stored: xr.Dataset) -> list[Run]:
    """Return the scores and the R² of each run, up to its last update."""
    ends = stored.n_updates.values + 1
    return [
        (score[:end], r2[:end].astype(np.float64))
        for score, r2, end in zip(stored.score.values, stored.captured.values, ends, strict=True)
    ]


def _run_table(
    names: dict[str, str], runs: Sequence[Run], stored: xr.Dataset, n_captured: np.ndarray
) -> pd.DataFrame:
    """List the runs: where each began and ended, and why."""
    return pd.DataFrame(
        {
            **names,
            "seed": np.arange(len(runs)),
            "first_score": [score[0] for score, _ in runs],
            "last_score": [score[-1] for score, _ in runs],
            "n_updates": stored.n_updates.values,
            "stop_reason": stored.stop_reason.values,
            "n_captured": n_captured,
        }
    )


def _trajectory_table(names: dict[str, str], runs: Sequence[Run]) -> pd.DataFrame:
    """List the score of each run at each step."""
    return pd.concat(
        [
            pd.DataFrame({**names, "seed": seed, "step": np.arange(len(score)), "score": score})
            for seed, (score, _) in enumerate(runs)
        ]
    )


def _capture_table(
    names: dict[str, str],
    components: np.ndarray,
    variance_ratio: np.ndarray,
    runs: Sequence[Run],
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
    targets: Sequence[str | int] | np.ndarray,
    variance_ratio: np.ndarray,
    thresholds: np.ndarray,
    direction: int = 1,
    note: str = "",
) -> pd.DataFrame:
    """Summarise thresholds over seeds, a row per target.

    A target is captured by optimised data with a given score if it is captured in all seeds, that
    is, at scores of at least `score_all`. Otherwise it is captured in `n_reached` of `n_seeds`
    seeds.

    Parameters
    ----------
    dataset, measure, kind : str
        `kind` is `pc` or `variable`.
    targets : sequence
        Number of the component, from 1, or name of the variable.
    variance_ratio : ndarray, shape (n_targets,)
        Share of the reference's variance along the component, or between the variable's classes.
    thresholds : ndarray, shape (n_seeds, n_targets)
        NaN where a seed never captured the target.
    direction : int
        −1 where the score falls during optimisation (a distance).
    note : str
        Why there are no thresholds, if they are not defined.

    Returns
    -------
    DataFrame
        `THRESHOLD_COLUMNS`. `score_mean` is the mean over the `n_reached` seeds that captured the
        target. `score_median` is the median over all seeds, with never as a score beyond all
        others, and `score_low`, `score_high` its interval (`median_with_interval`), which stays
        within the range of the measure; they are empty where never decides them. `score_all` is
        the lowest score at which all seeds have captured the target, empty unless all did.
    """
    never = direction * np.inf
    rows = []
    for target, share, of_target in zip(targets, variance_ratio, thresholds.T, strict=True):
        reached = of_target[np.isfinite(of_target)]
        summary = median_with_interval(np.where(np.isfinite(of_target), of_target, never))
        median, low, high = (value if np.isfinite(value) else np.nan for value in summary)
        rows.append(
            {
                "dataset": dataset,
                "measure": measure,
                "kind": kind,
                "target": target,
                "variance_ratio": share,
                "score_mean": reached.mean() if len(reached) else np.nan,
                "score_low": low,
                "score_high": high,
                "n_seeds": len(of_target),
                "n_reached": len(reached),
                "score_median": median,
                "score_all": direction * (direction * of_target).max(),
                "note": note,
            }
        )
    return pd.DataFrame(rows, columns=THRESHOLD_COLUMNS)


def seed_table(
    dataset: str,
    measure: str,
    kind: str,
    targets: Sequence[str | int] | np.ndarray,
    thresholds: np.ndarray,
) -> pd.DataFrame:
    """List the threshold of each target and seed; parameters as of `threshold_table`.

    Returns
    -------
    DataFrame
        `SEED_COLUMNS`; `score` is empty where the seed never captured the target.
    """
    n_seeds, n_targets = thresholds.shape
    return pd.DataFrame(
        {
            "dataset": dataset,
            "measure": measure,
            "kind": kind,
            "target": np.repeat(targets, n_seeds),
            "seed": np.tile(np.arange(n_seeds), n_targets),
            "score": thresholds.T.ravel(),
        }
    )[SEED_COLUMNS]
