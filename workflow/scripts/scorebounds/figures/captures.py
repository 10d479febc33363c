"""Figures of which principal components a score captures."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.style import (
    N_COLUMNS,
    OFF_SCALE,
    bottom_row,
    dataset_label,
    empty_figure,
    legend_below,
    measure_handles,
    measure_looks,
    panels,
)

# The row of `agreement.csv` that the figure prints: mean |difference| of the first thresholds.
THRESHOLD_DIFFERENCE = "threshold_difference"
PUBLISHED_LOOK: dict[str, Any] = {
    "color": "black",
    "linestyle": "none",
    "marker": "o",
    "markersize": 2.6,
    "markerfacecolor": "none",
    "markeredgewidth": 0.35,
}


def threshold_figure(
    thresholds: pd.DataFrame, published: pd.DataFrame
) -> tuple[Figure, pd.DataFrame]:
    """Draw the score at which each component is captured against its share of the variance.

    Parameters
    ----------
    thresholds : DataFrame
        Columns dataset, measure, kind, target, variance_ratio, score_mean, score_low, score_high.
    published : DataFrame
        Columns dataset, measure, quantity, target, published.

    Returns
    -------
    Figure
    DataFrame
        The thresholds of components, with those published.
    """
    keys = ["dataset", "measure", "target"]
    components = thresholds[thresholds.kind == "pc"].astype({"target": int})
    theirs = published[published.quantity == "pc_threshold"].astype({"target": int})
    shown = components.merge(theirs[[*keys, "published"]], on=keys, how="left")
    table = _on_scale(shown)
    if table.empty:
        return empty_figure("no measure has a scale that runs up to 1"), shown
    datasets, looks = list(dict.fromkeys(table.dataset)), measure_looks(table.measure)
    figure, axes = panels(len(datasets))
    for axis, dataset in zip(axes, datasets, strict=True):
        of_dataset = table[table.dataset == dataset]
        axis.set_title(dataset_label(dataset))
        if of_dataset.score_mean.isna().all():
            axis.text(0.5, 0.5, "no component captured", transform=axis.transAxes, ha="center")
            axis.set(xticks=[], yticks=[])
            continue
        for measure, rows in of_dataset.groupby("measure", sort=False):
            _, colour, marker = looks[measure]
            share = rows.variance_ratio.to_numpy()
            axis.fill_between(
                share, rows.score_low, rows.score_high, color=colour, alpha=0.25, linewidth=0
            )
            axis.plot(
                share,
                rows.score_mean,
                color=colour,
                marker=marker,
                markersize=1.8,
                linewidth=0.6,
            )
            axis.plot(share, rows.published, **PUBLISHED_LOOK, zorder=3)
        axis.set_xscale("log")
        axis.set_ylim(_lowest(of_dataset.score_mean, of_dataset.published), 1.02)
    for axis in bottom_row(axes):
        axis.set_xlabel("share of variance of the PC")
    for axis in axes[::N_COLUMNS]:
        axis.set_ylabel("score at capture")
    handles = measure_handles(looks)
    if table.published.notna().any():
        handles.append(Line2D([], [], label="published", **PUBLISHED_LOOK))
    legend_below(figure, handles)
    return figure, shown


def trajectory_figure(trajectories: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw score against step, a thin line per seed.

    Parameters
    ----------
    trajectories : DataFrame
        Columns dataset, measure, seed, step, score.
    """
    table = _on_scale(trajectories)
    if table.empty:
        return empty_figure("no measure has a scale that runs up to 1"), trajectories
    datasets, looks = list(dict.fromkeys(table.dataset)), measure_looks(table.measure)
    figure, axes = panels(len(datasets))
    for axis, dataset in zip(axes, datasets, strict=True):
        of_dataset = table[(table.dataset == dataset) & (table.step > 0)]
        for (measure, _), rows in of_dataset.groupby(["measure", "seed"], sort=False):
            axis.plot(rows.step, rows.score, color=looks[measure][1], linewidth=0.6)
        axis.set_xscale("log")
        axis.set_ylim(_lowest(of_dataset.score), 1.02)
        axis.set_title(dataset_label(dataset))
    for axis in bottom_row(axes):
        axis.set_xlabel("Adam updates")
    for axis in axes[::N_COLUMNS]:
        axis.set_ylabel("score")
    legend_below(figure, measure_handles(looks, markers=False))
    return figure, trajectories


