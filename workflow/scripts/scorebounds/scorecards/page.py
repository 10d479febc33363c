"""Fill the template of a score card: one self-contained HTML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined

from scorebounds.core.measure_table import measure_label
from scorebounds.scorecards.headline import headline as headline_of
from scorebounds.scorecards.verdicts import (
    AT_CEILING,
    BETTER,
    CHANCE,
    PERFECT,
    UNDECIDED,
    UNDEFINED,
    UNINFORMATIVE,
    WORSE_THAN_MEAN,
    number,
)

# Marks tell the verdicts apart without colour.
MARKS = {
    PERFECT: "●",
    AT_CEILING: "◕",
    BETTER: "◐",
    CHANCE: "○",
    WORSE_THAN_MEAN: "▽",
    UNDECIDED: "?",
    UNINFORMATIVE: "–",
    UNDEFINED: "–",
}
STRIP_WIDTH = 200

_TEMPLATE = Environment(
    autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
).from_string(Path(__file__).with_name("page.html.j2").read_text(encoding="utf-8"))


def scorecard_page(
    card: pd.DataFrame,
    allowed: pd.DataFrame,
    others: pd.DataFrame,
    dataset: str,
    model: str,
    *,
    headline: str = "",
    statement: str = "",
    facts: Mapping[str, str] | None = None,
) -> str:
    """Write the page of one model compared with one reference.

    Parameters
    ----------
    card : DataFrame
        From `verdicts.interpret`.
    allowed : DataFrame
        From `implied.allowed_scores`.
    others : DataFrame
        From `comparisons.comparisons_of`.
    dataset, model : str
    headline : str
        Sentence at the top; `headline.headline` of the card where it is empty.
    statement : str
        What the model itself explains, from `headline.model_statement`.
    facts : mapping of str to str, optional
        How the card was computed, at the foot of the page.
    """
    rows = [_row(row, _lowest(card)) for row in card.to_dict("records")]
    implied = [_allowed(row) for row in allowed.to_dict("records")]
    by_other = others.sort_values("other", kind="stable")
    shown = {name: any(row[name] for row in rows) for name in ("p", "corrected", "ceiling", "pcs")}
    return _TEMPLATE.render(
        dataset=dataset,
        model=model,
        headline=headline or headline_of(card, model, dataset),
        statement=statement,
        size=_size(card.iloc[0]),
        axis=f"{_lowest(card):.2g} to 1",
        rows=rows,
        shown={**shown, "attained": any(row["attained"] for row in implied)},
        others=[_other(row) for row in by_other.to_dict("records")],
        allowed=implied,
        facts=dict(facts or {}),
        width=STRIP_WIDTH,
    )


def _size(row: Any) -> str:
    said = f"{row.n_conditions:.0f} conditions"
    if row.n_samples != row.n_conditions:
        said += f" at {row.n_samples / row.n_conditions:.0f} times"
    if row.n_trials > row.n_conditions:
        said += f" (averages of {row.n_trials:.0f} rows in all)"
    said += f"; {row.n_reference_neurons:.0f} neurons of the recording, "
    said += f"{row.n_neurons:.0f} units of the model."
    if isinstance(row.match_note, str) and row.match_note:
        said += f" Matching: {row.match_note}."
    return said


def _lowest(card: pd.DataFrame) -> float:
    """Return the left end of the common axis: 0, or -1 for scores far below."""
    return float(max(min([0.0, *card.score.dropna(), *card.null_low.dropna()]), -1.0))


def _row(row: dict[Any, Any], lowest: float) -> dict[str, Any]:
    on_scale = row["higher_is_closer"] and row["score"] <= 1 + 1e-9
    known = not np.isnan(row["n_pcs"])
    p = row["p_corrected"]
    return {
        "mark": MARKS[row["verdict"]],
        "label": measure_label(row["measure"]),
        "verdict": row["verdict"],
        "sentence": row["sentence"],
        "note": _note(row),
        "score": number(row["score"]),
        "chance": number(row["null_mean"]),
        "p": "" if np.isnan(p) else f"{p:.2g}",
        "corrected": _with_interval(row["score_corrected"], row["score_low"], row["score_high"]),
        "ceiling": _with_interval(row["ceiling"], row["ceiling_low"], row["ceiling_high"]),
        "pcs": f"{row['pcs_at_score']:.0f} of {row['n_pcs']:.0f}" if known else "",
        "strip": _strip(row, lowest) if on_scale else None,
    }


def _note(row: dict[Any, Any]) -> str:
    """Say why there is no interval or no ceiling, where that is known."""
    notes = []
    for name, start in (("interval_note", "No interval"), ("ceiling_note", "No noise ceiling")):
        if isinstance(row[name], str) and row[name]:
            notes.append(f"{start}: {row[name]}.")
    if isinstance(row["position_note"], str) and row["position_note"]:
        notes.append(f"{row['position_note'][0].upper()}{row['position_note'][1:]}.")
    return " ".join(notes)


def _strip(row: dict[Any, Any], lowest: float) -> dict[str, Any]:
    """Return where the marks of a row stand, in pixels, and what they show in words."""

    def at(value: float) -> float:
        inner = STRIP_WIDTH - 10
        return round(5 + inner * (min(max(value, lowest), 1) - lowest) / (1 - lowest), 1)

    def ends(low: float, high: float) -> tuple[float | None, float | None]:
        if np.isnan(low + high):
            return None, None
        return at(low), max(round(at(high) - at(low), 1), 1)

    interval = not np.isnan(row["score_low"])
    chance, chance_width = ends(row["null_low"], row["null_high"])
    ceiling, ceiling_width = ends(row["ceiling_low"], row["ceiling_high"])
    text = f"score {number(row['score'])}, chance {_between(row['null_low'], row['null_high'])}"
    if ceiling is not None:
        text += f", noise ceiling {_between(row['ceiling_low'], row['ceiling_high'])}"
    return {
        "text": text,
        "score": at(row["score"]),
        "low": at(row["score_low"]) if interval else None,
        "high": at(row["score_high"]) if interval else None,
        "null": chance,
        "null_width": chance_width,
        "ceiling": ceiling,
        "ceiling_width": ceiling_width,
    }


def _allowed(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "given": measure_label(row["given"]),
        "implied": measure_label(row["implied"]),
        "score": number(row["score"]),
        "implied_score": number(row["implied_score"]),
        "outer": _between(row["outer_low"], row["outer_high"]),
        "attained": _between(row["attained_low"], row["attained_high"]),
    }


def _other(row: dict[Any, Any]) -> dict[str, str]:
    difference = row["calibrated_difference"]
    known = not np.isnan(difference)
    interval = _between(row["calibrated_low"], row["calibrated_high"])
    return {
        "other": row["other"],
        "label": measure_label(row["measure"]),
        "score": number(row["score"]),
        "other_score": number(row["other_score"]),
        "difference": f"{difference:+.3f}{f' [{interval}]' if interval else ''}" if known else "",
        "p": "" if np.isnan(row["p_corrected"]) else f"{row['p_corrected']:.2g}",
        "closer": row["closer"],
    }


def _with_interval(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return ""
    interval = _between(low, high)
    return f"{number(value)} [{interval}]" if interval else number(value)


def _between(low: float, high: float) -> str:
    return "" if np.isnan(low + high) else f"{number(low)} to {number(high)}"
