"""Compare the models of a recording with each other."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from scorebounds.core.intervals import half_width
from scorebounds.scorecards.formatting import SIGNIFICANT
from scorebounds.scorecards.jackknife import jackknife_estimate
from scorebounds.scorecards.saturation import is_nearly_saturated

# Up to this, scores differ by the rounding of files.
ROUNDING = 1e-6
COMPARISON_COLUMNS = ["measure", "model", "other", "score", "other_score"]
COMPARISON_COLUMNS += ["difference", "difference_low", "difference_high", "closer"]
COMPARISON_COLUMNS += ["calibrated_score", "calibrated_other_score", "calibrated_difference"]
COMPARISON_COLUMNS += ["calibrated_low", "calibrated_high", "p", "p_corrected"]
_MIRRORED = {
    "model": "other",
    "score": "other_score",
    "difference_low": "difference_high",
    "calibrated_score": "calibrated_other_score",
    "calibrated_low": "calibrated_high",
}
_SIGNED = ["difference", "difference_low", "difference_high"]
_SIGNED += ["calibrated_difference", "calibrated_low", "calibrated_high"]


def compare(scores: pd.DataFrame, replicates: pd.DataFrame) -> pd.DataFrame:
    """Compare every two models of a recording, each measure for itself.

    A wide model has a higher score by chance. Compared are scores on the scale from chance (0) to
    perfect (1), which takes each model's own chance from its score.

    Parameters
    ----------
    scores : DataFrame
        From `inference.score_model`, with a column model.
    replicates : DataFrame
        Columns model and `jackknife.REPLICATE_COLUMNS`.

    Returns
    -------
    DataFrame
        `COMPARISON_COLUMNS`: `difference` is score − other_score and `calibrated_difference` that
        of chance-corrected scores (score − chance where a measure has no perfect score), positive
        where `model` is closer, both with 95 % intervals that are missing where the two were
        matched with different rows or a regression is nearly saturated. `p` tests the calibrated
        difference, `p_corrected` is adjusted over all rows (Benjamini and Hochberg 1995). `closer`
        is the closer model where p_corrected is at most 0.05 and that model is better than chance,
        and than predicting the mean, else empty.
    """
    of = {
        key: rows.reset_index(drop=True) for key, rows in replicates.groupby(["measure", "model"])
    }
    rows = []
    for measure, cards in scores.dropna(subset=["score"]).groupby("measure", sort=False):
        for first, second in itertools.combinations(cards.to_dict("records"), 2):
            pair = (of.get((measure, first["model"])), of.get((measure, second["model"])))
            if any(is_nearly_saturated(str(measure), each) for each in (first, second)):
                pair = (None, None)
            rows.append({"measure": measure, **_compare_two(first, second, *pair)})
    table = pd.DataFrame(rows, columns=COMPARISON_COLUMNS)
    table["p_corrected"] = benjamini_hochberg(table.p.to_numpy(dtype=float))
    above = {
        (row["measure"], row["model"]): row["p_corrected"] <= SIGNIFICANT
        and not (row["is_held_out_r2"] and row["score"] < 0)
        for row in scores.to_dict("records")
    }
    table["closer"] = [_closer(row, above) for row in table.to_dict("records")]
    return table


def _compare_two(
    first: dict[Any, Any],
    second: dict[Any, Any],
    ours: pd.DataFrame | None,
    theirs: pd.DataFrame | None,
) -> dict[str, Any]:
    keys = ["left_out", "group", "neuron_group", "other_group", "grouping"]
    half = half_of_calibrated = np.nan
    mine, other = _calibrated(first, first["score"]), _calibrated(second, second["score"])
    n_free, shared = 0, None
    if ours is not None and theirs is not None:
        # Both have lost the same groups; only one of them may have lost two at a time.
        shared = ours.merge(theirs, on=keys, suffixes=("", "_of_other"))
    if shared is not None and len(shared):
        raw = shared.assign(score=shared.score - shared.score_of_other)
        half = jackknife_estimate(first["score"] - second["score"], raw).ci_half_width
        values = _calibrated(first, shared.score) - _calibrated(second, shared.score_of_other)
        estimate = jackknife_estimate(mine - other, shared.assign(score=values))
        half_of_calibrated = estimate.ci_half_width
        n_free = estimate.n_free
    difference = first["score"] - second["score"]
    return {
        "model": first["model"],
        "other": second["model"],
        "score": first["score"],
        "other_score": second["score"],
        "difference": difference,
        "difference_low": difference - half,
        "difference_high": difference + half,
        "calibrated_score": mine,
        "calibrated_other_score": other,
        "calibrated_difference": mine - other,
        "calibrated_low": mine - other - half_of_calibrated,
        "calibrated_high": mine - other + half_of_calibrated,
        "p": _p_of_difference(mine - other, half_of_calibrated, n_free),
    }


def _calibrated(row: dict[Any, Any], score: Any) -> Any:
    """Return the chance-corrected score, higher being closer; not defined where uninformative."""
    if not row["is_informative"]:
        return score * np.nan
    perfect, chance = row["perfect"], row["null_mean"]
    if np.isnan(perfect) or perfect == chance:
        return (score - chance) * (1 if row["higher_is_closer"] else -1)
    return (score - chance) / (perfect - chance)


def _p_of_difference(difference: float, half: float, n_free: int) -> float:
    """Return the two-sided p of Student's t that belongs to a 95 % interval."""
    if not np.isfinite(half) or n_free < 1:
        return float("nan")
    if abs(difference) <= ROUNDING:
        return 1.0
    if half == 0:
        return 0.0
    t = abs(difference) / half * half_width(1.0, n_free)
    return float(2 * (1 - stdtr(n_free, t)))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjust p values for the false discovery rate; NaN stays and does not count."""
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known])]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return adjusted


def _closer(row: dict[Any, Any], above: dict[tuple[str, str], bool]) -> str:
    if not row["p_corrected"] <= SIGNIFICANT:
        return ""
    closer = row["model"] if row["calibrated_difference"] > 0 else row["other"]
    return closer if above[row["measure"], closer] else ""


def comparisons_of(comparison: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the rows of one model from `compare`, turned so that it is always `model`."""
    swapped = _MIRRORED | {new: old for old, new in _MIRRORED.items()}
    turned = comparison[comparison.other == model].rename(columns=swapped)
    turned[_SIGNED] = -turned[_SIGNED]
    rows = pd.concat([comparison[comparison.model == model], turned])
    # A table that was read from a file has its empty texts missing.
    rows["closer"] = rows.closer.fillna("")
    return rows.sort_index(kind="stable").reset_index(drop=True)
