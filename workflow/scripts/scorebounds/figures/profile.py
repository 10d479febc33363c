"""Figures of several models or layers: scores by model, and differences between models."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.core.measure_table import measure_label
from scorebounds.figures.style import (
    PAGE_WIDTH,
    empty_figure,
    legend_below,
    measure_handles,
    measure_looks,
    panels,
)

WIDTH = PAGE_WIDTH / 2
ROW_HEIGHT = 0.22
CHANCE, SCORE = "0.75", "#0072B2"
INTERVAL = "95 % interval of the corrected score"
MOST_NAMES, LONGEST_NAME = 16, 22
# Columns of a score card that the profile over layers shows.
PROFILE = ["model", "measure", "score", "score_low", "score_high", "null_mean", "null_low"]
PROFILE += ["null_high", "p_corrected", "verdict", "higher_is_closer", "score_calibrated"]


def draw_profile(table: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the score of each model or layer, in the order of the table, a marker per measure.

    More than `MOST_NAMES` are taken for layers: lines join them, and only some are named.

    Parameters
    ----------
    table : DataFrame
        Columns model, measure, score.
    """
    shown = table.dropna(subset=["score"])
    if shown.empty:
        return empty_figure("no measure is defined for these models"), shown
    models = list(dict.fromkeys(table.model))
    looks = measure_looks(dict.fromkeys(shown.measure))
    width = min(max(WIDTH, 0.3 * len(models) + 1.2), PAGE_WIDTH)
    figure, axis = plt.subplots(figsize=(width, 3))
    line = "-" if len(models) > MOST_NAMES else "none"
    for measure, rows in shown.groupby("measure", sort=False):
        _, colour, marker = looks[str(measure)]
        places = [models.index(model) for model in rows.model]
        axis.plot(
            places,
            rows.score,
            marker=marker,
            color=colour,
            linestyle=line,
            linewidth=0.7,
            markersize=4 if line == "none" else 2.5,
        )
    _name_places(axis, models)
    axis.set_ylabel("score")
    figure.legend(handles=measure_handles(looks), loc="outside lower center", ncols=3)
    return figure, shown


def draw_layers(cards: pd.DataFrame, layers: Mapping[str, str]) -> tuple[Figure, pd.DataFrame]:
    """Draw the scores of a model's layers, a panel per measure, compared with chance.

    Parameters
    ----------
    cards : DataFrame
        The score cards of the layers: columns model, measure, score, score_low, score_high (of the
        corrected score), null_low, null_high, and others of a score card.
    layers : mapping of str to str
        What each model of the cards is called, from the first layer to the last.

    Returns
    -------
    Figure
    DataFrame
        A row per layer and measure, in this order: layer and the columns of `PROFILE`.
    """
    order = pd.DataFrame({"model": list(layers), "layer": list(layers.values())})
    table = order.merge(cards, on="model")[["layer", *PROFILE]]
    measures = list(dict.fromkeys(table.measure[table.score.notna()]))
    if not measures:
        return empty_figure("no measure is defined for these layers"), table
    figure, axes = panels(len(measures), height=1.9, legend_height=0.3)
    for axis, measure in zip(axes, measures, strict=True):
        rows = table[table.measure == measure].reset_index(drop=True)
        places = np.arange(len(rows))
        axis.vlines(places, rows.null_low, rows.null_high, color=CHANCE, linewidth=4)
        axis.vlines(places, rows.score_low, rows.score_high, color=SCORE, linewidth=0.9)
        axis.plot(places, rows.score, marker="o", color=SCORE, linestyle="none", markersize=3.2)
        _name_places(axis, list(rows.layer))
        axis.set(xlim=(-0.6, len(rows) - 0.4), ylabel="score")
        axis.set_title(measure_label(measure))
    handles = [
        Line2D([], [], color=SCORE, marker="o", markersize=3.2, linestyle="none", label="score"),
        Line2D([], [], color=SCORE, linewidth=0.9, label=INTERVAL),
        Line2D([], [], color=CHANCE, linewidth=4, label="permuted conditions, 5 to 95 %"),
    ]
    legend_below(figure, handles)
    return figure, table


def _name_places(axis: Axes, names: Sequence[str]) -> None:
    """Name the places 0, 1, … of an axis, or some of them where names would cover each other."""
    step = -(-len(names) // MOST_NAMES)
    # The end of a layer's path says most.
    shown = [
        name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"
        for name in names[::step]
    ]
    axis.set_xticks(
        range(0, len(names), step), shown, rotation=45, ha="right", rotation_mode="anchor"
    )


def draw_differences(table: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the difference between the scores of every two models, with its 95 % interval.

    Parameters
    ----------
    table : DataFrame
        Columns measure, model, other, difference, difference_low, difference_high.
    """
    if table.empty:
        return empty_figure("there are no two models to compare"), table
    pairs = list(dict.fromkeys(zip(table.model, table.other, strict=True)))
    measures = list(dict.fromkeys(table.measure))
    height = 0.8 + ROW_HEIGHT * len(measures)
    figure, axes = plt.subplots(
        1, len(pairs), sharey=True, squeeze=False, figsize=(WIDTH * len(pairs), height)
    )
    for axis, (model, other) in zip(axes[0], pairs, strict=True):
        rows = table[(table.model == model) & (table.other == other)]
        places = np.array([measures.index(measure) for measure in rows.measure])
        below = rows.difference - rows.difference_low
        above = rows.difference_high - rows.difference
        axis.errorbar(rows.difference, places, xerr=[below, above], fmt="o", color="#0072B2")
        axis.axvline(0, color="0.5", linewidth=0.6)
        axis.set(xlabel=f"score of {model} − score of {other}", ylim=(len(measures) - 0.5, -0.5))
    axes[0, 0].set_yticks(range(len(measures)), [measure_label(name) for name in measures])
    return figure, table
