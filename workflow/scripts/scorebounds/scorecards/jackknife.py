"""Intervals of scores over conditions and neurons by the delete-a-group jackknife.

Groups of conditions and groups of the recording's neurons are left out in turn, and the variances
of both are added (Kott 2001). A bootstrap would draw samples twice, which raises every measure of
similarity. All models of a recording lose the same groups, so that their difference is known better
than either score.
"""

import itertools

import numpy as np
import pandas as pd

from scorebounds.core.intervals import half_width

CONDITIONS, NEURONS = "conditions", "neurons"
REPLICATE_COLUMNS = ["measure", "left_out", "group", "score", "grouping"]
COMPARISON_COLUMNS = ["measure", "model", "other", "score", "other_score"]
COMPARISON_COLUMNS += ["difference", "difference_low", "difference_high", "closer"]


def ci_half_width(replicates: pd.DataFrame) -> float:
    """Return the half-width of the 95 % jackknife interval.

    Parameters
    ----------
    replicates : DataFrame
        Columns left_out and score, of one measure and model.

    Returns
    -------
    float
        NaN where no conditions could be left out.
    """
    groups = [rows.to_numpy() for _, rows in replicates.groupby("left_out").score]
    if CONDITIONS not in set(replicates.left_out):
        return float("nan")
    variance = sum((len(scores) - 1) * float(np.var(scores)) for scores in groups)
    return half_width(variance**0.5, min(map(len, groups)) - 1)


def compare(scores: pd.DataFrame, replicates: pd.DataFrame) -> pd.DataFrame:
    """Compare every two models of a recording, each measure for itself.

    Parameters
    ----------
    scores : DataFrame
        Columns model, measure, score, higher_is_closer.
    replicates : DataFrame
        Columns model and `REPLICATE_COLUMNS`.

    Returns
    -------
    DataFrame
        `COMPARISON_COLUMNS`: `difference` is score − other_score, with a 95 % interval that is
        missing where the two were matched with different rows; `closer` is the model that is closer
        to the recording where the interval leaves out 0, else empty.
    """
    of = dict(tuple(replicates.groupby(["measure", "model"])))
    rows = []
    for measure, cards in scores.dropna(subset=["score"]).groupby("measure", sort=False):
        for first, second in itertools.combinations(cards.to_dict("records"), 2):
            ours, theirs = of.get((measure, first["model"])), of.get((measure, second["model"]))
            half = _ci_half_width_of_difference(ours, theirs)
            difference = first["score"] - second["score"]
            closer = ""
            if abs(difference) > half:
                higher, lower = (first, second) if difference > 0 else (second, first)
                closer = (higher if first["higher_is_closer"] else lower)["model"]
            names = (measure, first["model"], second["model"], first["score"], second["score"])
            rows.append((*names, difference, difference - half, difference + half, closer))
    return pd.DataFrame(rows, columns=COMPARISON_COLUMNS)


def comparisons_of(comparison: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the rows of one model from `compare`, turned so that it is always `model`."""
    turned = comparison[comparison.other == model].rename(
        columns={
            "model": "other",
            "other": "model",
            "score": "other_score",
            "other_score": "score",
            "difference_low": "difference_high",
            "difference_high": "difference_low",
        }
    )
    ends = ["difference", "difference_low", "difference_high"]
    turned[ends] = -turned[ends]
    rows = pd.concat([comparison[comparison.model == model], turned])
    # A table that was read from a file has its empty texts missing.
    rows["closer"] = rows.closer.fillna("")
    return rows.sort_index(kind="stable").reset_index(drop=True)


def _ci_half_width_of_difference(ours: pd.DataFrame | None, theirs: pd.DataFrame | None) -> float:
    if ours is None or theirs is None:
        return float("nan")
    keys = ["left_out", "group", "grouping"]
    ours, theirs = ours.reset_index(drop=True), theirs.reset_index(drop=True)
    if not ours[keys].equals(theirs[keys]):
        return float("nan")
    return ci_half_width(ours.assign(score=ours.score - theirs.score))
