"""Tidy tables of how well variables are decoded along a score."""

from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.intervals import mean_with_interval
from scorebounds.optimization.summary import seed_table, threshold_table
from scorebounds.optimization.thresholds import curves_on_common_scores, first_crossing

DECODED = 0.9  # share of the way from chance to the reference's accuracy
SIGNIFICANT = 0.05
N_CURVE_POINTS = 40
REFERENCE_COLUMNS = [
    "dataset",
    "target",
    "n_classes",
    "n_samples",
    "samples",
    "chance",
    "reference",
    "null_mean",
    "null_highest",
    "p",
    "decodable",
    "variance_ratio",
    "n_shuffles",
    "smallest_p",
]
TIME_COLUMNS = [
    "dataset",
    "target",
    "time",
    "time_units",
    "chance",
    "accuracy",
    "null_low",
    "null_high",
]
ACCURACY_COLUMNS = ["dataset", "measure", "target", "seed", "step", "score", "accuracy"]
CURVE_COLUMNS = [
    "dataset",
    "measure",
    "target",
    "score",
    "accuracy_mean",
    "accuracy_low",
    "accuracy_high",
    "n_seeds",
]


def permutation_p(value: float, null: np.ndarray) -> float:
    """Return the one-sided p of a value among those of permuted labels, (b + 1) / (m + 1)."""
    return float((1 + np.sum(null >= value)) / (1 + len(null)))


def decoding_level(chance: float, reference: float) -> float:
    """Return the lowest accuracy at which a variable counts as decoded."""
    return chance + DECODED * (reference - chance)


def seed_thresholds(accuracies: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """Find the score at which each variable is decoded in each seed.

    Parameters
    ----------
    accuracies : DataFrame
        One dataset; `ACCURACY_COLUMNS`, a row per checkpoint, in the order of the steps.
    references : DataFrame
        One dataset; `REFERENCE_COLUMNS`.

    Returns
    -------
    DataFrame
        As of `seed_table`. A variable that cannot be decoded from the reference has no thresholds.
    """
    by_target = {row.target: row for row in references.itertuples()}
    tables = [seed_table("", "", "", [], np.empty((0, 0)))]
    for names, curves in accuracies.groupby(["dataset", "measure", "target"], sort=False):
        dataset, measure, target = map(str, names)
        of_target: Any = by_target[target]
        level = decoding_level(of_target.chance, of_target.reference)
        crossings = [
            _crossing(curve, level) if of_target.decodable else np.nan
            for _, curve in curves.groupby("seed")
        ]
        tables.append(
            seed_table(dataset, measure, "variable", [target], np.array(crossings)[:, None])
        )
    return pd.concat(tables[1:] or tables)


def variable_thresholds(accuracies: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """Find the score at which each variable is decoded, over seeds.

    Parameters are those of `seed_thresholds`.

    Returns
    -------
    DataFrame
        As of `threshold_table`.
    """
    keys = ["dataset", "measure", "target"]
    share = dict(zip(references.target, references.variance_ratio, strict=True))
    directions = {names: _direction(rows) for names, rows in accuracies.groupby(keys)}
    tables = [threshold_table("", "", "", [], np.empty(0), np.empty((0, 0)))]
    by_target = seed_thresholds(accuracies, references).groupby(keys, sort=False)
    for names, rows in by_target:
        dataset, measure, target = map(str, names)
        tables.append(
            threshold_table(
                dataset,
                measure,
                "variable",
                [target],
                np.array([share[target]]),
                rows.score.to_numpy()[:, None],
                directions[dataset, measure, target],
            )
        )
    return pd.concat(tables[1:] or tables)


def _direction(curves: pd.DataFrame) -> int:
    """Return 1 where the score rises during optimisation, −1 where it falls (a distance)."""
    score = curves.score[curves.seed == curves.seed.iloc[0]].dropna()
    return -1 if len(score) and score.iloc[-1] < score.iloc[0] else 1


def _crossing(curve: pd.DataFrame, level: float) -> float:
    if len(curve) < 2:
        return np.nan
    score, accuracy = curve.score.to_numpy(), curve.accuracy.to_numpy()
    return float(first_crossing(score, accuracy[:, None], np.array([level]))[0])


def mean_curves(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Average accuracies over seeds, on scores that all of the seeds passed.

    Parameters
    ----------
    accuracies : DataFrame
        `ACCURACY_COLUMNS`, a row per checkpoint, in the order of the steps.

    Returns
    -------
    DataFrame
        `CURVE_COLUMNS`: mean and 95 % interval of the mean (Student's t, within [0, 1]).
    """
    rows: list[tuple[object, ...]] = []
    for names, curves in accuracies.groupby(["dataset", "measure", "target"], sort=False):
        runs = [
            (curve.score.to_numpy(), curve.accuracy.to_numpy()[:, None])
            for _, curve in curves[np.isfinite(curves.score)].groupby("seed")
        ]
        if not runs:
            continue
        grid, read = curves_on_common_scores(runs, _direction(curves), N_CURVE_POINTS)
        for score, values in zip(grid, read[..., 0].T, strict=True):
            mean_and_ends = np.clip(mean_with_interval(values), 0, 1)
            rows.append((*names, score, *mean_and_ends, len(values)))
    return pd.DataFrame(rows, columns=CURVE_COLUMNS)
