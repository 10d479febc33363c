"""Position of a score on the optimisation curve: what data with this score have captured."""

from typing import Any

import numpy as np
import pandas as pd

POSITION_COLUMNS = ["n_pcs", "pcs_at_score", "variance_at_score", "variables_at_score"]
POSITION_COLUMNS += ["variables_missing", "position_note"]
AS_MANY_NEURONS = (
    "the recording has as many neurons as samples, so that any data of its width explain every "
    "component: "
    "what is captured at a score is not defined"
)


def position_on_curve(
    score: float, thresholds: pd.DataFrame, *, higher_is_closer: bool
) -> dict[str, Any]:
    """Return what data that were optimised to a score have captured of the reference.

    A component or a variable is captured where all seeds captured it by this score.

    Parameters
    ----------
    score : float
    thresholds : DataFrame
        Of one measure: columns kind, target, variance_ratio and score_all, the score from which on
        all seeds have captured it; without it score_mean, of targets with n_reached = n_seeds.
    higher_is_closer : bool

    Returns
    -------
    dict
        `POSITION_COLUMNS`; empty where nothing was optimised towards the measure.
    """
    pcs = thresholds[thresholds.kind == "pc"]
    if pcs.empty or np.isnan(score):
        return {}
    needed = score_of_capture(thresholds)
    passed = needed <= score if higher_is_closer else needed >= score
    variables = thresholds[thresholds.kind == "variable"]
    captured = pcs[passed[pcs.index]]
    return {
        "n_pcs": len(pcs),
        "pcs_at_score": len(captured),
        "variance_at_score": captured.variance_ratio.sum(),
        "variables_at_score": " ".join(variables.target[passed[variables.index]]),
        "variables_missing": " ".join(variables.target[~passed[variables.index]]),
    }


def score_of_capture(thresholds: pd.DataFrame) -> pd.Series:
    """Return the score at which each target is captured with all seeds, NaN where it never is."""
    if "score_all" in thresholds.columns:
        return thresholds.score_all
    if {"n_seeds", "n_reached"} <= set(thresholds.columns):
        return thresholds.score_mean.where(thresholds.n_reached >= thresholds.n_seeds)
    return thresholds.score_mean


def positions_on_curves(scores: pd.DataFrame, thresholds: pd.DataFrame) -> pd.DataFrame:
    """Return `POSITION_COLUMNS` for each row of a model's scores.

    With as many neurons as samples nothing is captured or not; `position_note` says so.
    """
    rows: list[dict[str, Any]] = []
    for row in scores.to_dict("records"):
        if row.get("n_reference_neurons", 0) >= row.get("n_samples", np.inf) - 1:
            rows.append({"position_note": AS_MANY_NEURONS})
            continue
        of_measure = thresholds[thresholds.measure == row["measure"]]
        rows.append(
            position_on_curve(
                row["score"], of_measure, higher_is_closer=bool(row["higher_is_closer"])
            )
        )
    return pd.DataFrame(rows, columns=POSITION_COLUMNS)
