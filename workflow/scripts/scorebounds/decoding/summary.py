"""Tidy tables of how well variables are decoded along a score."""

from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.intervals import mean_with_interval
from scorebounds.optimization.summary import threshold_table
from scorebounds.optimization.thresholds import curve_over_score, first_crossing

DECODED = 0.9  # share of the way from chance to the reference's accuracy
SIGNIFICANT = 0.05
N_CURVE_POINTS = 40
REFERENCE_COLUMNS = [
    *("dataset", "target", "n_classes", "n_samples", "samples", "chance", "reference"),
    *("null_mean", "null_highest", "p", "decodable", "variance_ratio"),
]
ACCURACY_COLUMNS = ["dataset", "measure", "target", "seed", "step", "score", "accuracy"]
CURVE_COLUMNS = [
    *("dataset", "measure", "target", "score"),
    *("accuracy_mean", "accuracy_low", "accuracy_high", "n_seeds"),
]


def permutation_p(value: float, null: np.ndarray) -> float:
    """Return the one-sided p of a value among those of permuted labels, (b + 1) / (m + 1)."""
    return float((1 + np.sum(null >= value)) / (1 + len(null)))


def decoding_level(chance: float, reference: float) -> float:
    """Return the accuracy from which on a variable counts as decoded."""
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
        As of `threshold_table`. A variable that the reference itself does not hold has no
        threshold, and no seed counts as having reached it.
    """
    by_target = {row.target: row for row in references.itertuples()}
    tables = [threshold_table("", "", "", [], np.array([]), np.array([]))]
    for names, curves in accuracies.groupby(["dataset", "measure", "target"], sort=False):
        dataset, measure, target = map(str, names)
        of_target: Any = by_target[target]
        level = decoding_level(of_target.chance, of_target.reference)
        found = [
            _crossing(curve, level) if of_target.decodable == "yes" else np.nan
            for _, curve in curves.groupby("seed")
        ]
        share = np.array([of_target.variance_ratio])
        tables.append(
            threshold_table(
                *(dataset, measure, "variable", [target], share), np.array(found)[:, None]
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
    rows: list[tuple] = []
    for names, curves in accuracies.groupby(["dataset", "measure", "target"], sort=False):
        by_seed = [
            (curve.score.to_numpy(), curve.accuracy.to_numpy())
            for _, curve in curves[np.isfinite(curves.score)].groupby("seed")
        ]
        if not by_seed:
            continue
        # A distance falls on the way.
        first, last = by_seed[0][0][[0, -1]]
        direction = 1 if last >= first else -1
        lowest = max((direction * score)[0] for score, _ in by_seed)
        highest = min((direction * score).max() for score, _ in by_seed)
        if highest <= lowest:
            continue
        grid = np.linspace(lowest, highest, N_CURVE_POINTS)
        read = [
            curve_over_score(direction * score, accuracy[:, None], grid)[:, 0]
            for score, accuracy in by_seed
        ]
        for score, values in zip(direction * grid, np.transpose(read), strict=True):
            rows.append((*names, score, *mean_with_interval(values), len(values)))
    return pd.DataFrame(rows, columns=CURVE_COLUMNS)
