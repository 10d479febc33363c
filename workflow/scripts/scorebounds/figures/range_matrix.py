"""Figure of the scores of other measures that are compatible with a high score."""

import re
import textwrap
from collections.abc import Hashable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MultipleLocator

from scorebounds.core.measure_table import measure_label, measure_order
from scorebounds.figures.style import (
    PAGE_WIDTH,
    add_letters,
    dataset_label,
    empty_figure,
    legend_below,
)

ROW_HEIGHT = 0.135
# Characters that the titles of all panels have side by side, and the fewest in a line of one.
ALL_TITLES, NARROWEST_TITLE = 98, 9
LINE_HEIGHT = 0.11
ATTAINED = "#0072B2"
UNKNOWN: dict[str, Any] = {"color": "0.5", "linestyle": "none", "marker": "$?$", "markersize": 4}
UNREACHED: dict[str, Any] = {**UNKNOWN, "marker": "x"}
BOUND: dict[str, Any] = {"color": "0.35", "linestyle": "none", "marker": "|", "markersize": 4}


def matrix_figure(guides: pd.DataFrame, reference_level: float) -> tuple[Figure, pd.DataFrame]:
    """Draw a row per ordered pair of measures and a panel per dataset.

    Parameters
    ----------
    guides : DataFrame
        Columns dataset, given, implied, low, high, outer_low, outer_high.
    reference_level : float
        Lowest score that counts as high.
    """
    if guides.empty:
        return empty_figure("no pair of measures was searched"), guides
    datasets = list(dict.fromkeys(guides.dataset))
    pairs = sorted(
        set(zip(guides.given, guides.implied, strict=True)),
        key=lambda pair: (measure_order(pair[0]), measure_order(pair[1])),
    )
    titles = [_title(dataset, len(datasets)) for dataset in datasets]
    n_lines = max(title.count("\n") + 1 for title in titles)
    figure, axes = plt.subplots(
        1,
        len(datasets),
        sharex=True,
        squeeze=False,
        figsize=(PAGE_WIDTH, 0.9 + LINE_HEIGHT * (n_lines - 1) + ROW_HEIGHT * len(pairs)),
    )
    ends = [row["low"] for row in guides.to_dict("records")]
    ends += [_proven_ends(row)[0] for row in guides.to_dict("records")]
    lowest = float(np.nanmin([0.0, *ends]))
    for axis, dataset, title in zip(axes[0], datasets, titles, strict=True):
        _draw_panel(axis, guides[guides.dataset == dataset], pairs)
        axis.set_title(title, fontsize=6)
        axis.set(xlim=(lowest - 0.05, 1.02), ylim=(len(pairs) - 0.5, -0.5))
        axis.xaxis.set_major_locator(MultipleLocator(0.5))
        axis.set_yticks(range(len(pairs)), [])
        axis.tick_params(axis="y", length=0)
    axes[0][0].set_yticks(
        range(len(pairs)),
        [f"{measure_label(given)} → {measure_label(implied)}" for given, implied in pairs],
    )
    if len(datasets) > 1:
        add_letters(axes[0])
    figure.suptitle(
        f"score of the second measure where the first is at least {reference_level:g}", fontsize=7
    )
    handles: list[Line2D | Patch] = [Patch(color=ATTAINED, label="attained")]
    if guides[["outer_low", "outer_high"]].notna().any(axis=None):
        handles.append(Line2D([], [], label="proven bound", **BOUND))
    if len(guides) < len(pairs) * len(datasets):
        handles.append(Line2D([], [], label="not searched", **UNKNOWN))
    if guides.low.isna().any():
        label = f"first of at least {reference_level:g} not attained"
        handles.append(Line2D([], [], label=label, **UNREACHED))
    legend_below(figure, handles)
    return figure, guides


def _title(dataset: str, n_panels: int) -> str:
    """Return the name of a dataset in lines that fit above one of several panels."""
    width = max(ALL_TITLES // n_panels - 1, NARROWEST_TITLE)
    lines = [""]
    # Broken after a hyphen, an underscore or a blank, and within a part only if that is too long.
    for part in re.findall(r"[^-_ ]*[-_ ]|[^-_ ]+", dataset_label(dataset)):
        for piece in textwrap.wrap(part, width, drop_whitespace=False):
            if len(lines[-1] + piece.rstrip()) > width and lines[-1]:
                lines.append("")
            lines[-1] += piece
    return "\n".join(line.strip() for line in lines)


def _draw_panel(axis: Axes, guides: pd.DataFrame, pairs: list[tuple[str, str]]) -> None:
    rows = {(row["given"], row["implied"]): row for row in guides.to_dict("records")}
    for place, pair in enumerate(pairs):
        if place and pair[0] != pairs[place - 1][0]:
            axis.axhline(place - 0.5, color="0.75", linewidth=0.5)
        row = rows.get(pair)
        if row is None or np.isnan(row["low"]):
            axis.plot(0.5, place, **(UNKNOWN if row is None else UNREACHED))
            continue
        axis.barh(place, row["high"] - row["low"], left=row["low"], height=0.6, color=ATTAINED)
        for end in _proven_ends(row):
            if np.isfinite(end):
                axis.plot(end, place, **BOUND)


def _proven_ends(row: Mapping[Hashable, Any]) -> tuple[float, float]:
    """Return the tighter of the two proven ends on either side; NaN where there is none."""
    low = np.fmax(row["outer_low"], row.get("certified_low", np.nan))
    high = np.fmin(row["outer_high"], row.get("certified_high", np.nan))
    return float(low), float(high)
