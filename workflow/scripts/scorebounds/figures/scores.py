"""Figure of the scores of optimised data by every measure."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from scorebounds.core.measure_table import measure_label
from scorebounds.figures.style import (
    OFF_SCALE,
    PAGE_WIDTH,
    add_letters,
    empty_figure,
    panel_title,
    write_score,
)

BRIGHT = 0.6  # above it, dark text is read better
COLOURS = "viridis"
SMALL_IN_A_ROW = 5
LABEL_WIDTH = 18  # letters, of the columns


def score_figure(scores: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the mean over datasets, a row per measure optimised and a column per measure scored.

    Parameters
    ----------
    scores : DataFrame
        Columns dataset, optimized, measure, seed, score.

    Returns
    -------
    Figure
    DataFrame
        Means over seeds, per dataset.
    """
    by_pair = scores.groupby(["dataset", "optimized", "measure"], sort=False)
    shown = by_pair.score.mean().reset_index()
    table = shown[~shown.measure.isin(OFF_SCALE) & ~shown.optimized.isin(OFF_SCALE)]
    if table.empty:
        return empty_figure("no measure has a scale that runs up to 1"), shown
    datasets = list(dict.fromkeys(table.dataset))
    rows, columns = list(dict.fromkeys(table.optimized)), list(dict.fromkeys(table.measure))
    n_small_rows = -(-len(datasets) // SMALL_IN_A_ROW) if len(datasets) > 1 else 0
    large, small = 0.28 * len(rows) + 1.1, 0.3 + 0.75 * len(rows) / len(columns)
    figure = plt.figure(figsize=(PAGE_WIDTH, large + small * n_small_rows * 1.2))
    heights = [large, max(small * n_small_rows * 1.2, 0.01)]
    above, below = figure.subfigures(2, 1, height_ratios=heights, squeeze=False)[:, 0]
    axis = above.subplots()
    image = _draw_mean(axis, table, rows, columns)
    above.colorbar(image, ax=axis, label="score", shrink=0.8, extend="min")
    if n_small_rows:
        grid = below.subplots(n_small_rows, SMALL_IN_A_ROW, squeeze=False)
        for unused in grid.flat[len(datasets) :]:
            unused.set_visible(False)
        for panel, dataset in zip(grid.flat, datasets, strict=False):
            _draw_matrix(panel, _matrix(table[table.dataset == dataset], rows, columns))
            panel.set(xticks=[], yticks=[])
            panel.set_title(panel_title(dataset), fontsize=6)
        add_letters([axis, *grid.flat[: len(datasets)]])
    return figure, shown


def _matrix(table: pd.DataFrame, rows: list[str], columns: list[str]) -> np.ndarray:
    pivoted = table.pivot_table(index="optimized", columns="measure", values="score", dropna=False)
    values: np.ndarray = pivoted.reindex(index=rows, columns=columns).to_numpy()
    return values


def _draw_matrix(axis: Axes, values: np.ndarray) -> AxesImage:
    colours = plt.get_cmap(COLOURS).with_extremes(bad="0.9")
    image = axis.imshow(np.ma.masked_invalid(values), cmap=colours, vmin=0, vmax=1, aspect="auto")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    return image


def write_briefly(score: float) -> str:
    """Return a score with two digits and without the zero before the point: .90, −.16, 90.20."""
    text = write_score(score)
    for whole, point in (("0.", "."), ("−0.", "−.")):
        if text.startswith(whole):
            return point + text.removeprefix(whole)
    return text


def _draw_mean(axis: Axes, table: pd.DataFrame, rows: list[str], columns: list[str]) -> AxesImage:
    """Draw the mean over datasets, with the lowest and the highest dataset below it."""
    by_pair = table.groupby(["optimized", "measure"]).score
    mean, low, high = (
        _matrix(values.reset_index(), rows, columns)
        for values in (by_pair.mean(), by_pair.min(), by_pair.max())
    )
    image = _draw_matrix(axis, mean)
    for (row, column), value in np.ndenumerate(mean):
        if np.isnan(value):
            axis.text(column, row, "–", ha="center", va="center", fontsize=6)
            continue
        ends = [write_briefly(float(end[row, column])) for end in (low, high)]
        text = write_score(value) + ("" if ends[0] == ends[1] else f"\n{ends[0]}–{ends[1]}")
        shade = "black" if value > BRIGHT else "white"
        axis.text(column, row, text, ha="center", va="center", color=shade, fontsize=6)
    labels = [textwrap.fill(measure_label(name), LABEL_WIDTH) for name in columns]
    axis.set_xticks(range(len(columns)), labels, rotation=90)
    axis.set_yticks(range(len(rows)), [measure_label(name) for name in rows])
    axis.set(xlabel="scored with", ylabel="optimised towards")
    return image