def capture_figure(capture: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the R² of each component against the score, a panel per measure.

    Parameters
    ----------
    capture : DataFrame
        One dataset; columns measure, target, variance_ratio, score, r2.
    """
    if capture.empty:
        return empty_figure("no optimisation raised its score"), capture
    measures, looks = list(dict.fromkeys(capture.measure)), measure_looks(capture.measure)
    figure, axes = panels(len(measures), legend_height=0)
    shares = capture.variance_ratio
    norm = LogNorm(shares.min(), shares.max())
    # Yellow on white cannot be read: leave out the brightest end.
    colours = ListedColormap(plt.get_cmap("viridis")(np.linspace(0.9, 0, 256)))
    for axis, measure in zip(axes, measures, strict=True):
        of_measure = capture[capture.measure == measure]
        curves = [rows for _, rows in of_measure.groupby("target", sort=False)][::-1]
        lines = LineCollection(
            [np.column_stack([rows.score, rows.r2]) for rows in curves],
            array=np.array([rows.variance_ratio.iloc[0] for rows in curves]),
            cmap=colours,
            norm=norm,
            linewidths=0.7,
        )
        axis.add_collection(lines)
        if measure in OFF_SCALE:
            axis.set_xlim(of_measure.score.iloc[0], of_measure.score.iloc[-1])
        else:
            axis.set_xlim(min(0, of_measure.score.min()), 1)
        axis.set_ylim(0, 1.02)
        axis.set_title(looks[measure][0])
    for axis in bottom_row(axes):
        axis.set_xlabel("score")
    for axis in axes[::N_COLUMNS]:
        axis.set_ylabel("R² of the PC")
    figure.colorbar(lines, ax=axes, label="share of variance of the PC", shrink=0.8)
    figure.suptitle(dataset_label(capture.dataset.iloc[0]), fontsize=8)
    return figure, capture


def agreement_figure(
    published: pd.DataFrame, agreement: pd.DataFrame
) -> tuple[Figure, pd.DataFrame]:
    """Draw our thresholds against the published ones, a panel per dataset.

    Parameters
    ----------
    published : DataFrame
        Columns dataset, measure, quantity, published, reproduced.
    agreement : DataFrame
        Columns dataset, measure, quantity, value, within.
    """
    published = published[published.quantity == "pc_threshold"]
    agreement = agreement[agreement.quantity == THRESHOLD_DIFFERENCE]
    if published.empty:
        return empty_figure("nothing was published for these datasets and measures"), published
    datasets, looks = list(dict.fromkeys(published.dataset)), measure_looks(published.measure)
    figure, axes = panels(len(datasets), height=2.2)
    for axis, dataset in zip(axes, datasets, strict=True):
        of_dataset = published[published.dataset == dataset]
        axis.axline((0, 0), slope=1, color="0.6", linewidth=0.6, zorder=0)
        for measure, rows in of_dataset.groupby("measure", sort=False):
            _, colour, marker = looks[measure]
            axis.plot(
                rows.published,
                rows.reproduced,
                color=colour,
                marker=marker,
                markersize=2,
                linestyle="none",
                alpha=0.8,
            )
        lines = [
            f"{looks[row.measure][0]}: {row.value:.3f}{'' if row.within else ' *'}"
            for row in agreement[agreement.dataset == dataset].itertuples()
        ]
        axis.text(
            0.98,
            0.02,
            "\n".join(["mean |difference|", *lines]),
            transform=axis.transAxes,
            ha="right",
            va="bottom",
            fontsize=5,
        )
        limits = (_lowest(of_dataset.published, of_dataset.reproduced), 1.02)
        axis.set(xlim=limits, ylim=limits, aspect="equal", title=dataset_label(dataset))
    for axis in bottom_row(axes):
        axis.set_xlabel("published score at capture")
    for axis in axes[::N_COLUMNS]:
        axis.set_ylabel("reproduced score at capture")
    legend_below(figure, measure_handles(looks))
    return figure, published


def _on_scale(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the measures that cannot share an axis; each has its panel in `capture_figure`."""
    return table[~table.measure.isin(OFF_SCALE)]


def _lowest(*scores: pd.Series) -> float:
    """Return where a score axis starts: at zero, or below the lowest score."""
    lowest = [float(series.min()) for series in scores if series.notna().any()]
    return min([0.0, *lowest]) - 0.05
