"""Thresholds of a dataset compared with its Gaussian twins: does the spectrum decide them?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scorebounds.core.intervals import median_with_interval

N_FIRST = 30
COMPONENT_COLUMNS = [
    "dataset",
    "measure",
    "target",
    "variance_ratio",
    "score_median",
    "score_low",
    "score_high",
    "twin_median",
    "twin_low",
    "twin_high",
    "n_seeds",
    "n_draws",
]
SUMMARY_COLUMNS = [
    "dataset",
    "measure",
    "n_compared",
    "difference",
    "absolute_difference",
    "largest_of_twins",
    "p",
    "updates",
    "twin_updates",
    "n_seeds",
    "n_draws",
]


def draw_medians(seeds: pd.DataFrame) -> pd.DataFrame:
    """Return the median threshold over the seeds of each dataset, with never beyond all scores.

    Parameters
    ----------
    seeds : DataFrame
        `summary.SEED_COLUMNS` of one measure, and `direction`: −1 where the score falls during
        optimisation (a distance).

    Returns
    -------
    DataFrame
        A row per dataset and a column per target; infinite where at least half of the seeds never
        captured the target.
    """
    ordered = seeds.score.fillna(seeds.direction * np.inf)
    table = seeds.assign(score=ordered, target=seeds.target.astype(int))
    return table.pivot_table(index="dataset", columns="target", values="score", aggfunc="median")


def compare_with_twins(
    thresholds: pd.DataFrame, seeds: pd.DataFrame, twin_seeds: pd.DataFrame
) -> pd.DataFrame:
    """Compare the threshold of each component with those of the twins.

    Parameters
    ----------
    thresholds : DataFrame
        `summary.THRESHOLD_COLUMNS` of the dataset.
    seeds, twin_seeds : DataFrame
        As of `draw_medians`, of the dataset and of all draws of its twin.

    Returns
    -------
    DataFrame
        `COMPONENT_COLUMNS`. `score_median` and its interval are over the seeds of the dataset. The
        median over the seeds of a draw includes the draw of the twin and of its starts;
        `twin_median` and its interval (`median_with_interval`) are over these medians. Empty where
        never decides them.
    """
    rows = []
    for (dataset, measure), ours in thresholds.groupby(["dataset", "measure"], sort=False):
        of_draws = draw_medians(twin_seeds[twin_seeds.measure == measure])
        if of_draws.empty or seeds[seeds.measure == measure].empty:
            continue
        for row in ours.to_dict("records"):
            target = int(row["target"])
            # Rounding may be a component of the one and not of the other.
            if target not in of_draws:
                continue
            twin = of_draws[target].to_numpy()
            own = (row["score_median"], row["score_low"], row["score_high"])
            numbers = np.array([*own, *median_with_interval(twin)], dtype=np.float64)
            shown = np.where(np.isfinite(numbers), numbers, np.nan)
            names = (dataset, measure, target, row["variance_ratio"])
            rows.append((*names, *shown, row["n_seeds"], len(twin)))
    return pd.DataFrame(rows, columns=COMPONENT_COLUMNS)


def summarize_twins(
    compared: pd.DataFrame, data: Mapping[str, pd.DataFrame], twins: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Summarise per measure how far the dataset is from its twins, and the twins from each other.

    Parameters
    ----------
    compared : DataFrame
        From `compare_with_twins`.
    data, twins : mapping of str to DataFrame
        `seeds` and `runs` of `summarize_trajectories`, of the dataset and of all draws.

    Returns
    -------
    DataFrame
        `SUMMARY_COLUMNS`, over those of the first `N_FIRST` components that the dataset and all
        draws captured. `difference` is the mean difference of the dataset from the median of its
        twins and `absolute_difference` the mean of its absolute value; `largest_of_twins` is the
        largest absolute difference of a draw from the median of all others, the dataset included.
        If only the spectrum decided the thresholds, the dataset would be like any draw: `p` is
        the share of dataset and draws that are as far from all others as the dataset is.
        `updates` and `twin_updates` are the mean numbers of updates until the end of a run.
    """
    rows = []
    for (dataset, measure), components in compared.groupby(["dataset", "measure"], sort=False):
        of_measure = [
            {name: table[table.measure == measure] for name, table in tables.items()}
            for tables in (data, twins)
        ]
        medians = pd.concat([draw_medians(tables["seeds"]) for tables in of_measure])
        numbers = medians.to_numpy()[:, medians.columns.to_numpy() <= N_FIRST]
        values = numbers[:, np.isfinite(numbers).all(0)]
        updates = [tables["runs"].n_updates.mean() for tables in of_measure]
        counts = (components.n_seeds.iloc[0], components.n_draws.iloc[0])
        rows.append((dataset, measure, values.shape[1], *distances(values), *updates, *counts))
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def distances(values: np.ndarray) -> tuple[float, float, float, float]:
    """Return how far the first of several rows is from the median of the others.

    Parameters
    ----------
    values : ndarray, shape (1 + n_draws, n_components)
        The dataset, then its twins.

    Returns
    -------
    tuple of float
        Mean difference, mean absolute difference, the largest mean absolute difference of another
        row from all others, and the share of rows that are at least as far from all others as the
        first. NaN without components.
    """
    if values.shape[1] == 0:
        return np.nan, np.nan, np.nan, np.nan
    others = [np.median(np.delete(values, row, 0), 0) for row in range(len(values))]
    differences = values - np.array(others)
    sizes = np.abs(differences).mean(1)
    share = float((sizes >= sizes[0]).mean())
    return float(differences[0].mean()), float(sizes[0]), float(sizes[1:].max()), share
