"""Fill the template of a score card: one self-contained HTML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined

from scorebounds.core.measure_table import measure_label
from scorebounds.scorecards.verdicts import AT_CEILING, BETTER, CHANCE, PERFECT, UNDEFINED

# Marks tell the verdicts apart without colour.
MARKS = {PERFECT: "●", AT_CEILING: "◕", BETTER: "◐", CHANCE: "○", UNDEFINED: "–"}
STRIP_WIDTH, STRIP_HEIGHT = 200, 22

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
    facts: Mapping[str, str] | None = None,
) -> str:
    """Write the page of one model beside one reference.

    Parameters
    ----------
    card : DataFrame
        From `verdicts.interpret`.
    allowed : DataFrame
        From `verdicts.allowed_scores`.
    others : DataFrame
        From `jackknife.comparisons_of`.
    dataset, model : str
    headline : str
        A sentence on top of the page.
    facts : mapping, optional
        How the card was computed, at the foot of the page.
    """
    rows = card.to_dict("records")
    lowest = min([0.0, *card.score.dropna(), *card.null_low.dropna()])
    counts = card.verdict.value_counts()
    by_other = others.sort_values("other", kind="stable")
    return _TEMPLATE.render(
        dataset=dataset,
        model=model,
        headline=headline,
        facts=facts or {},
        **{name: int(card[name].iloc[0]) for name in ("n_samples", "n_conditions", "n_neurons")},
        counts=" · ".join(f"{verdict}: {n} of {len(card)}" for verdict, n in counts.items()),
        axis=f"{lowest:.2g} to 1",
        rows=[_row(row, lowest) for row in rows],
        marks={name: mark for name, mark in MARKS.items() if name in set(card.verdict)},
        others=[_other(row) for row in by_other.to_dict("records")],
        allowed=[_allowed(row) for row in allowed.to_dict("records")],
        width=STRIP_WIDTH,
        height=STRIP_HEIGHT,
    )


def _row(row: dict[Any, Any], lowest: float) -> dict[str, Any]:
    on_scale = row["higher_is_closer"] and row["score"] <= 1 + 1e-9
    pcs = "" if np.isnan(row["n_pcs"]) else f"{row['pcs_at_score']:.0f} of {row['n_pcs']:.0f}"
    return {
        "mark": MARKS[row["verdict"]],
        "label": measure_label(row["measure"]),
        "verdict": row["verdict"],
        "sentence": row["sentence"],
        "score": _number(row["score"]),
        "interval": _between(row["score_low"], row["score_high"]),
        "chance": _between(row["null_low"], row["null_high"]),
        "p": "" if np.isnan(row["p"]) else f"{row['p']:.2g}",
        "ceiling": _between(row["ceiling_low"], row["ceiling_high"]),
        "pcs": pcs,
        "strip": _strip(row, lowest) if on_scale else None,
    }


def _strip(row: dict[Any, Any], lowest: float) -> dict[str, Any]:
    """Return where the marks of a row stand, in pixels."""

    def at(value: float) -> float:
        inner = STRIP_WIDTH - 10
        return round(5 + inner * (min(max(value, lowest), 1) - lowest) / (1 - lowest), 1)

    known = not np.isnan(row["score_low"])
    trials = not np.isnan(row["ceiling_low"])
    return {
        "score": at(row["score"]),
        "low": at(row["score_low"]) if known else None,
        "high": at(row["score_high"]) if known else None,
        "null": at(row["null_low"]),
        "null_width": max(round(at(row["null_high"]) - at(row["null_low"]), 1), 1),
        "ceiling": at(row["ceiling_low"]) if trials else None,
        "ceiling_width": round(at(row["ceiling_high"]) - at(row["ceiling_low"]), 1)
        if trials
        else None,
    }


def _allowed(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "given": measure_label(row["given"]),
        "implied": measure_label(row["implied"]),
        "score": _number(row["score"]),
        "implied_score": _number(row["implied_score"]),
        "outer": _between(row["outer_low"], row["outer_high"]),
        "attained": _between(row["attained_low"], row["attained_high"]),
    }


def _other(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "other": row["other"],
        "label": measure_label(row["measure"]),
        "score": _number(row["score"]),
        "other_score": _number(row["other_score"]),
        "difference": f"{row['difference']:+.3f}",
        "interval": _between(row["difference_low"], row["difference_high"]),
        "closer": row["closer"],
    }


def _between(low: float, high: float) -> str:
    return "" if np.isnan(low + high) else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    if np.isnan(value):
        return ""
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.3g}"
