"""Tidy tables of how well variables are decoded along a score."""

from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.intervals import mean_with_interval
from scorebounds.optimization.summary import threshold_table
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


def variable_thresholds(accuracies: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """Find the score at which each variable is decoded, over seeds.

    Parameters
    ----------
    accuracies : DataFrame
        One dataset; `ACCURACY_COLUMNS`, a row per checkpoint, in the order of the steps.
    references : DataFrame
        One dataset; `REFERENCE_COLUMNS`.

    Returns
    -------
    DataFrame
        As of `threshold_table`. A variable that cannot be decoded from the reference has
        no threshold, and no seed counts as having reached it.
    """
    by_target = {row.target: row for row in references.itertuples()}
    tables = [threshold_table("", "", "", [], np.array([]), np.array([]))]
    for names, curves in accuracies.groupby(["dataset", "measure", "target"], sort=False):
        dataset, measure, target = map(str, names)
        of_target: Any = by_target[target]
        level = decoding_level(of_target.chance, of_target.reference)
        crossings = [
            _crossing(curve, level) if of_target.decodable else np.nan
            for _, curve in curves.groupby("seed")
        ]
        share = np.array([of_target.variance_ratio])
        tables.append(
            threshold_table(
                dataset, measure, "variable", [target], share, np.array(crossings)[:, None]
            )
        )
    return pd.concat(tables[1:] or tables)


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
        `CURVE_COLUMNS`: mean and 95 % interval of the mean (Student's t).
    """
    rows: list[tuple[object, ...]] = []
    for names, curves in accuracies.groupby(["dataset", "measure", "target"], sort=False):
        runs = [
            (curve.score.to_numpy(), curve.accuracy.to_numpy()[:, None])
            for _, curve in curves[np.isfinite(curves.score)].groupby("seed")
        ]
        if not runs:
            continue
        first, last = runs[0][0][[0, -1]]
        direction = 1 if last >= first else -1  # a distance falls during optimisation
        grid, read = curves_on_common_scores(runs, direction, N_CURVE_POINTS)
        for score, values in zip(grid, read[..., 0].T, strict=True):
            rows.append((*names, score, *mean_with_interval(values), len(values)))
    return pd.DataFrame(rows, columns=CURVE_COLUMNS)
