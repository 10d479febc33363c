"""Figure of the scores of all models of a dataset, compared with chance."""

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
    model_looks,
)

ROW_HEIGHT = 0.32
LOWEST = -0.5  # lower scores are drawn as arrows at the left end
CHANCE, CEILING = "0.65", "#FBE6BF"
Looks = dict[str, tuple[str, str]]


def scorecard_figure(cards: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw each model's scores compared with chance and with the noise ceiling.

    Parameters
    ----------
    cards : DataFrame
        The score cards of one dataset's models: columns dataset, model, measure, score, score_low,
        score_high, null_low, null_high, ceiling_low, ceiling_high.
    """
    table = cards[~cards.measure.isin(OFF_SCALE)]
    if table.empty:
        return empty_figure("no measure has a scale that runs up to 1"), cards
    measures = list(dict.fromkeys(table.measure))
    looks = model_looks(table.model)
    height = ROW_HEIGHT * len(measures) * max(1.0, len(looks) / 3) + 0.9
    figure, axis = plt.subplots(figsize=(0.75 * PAGE_WIDTH, height))
    _draw_strip(axis, table, measures, looks)
    axis.set_title(dataset_label(table.dataset.iloc[0]), fontweight="bold")
    legend_below(figure, _handles(table, looks), per_row=3)
    return figure, cards


def _draw_strip(axis: Axes, table: pd.DataFrame, measures: list[str], looks: Looks) -> None:
    """Draw a row per measure, in it a line per model over its chance and noise ceiling."""
    step = 0.8 / len(looks)
    ends = (table.score.min(), table.score_low.min(), table.null_low.min())
    lowest = max(min(0.0, *(end for end in ends if np.isfinite(end))), LOWEST)
    for place, measure in enumerate(measures):
        # The ceiling is the recording's: but for trials that a model lacks, the same for all.
        ceiling = table.loc[table.measure == measure, ["ceiling_low", "ceiling_high"]].dropna()
        for low, high in ceiling.drop_duplicates().to_numpy():
            axis.add_patch(_bar(low, max(high, low + 0.004), place, 0.84, CEILING, zorder=0))
        for number, (model, (colour, marker)) in enumerate(looks.items()):
            rows = table[(table.measure == measure) & (table.model == model)].dropna(
                subset=["score"]
            )
            y = place + step * (number + 0.5) - 0.4
            for row in rows.to_dict("records"):
                axis.add_patch(_bar(row["null_low"], row["null_high"], y, 0.8 * step, CHANCE))
                axis.plot(
                    np.clip([row["score_low"], row["score_high"]], lowest, 1),
                    [y, y],
                    color=colour,
                    linewidth=0.9,
                )
                below = row["score"] < lowest
                axis.plot(
                    max(row["score"], lowest),
                    y,
                    marker="<" if below else marker,
                    color=colour,
                    markersize=3.2,
                )
    axis.axvline(0, color="0.85", linewidth=0.5, zorder=0)
    axis.set_xlim(lowest - 0.03, 1.03)
    axis.set_ylim(len(measures) - 0.5, -0.5)
    axis.set_yticks(range(len(measures)), [measure_label(name) for name in measures])
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("score")


def _bar(
    low: float, high: float, y: float, height: float, colour: str, *, zorder: float = 1
) -> Rectangle:
    corner = (low, y - height / 2)
    return Rectangle(corner, high - low, height, color=colour, linewidth=0, zorder=zorder)


def _handles(table: pd.DataFrame, looks: Looks) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, marker=marker, markersize=3.2, linewidth=0.9, label=model)
        for model, (colour, marker) in looks.items()
    ]
    handles.append(Patch(color=CHANCE, label="shuffled conditions"))
    if table.ceiling_low.notna().any():
        handles.append(Patch(color=CEILING, label="noise ceiling"))
    return handles
