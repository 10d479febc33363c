"""The ladder of a score card: what is drawn on the bar of each measure, in percent of its width."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.measure_table import measure_label
from scorebounds.scorecards.curve import score_of_capture
from scorebounds.scorecards.formatting import between, decimals, number
from scorebounds.scorecards.verdicts import ABOVE_CHANCE, MARKS

# Scores below this are drawn at the left end of the axis.
LOWEST = -0.5
NARROWEST = 0.3
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

Row = Mapping[Any, Any]
Part = dict[str, Any]


def ladder(card: pd.DataFrame, thresholds: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return the bars of a score card and their common axis.

    Parameters
    ----------
    card : DataFrame
        From `verdicts.interpret`.
    thresholds : DataFrame, optional
        Of the recording, as for `verdicts.interpret`.

    Returns
    -------
    dict
        `bars`, one of each measure whose scores run up to 1; `ticks` of the axis; and `elements`,
        the names of what is drawn on at least one bar, for the legend.
    """
    shown = card[card.higher_is_closer.astype(bool) & (card.score <= 1 + 1e-9)]
    values = shown[["score", "null_low", "score_low"]].to_numpy(dtype=float)
    lowest = max(min(0.0, np.nanmin(values, initial=0.0)), LOWEST)
    bars = [_bar(row, thresholds, lowest) for row in shown.to_dict("records")]
    names = ("chance", "ceiling", "subjects", "estimate", "captured", "decoded")
    elements = {name for name in names if any(bar[name] for bar in bars)}
    if any(not bar["above"] for bar in bars):
        elements.add("open")
    ticks = [{"at": _at(tick, lowest), "label": f"{tick:g}"} for tick in TICKS]
    if "captured" in elements and not all(bar["captured"] for bar in bars):
        elements.add("unknown")
    return {"bars": bars, "ticks": ticks, "elements": elements}


def _at(value: float, lowest: float) -> float:
    return round(100 * (min(max(value, lowest), 1) - lowest) / (1 - lowest), 2)


def _span(low: float, high: float, lowest: float) -> Part | None:
    if np.isnan(low + high):
        return None
    start = _at(low, lowest)
    return {"at": start, "width": round(max(_at(high, lowest) - start, NARROWEST), 2)}


def _bar(row: Row, thresholds: pd.DataFrame | None, lowest: float) -> dict[str, Any]:
    low, high = row["ceiling_low"], row["ceiling_high"]
    ceiling = row["ceiling"] if np.isnan(low) else low, row["ceiling"] if np.isnan(high) else high
    estimate = None
    if not np.isnan(row["score_low"]):
        estimate = {
            "at": _at(row["score_corrected"], lowest),
            "low": _at(row["score_low"], lowest),
            "high": _at(row["score_high"], lowest),
        }
    captured, decoded, missing = _guaranteed(row, thresholds, lowest)
    digits = decimals(row)
    return {
        "label": measure_label(row["measure"]),
        "mark": MARKS[row["verdict"]],
        "verdict": row["verdict"],
        "value": number(row["score"], digits),
        "text": _in_words(row, ceiling, digits),
        "above": row["verdict"] in ABOVE_CHANCE,
        "score": _at(row["score"], lowest),
        "below_axis": row["score"] < lowest,
        "chance": _span(row["null_low"], row["null_high"], lowest),
        "ceiling": _span(*ceiling, lowest),
        "subjects": _of_subjects(row, lowest),
        "estimate": estimate,
        "captured": captured,
        "decoded": decoded,
        "missing": missing,
    }


def _of_subjects(row: Row, lowest: float) -> Part | None:
    """Return the inter-subject ceiling, and the model's mean score with single subjects."""
    span = _span(row["subject_ceiling_low"], row["subject_ceiling_high"], lowest)
    return span and {**span, "model": _at(row["subject_ceiling_score"], lowest)}


def _shades(needed: list[float], shares: list[float]) -> list[Part]:
    """Return stretches of a bar, none too narrow to see, each with the share at its right end."""
    edges, shades = [0.0, *needed, 100.0], [0.0, *shares]
    parts: list[Part] = []
    start = 0.0
    for end, share in zip(edges[1:], shades, strict=True):
        if end - start >= NARROWEST or end == 100:
            parts.append({"at": start, "width": round(end - start, 2), "share": round(share, 3)})
            start = end
    return parts


def _in_words(row: Row, ceiling: tuple[float, float], digits: int) -> str:
    """Describe a bar for readers who do not see it."""
    text = f"{measure_label(row['measure'])}: score {number(row['score'], digits)}"
    if not np.isnan(row["score_low"]):
        interval = between(row["score_low"], row["score_high"], digits)
        text += f", corrected {number(row['score_corrected'], digits)} ({interval})"
    if not np.isnan(row["null_low"]):
        text += f", chance {between(row['null_low'], row['null_high'], digits)}"
    if not np.isnan(ceiling[0]):
        text += f", noise ceiling {between(*ceiling, 3)}"
    if not np.isnan(row["subject_ceiling"]):
        ends = between(row["subject_ceiling_low"], row["subject_ceiling_high"], 3)
        text += f", inter-subject ceiling {ends}, with single subjects "
        text += f"{number(row['subject_ceiling_score'])}"
    if not np.isnan(row["n_pcs"]):
        text += f", {row['pcs_at_score']:.0f} of {row['n_pcs']:.0f} PCs captured"
    return f"{text}; {row['verdict']}"


def _guaranteed(
    row: Row, thresholds: pd.DataFrame | None, lowest: float
) -> tuple[list[Part], list[Part], list[str]]:
    """Return what data with a score have captured: shades, decodable variables, and the others."""
    if thresholds is None or np.isnan(row["n_pcs"]):
        return [], [], []
    of_measure = thresholds[thresholds.measure == row["measure"]]
    of_measure = of_measure.assign(needed=score_of_capture(of_measure))
    pcs = of_measure[(of_measure.kind == "pc") & of_measure.needed.notna()]
    pcs = pcs.sort_values("needed", kind="stable")
    shades = _shades([_at(score, lowest) for score in pcs.needed], [*pcs.variance_ratio.cumsum()])
    variables = of_measure[of_measure.kind == "variable"]
    decoded = [
        {"name": target, "at": _at(score, lowest), "score": number(score, 2)}
        for target, score in variables.sort_values("needed")[["target", "needed"]].to_numpy()
        if not np.isnan(score)
    ]
    return shades, decoded, variables.target[variables.needed.isna()].tolist()
