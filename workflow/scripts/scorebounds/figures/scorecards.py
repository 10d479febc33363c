"""Figure of the models of a dataset: compared with chance, and on the optimisation curve."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from scorebounds.core.measure_table import measure_label
from scorebounds.figures.style import (
    OFF_SCALE,
    PAGE_WIDTH,
    dataset_label,
    empty_figure,
    legend_below,
)

N_CURVES = 3  # panels of curves in a row
ROW_HEIGHT, PANEL_HEIGHT = 0.32, 1.15
CHANCE, CEILING, CURVE = "0.65", "#FBE6BF", "0.35"
# Okabe and Ito's colours with markers of their own; more models than these share looks.
_LOOKS = [
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#56B4E9", "v"),
    ("#000000", "P"),
    ("#8C6D1F", "X"),
]
Looks = dict[str, tuple[str, str]]


def scorecard_figure(cards: pd.DataFrame, capture: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw each model's scores compared with chance, and its place on the optimisation curves.

    Parameters
    ----------
    cards : DataFrame
        The score cards of one dataset's models.
    capture : DataFrame
        Columns measure, variance_ratio, score, r2: what optimised data explain.
    """
    table = cards[~cards.measure.isin(OFF_SCALE)]
    if table.empty:
        return empty_figure("no measure has a scale that runs up to 1"), cards
    models, measures = list(dict.fromkeys(table.model)), list(dict.fromkeys(table.measure))
    looks = {model: _LOOKS[number % len(_LOOKS)] for number, model in enumerate(models)}
    curves = [name for name in measures if (capture.measure == name).any()]
    rows = max(-(-len(curves) // N_CURVES), 1)
    height = max(ROW_HEIGHT * len(measures), PANEL_HEIGHT * rows) + 0.9
    figure = plt.figure(figsize=(PAGE_WIDTH, height))
    grid = figure.add_gridspec(rows, N_CURVES + 1, width_ratios=[1.35] + [1] * N_CURVES)
    _draw_strip(figure.add_subplot(grid[:, 0]), table, measures, looks)
    for number, measure in enumerate(curves):
        row, column = divmod(number, N_CURVES)
        axis = figure.add_subplot(grid[row, column + 1])
        _draw_place(axis, table[table.measure == measure], capture, looks)
        axis.set_title(measure_label(measure).replace(", ", ",\n", 1))
        if column == 0:
            axis.set_ylabel("variance explained")
        if number + N_CURVES >= len(curves):
            axis.set_xlabel("score")
    figure.suptitle(dataset_label(table.dataset.iloc[0]), fontsize=8)
    legend_below(figure, _handles(table, looks))
    return figure, cards


def _draw_strip(axis: Axes, table: pd.DataFrame, measures: list[str], looks: Looks) -> None:
    """Draw a row per measure, in it a line per model over its chance and noise ceiling."""
    step = 0.8 / len(looks)
    for place, measure in enumerate(measures):
        # The ceiling is the recording's: but for trials that a model lacks, the same for all.
        ceiling = table.loc[table.measure == measure, ["ceiling_low", "ceiling_high"]].dropna()
        for low, high in ceiling.drop_duplicates().to_numpy():
            axis.add_patch(_bar(low, high, place, 0.84, CEILING, zorder=0))
        for number, (model, (colour, marker)) in enumerate(looks.items()):
            rows = table[(table.measure == measure) & (table.model == model)].dropna(
                subset=["score"]
            )
            y = place + step * (number + 0.5) - 0.4
            for row in rows.to_dict("records"):
                axis.add_patch(_bar(row["null_low"], row["null_high"], y, 0.8 * step, CHANCE))
                axis.plot(
                    [row["score_low"], row["score_high"]], [y, y], color=colour, linewidth=0.9
                )
                axis.plot(row["score"], y, marker=marker, color=colour, markersize=3.2)
    axis.axvline(0, color="0.85", linewidth=0.5, zorder=0)
    low = min(0.0, table.score.min(), table.null_low.min())
    axis.set_xlim(low - 0.03, 1.03)
    axis.set_ylim(len(measures) - 0.5, -0.5)
    axis.set_yticks(range(len(measures)), [measure_label(name) for name in measures])
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("score")
    axis.set_title("compared with chance")


def _bar(
    low: float, high: float, y: float, height: float, colour: str, *, zorder: float = 1
) -> Rectangle:
    corner = (low, y - height / 2)
    return Rectangle(corner, high - low, height, color=colour, linewidth=0, zorder=zorder)


def _draw_place(axis: Axes, table: pd.DataFrame, capture: pd.DataFrame, looks: Looks) -> None:
    """Draw the variance that optimised data explain at each score, and the models."""
    of_measure = capture[capture.measure == table.measure.iloc[0]]
    explained = (of_measure.variance_ratio * of_measure.r2).groupby(of_measure.score).sum()
    axis.plot(explained.index, explained.to_numpy(), color=CURVE, linewidth=0.9)
    for row in table.to_dict("records"):
        colour, marker = looks[row["model"]]
        if np.isfinite(row["score"]) and np.isfinite(row["variance_of_model"]):
            axis.plot(
                [row["score_low"], row["score_high"]],
                [row["variance_of_model"]] * 2,
                color=colour,
                linewidth=0.7,
            )
            axis.plot(
                row["score"], row["variance_of_model"], color=colour, marker=marker, markersize=3.2
            )
    axis.set_xlim(min(0.0, table.score.min()) - 0.03, 1.03)
    axis.set_ylim(-0.03, 1.05)


def _handles(table: pd.DataFrame, looks: Looks) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, marker=marker, markersize=3.2, linewidth=0.9, label=model)
        for model, (colour, marker) in looks.items()
    ]
    handles.append(Patch(color=CHANCE, label="shuffled conditions"))
    if table.ceiling_low.notna().any():
        handles.append(Patch(color=CEILING, label="noise ceiling"))
    handles.append(Line2D([], [], color=CURVE, linewidth=0.9, label="optimised data"))
    return handles
