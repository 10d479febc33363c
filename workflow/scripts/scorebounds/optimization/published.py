"""The results that Cloos et al. 2025 published, and how close a reproduction comes."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from scorebounds.core.intervals import mean_with_interval
from scorebounds.core.published_ids import PUBLISHED_IDS

logger = logging.getLogger(__name__)

AGREEMENT_COLUMNS = [
    "dataset",
    "measure",
    "quantity",
    "value",
    "n_compared",
    "tolerance",
    "within",
]
COMPARISON_COLUMNS = ["quantity", "target", "published", "reproduced", "low", "high", "difference"]
PUBLISHED_STOP_SCORE = 0.99
N_FIRST = 30
# How far a reproduction may be off (mean |difference| over the first components). Set before any
# result was seen.
THRESHOLD_TOLERANCE = 0.03
RIDGE_THRESHOLD_TOLERANCE = 0.05
RIDGE_ULTRAMETRIC_TOLERANCE = 0.07
STEPS_TOLERANCE, RIDGE_STEPS_TOLERANCE = 0.15, 0.5
CAPTURED_TOLERANCE = 0.05


def read_published(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """Read thresholds per component and scores per step of each measure.

    The first two rows of a published run are both the score before the first update, so a run of
    r rows made r − 2 updates.

    Returns
    -------
    dict of str to dict
        By our measure id: `thresholds` (n_components,), NaN where never captured, and `score`
        (n_updates + 1,).
    """
    thresholds = pd.read_csv(folder / "scores_at_threshold.csv")
    scores = pd.read_csv(folder / "scores_vs_decoding_acc.csv")
    published = {}
    for measure, theirs in PUBLISHED_IDS.items():
        rows = scores.loc[scores.measure == theirs, "score"].to_numpy()
        if len(rows) == 0:
            continue
        if not np.isclose(rows[0], rows[1], atol=1e-5):
            raise ValueError(f"{folder}: expected {theirs} to start with the same score twice")
        at_threshold = thresholds.loc[thresholds.measure == theirs, "scores_at_threshold"]
        published[measure] = {"thresholds": at_threshold.to_numpy(), "score": rows[1:]}
    return published


def steps_to(score: float, trajectories: pd.DataFrame) -> np.ndarray:
    """Return the number of updates of each seed until `score`; NaN if it never reached it."""
    reached = trajectories[trajectories.score >= score].groupby("seed").step.min()
    return reached.reindex(trajectories.seed.unique()).to_numpy(dtype=np.float64)


def compare_with_published(
    published: dict[str, np.ndarray],
    thresholds: pd.DataFrame,
    runs: pd.DataFrame,
    trajectories: pd.DataFrame,
) -> pd.DataFrame:
    """Compare the published numbers of one measure with ours.

    Parameters
    ----------
    published : dict
        `thresholds` and `score`, from `read_published`.
    thresholds : DataFrame
        Our thresholds of the components in order, columns `target, score_mean, score_low,
        score_high`.
    runs : DataFrame
        Our runs, a row per seed, columns `first_score, n_captured`.
    trajectories : DataFrame
        Their scores, columns `seed, step, score`. Unless every seed reached the published last
        score there is no number of steps.

    Returns
    -------
    DataFrame
        Columns quantity, target, published, reproduced, low, high, difference. `reproduced` is our
        mean over seeds; the interval is that of the thresholds, or the 95 % interval of the mean.
    """
    theirs = published["thresholds"]
    if len(thresholds) != len(theirs):
        raise ValueError(f"expected {len(theirs)} components as published, got {len(thresholds)}")
    steps = steps_to(PUBLISHED_STOP_SCORE, trajectories)
    summaries = [
        ("first_score", published["score"][0], runs.first_score.to_numpy()),
        (
            "steps_to_0.99",
            len(published["score"]) - 1,
            steps if np.isfinite(steps).all() else np.full_like(steps, np.nan),
        ),
        ("n_captured", np.isfinite(theirs).sum(), runs.n_captured.to_numpy()),
    ]
    rows = [(quantity, "", value, *mean_with_interval(ours)) for quantity, value, ours in summaries]
    rows += [
        ("pc_threshold", *row)
        for row in zip(
            thresholds.target,
            theirs,
            thresholds.score_mean,
            thresholds.score_low,
            thresholds.score_high,
            strict=True,
        )
    ]
    table = pd.DataFrame(rows, columns=COMPARISON_COLUMNS[:-1])
    return table.assign(difference=table.reproduced - table.published)


def compare_all(
    published: dict[str, dict[str, dict[str, np.ndarray]]],
    thresholds: pd.DataFrame,
    runs: pd.DataFrame,
    trajectories: pd.DataFrame,
) -> pd.DataFrame:
    """Compare all published numbers, by dataset and measure, with ours.

    Returns
    -------
    DataFrame
        Columns dataset, measure, and those of `compare_with_published`; no row where nothing was
        published, we have not run the measure, or the number of neurons is another.
    """
    compared = [pd.DataFrame(columns=["dataset", "measure", *COMPARISON_COLUMNS])]
    thresholds = thresholds[thresholds.kind == "pc"]
    for dataset, by_measure in published.items():
        for measure, numbers in by_measure.items():
            of_pair = [
                table[(table.dataset == dataset) & (table.measure == measure)]
                for table in (thresholds, runs, trajectories)
            ]
            n_theirs, n_ours = len(numbers["thresholds"]), len(of_pair[0])
            if len(of_pair[1]) and n_theirs != n_ours:
                logger.warning(
                    "%s, %s: not compared with the published run, which had %d neurons; here are "
                    "%d, so that the recording was prepared otherwise",
                    dataset,
                    measure,
                    n_theirs,
                    n_ours,
                )
            elif len(of_pair[1]):
                comparison = compare_with_published(numbers, *of_pair)
                compared.append(comparison.assign(dataset=dataset, measure=measure))
    return pd.concat(compared)


def agreement(comparison: pd.DataFrame) -> pd.DataFrame:
    """Compare each dataset and measure of a comparison with the tolerances set beforehand.

    Returns
    -------
    DataFrame
        Columns `AGREEMENT_COLUMNS`: `value` is the mean |difference| of the thresholds of those of
        the first `N_FIRST` components that both captured (`threshold_difference`), the relative
        difference of the number of updates (`steps_difference`), or the difference of the number
        of captured components as a share of all (`captured_difference`); `within` says whether
        its absolute value is at most `tolerance`.
    """
    rows: list[tuple[str, str, str, float, int, float, bool]] = []
    for dataset, measure in comparison[["dataset", "measure"]].drop_duplicates().to_numpy():
        group = comparison[(comparison.dataset == dataset) & (comparison.measure == measure)]
        single = group.set_index("quantity")
        components = group[group.quantity == "pc_threshold"]
        first = components.difference[components.target.astype(int) <= N_FIRST].dropna()
        steps, captured = single.loc["steps_to_0.99"], single.loc["n_captured"]
        values = {
            "threshold_difference": (first.abs().mean(), len(first)),
            "steps_difference": (steps.difference / steps.published, 1),
            "captured_difference": (captured.difference / len(components), 1),
        }
        limits = _tolerances(dataset, measure)
        for (quantity, (value, n)), limit in zip(values.items(), limits, strict=True):
            rows.append((dataset, measure, quantity, value, n, limit, abs(value) <= limit))
    return pd.DataFrame(rows, columns=AGREEMENT_COLUMNS)


def _tolerances(dataset: str, measure: str) -> tuple[float, float, float]:
    """Return how far thresholds, steps and captured components may be off."""
    if not measure.startswith("ridge"):
        return THRESHOLD_TOLERANCE, STEPS_TOLERANCE, CAPTURED_TOLERANCE
    small = dataset.endswith("ultrametric")
    thresholds = RIDGE_ULTRAMETRIC_TOLERANCE if small else RIDGE_THRESHOLD_TOLERANCE
    return thresholds, RIDGE_STEPS_TOLERANCE, CAPTURED_TOLERANCE
