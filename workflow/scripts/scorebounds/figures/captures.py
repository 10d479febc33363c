"""Figures of which principal components a score captures."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.style import (
    OFF_SCALE,
    Dash,
    Look,
    bottom_row,
    dataset_label,
    empty_figure,
    first_column,
    label_outer,
    legend_below,
    main_measures,
    measure_dashes,
    measure_handles,
    measure_looks,
    panel_title,
    panels,
    with_thresholds,
)

# The row of `agreement.csv` that the figure prints: mean |difference| of the first thresholds.
THRESHOLD_DIFFERENCE = "threshold_difference"
PUBLISHED_LOOK: dict[str, Any] = {"linestyle": (0, (1, 1.5)), "linewidth": 0.8, "alpha": 0.8}
SOME_SEEDS: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 2.6,
    "markerfacecolor": "white",
    "markeredgewidth": 0.5,
}
NEVER_LOOK: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": 3}
NEVER_ROW = 0.035  # height of the row of marks of a measure's components that were never captured


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
    components = with_thresholds(thresholds[thresholds.kind == "pc"]).astype({"target": int})
    theirs = published[published.quantity == "pc_threshold"].astype({"target": int})
    shown = components.merge(theirs[[*keys, "published"]], on=keys, how="left")
    names = main_measures(shown.measure)
    table = shown[shown.measure.isin(names)]
    if table.empty:
        return empty_figure("there are no thresholds of components to draw"), shown
    datasets, looks = list(dict.fromkeys(table.dataset)), measure_looks(names)
    dashes = measure_dashes(names)
    figure, axes = panels(len(datasets), height=2.0)
    limits = (table.variance_ratio.min() / 1.3, min(table.variance_ratio.max() * 1.3, 1))
    lowest = _lowest(table.score_low, table.score_median, table.published)
    for axis, dataset in zip(axes, datasets, strict=True):
        axis.set_title(panel_title(dataset))
        axis.set(xscale="log", xlim=limits, ylim=(lowest, 1.03 + NEVER_ROW * len(names)))
        axis.set_yticks(np.linspace(0, 1, 6))
        axis.axhline(1.0, color="0.8", linewidth=0.5, zorder=0)
        for row, measure in enumerate(names):
            rows = table[(table.dataset == dataset) & (table.measure == measure)]
            look = {"color": looks[measure][1], "linestyle": dashes[measure], "linewidth": 0.9}
            _draw_thresholds(axis, rows, look)
            never = rows.variance_ratio[rows.n_reached == 0]
            height = np.full(len(never), 1.03 + NEVER_ROW * (row + 0.5))
            axis.plot(never, height, color=look["color"], **NEVER_LOOK)
    label_outer(axes, "share of variance of the PC", "score at capture")
    legend_below(figure, _threshold_handles(table, looks, dashes))
    return figure, shown


def _draw_thresholds(axis: Axes, rows: pd.DataFrame, look: dict[str, Any]) -> None:
    """Draw the median over seeds with its interval, and what was published."""
    share, colour = rows.variance_ratio.to_numpy(), look["color"]
    low, high = rows.score_low, rows.score_high.fillna(1.0).where(rows.score_low.notna())
    axis.fill_between(share, low, high, color=colour, alpha=0.2, linewidth=0)
    axis.plot(share, rows.score_median, **look)
    some = rows[(rows.n_reached < rows.n_seeds) & rows.score_median.notna()]
    axis.plot(some.variance_ratio, some.score_median, color=colour, **SOME_SEEDS)
    axis.plot(share, rows.published, color=colour, **PUBLISHED_LOOK)


def _threshold_handles(
    table: pd.DataFrame, looks: dict[str, Look], dashes: dict[str, Dash]
) -> list[Line2D]:
    handles = measure_handles(looks, markers=False, dashes=dashes)
    if (table.n_reached == 0).any():
        handles.append(Line2D([], [], color="0.3", label="never captured", **NEVER_LOOK))
    if ((table.n_reached > 0) & (table.n_reached < table.n_seeds)).any():
        handles.append(Line2D([], [], color="0.3", label="captured in some seeds", **SOME_SEEDS))
    if table.published.notna().any():
        handles.append(Line2D([], [], color="0.3", label="published", **PUBLISHED_LOOK))
    return handles


def trajectory_figure(trajectories: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw score against update, a thin line per seed.

    Parameters
    ----------
    trajectories : DataFrame
        Columns dataset, measure, seed, step, score.
    """
    names = main_measures(trajectories.measure)
    table = trajectories[trajectories.measure.isin(names)]
    if table.empty:
        return empty_figure("no measure has a scale that runs up to 1"), trajectories
    datasets, looks = list(dict.fromkeys(table.dataset)), measure_looks(names)
    dashes = measure_dashes(names)
    figure, axes = panels(len(datasets))
    for axis, dataset in zip(axes, datasets, strict=True):
        of_dataset = table[table.dataset == dataset]
        for (measure, _), rows in of_dataset.groupby(["measure", "seed"], sort=False):
            name = str(measure)
            axis.plot(
                rows.step, rows.score, color=looks[name][1], linestyle=dashes[name], linewidth=0.7
            )
        axis.set_xscale("symlog", linthresh=1)
        axis.set(xlim=(0, table.step.max() * 1.2), ylim=(_lowest(table.score), 1.02))
        axis.set_title(panel_title(dataset))
    label_outer(axes, "Adam updates", "score")
    legend_below(figure, measure_handles(looks, markers=False, dashes=dashes))
    return figure, trajectories


def capture_figure(capture: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the R² of each component against the score, a panel per measure.

    Parameters
    ----------
    capture : DataFrame
        One dataset; columns measure, target, variance_ratio, score, r2.
    """
    if capture.empty:
        reason = (
            "no optimisation raised its score, or capture is undefined,\n"
            "because there are as many neurons as samples"
        )
        return empty_figure(reason), capture
    measures, looks = list(dict.fromkeys(capture.measure)), measure_looks(capture.measure)
    figure, axes = panels(len(measures), legend_height=0)
    shares = capture.variance_ratio
    lowest = min(0.0, capture.score[~capture.measure.isin(OFF_SCALE)].min())
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
            axis.set_xlim(lowest, 1)
        axis.set_ylim(0, 1.02)
        start = of_measure.r2[of_measure.score == of_measure.score.iloc[0]].mean()
        axis.axhline(start, color="0.5", linewidth=0.6, linestyle=":")
        axis.set_title(looks[measure][0])
    for axis in bottom_row(axes):
        axis.set_xlabel("score")
    for axis in first_column(axes):
        axis.set_ylabel("R² of the PC")
    figure.colorbar(lines, ax=axes, label="share of variance of the PC", shrink=0.8)
    figure.suptitle(dataset_label(capture.dataset.iloc[0]), fontsize=7, fontweight="bold")
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
        _write_differences(axis, agreement[agreement.dataset == dataset], looks)
        limits = (_lowest(of_dataset.published, of_dataset.reproduced), 1.02)
        axis.set(xlim=limits, ylim=limits, aspect="equal", title=panel_title(dataset))
    for axis in bottom_row(axes):
        axis.set_xlabel("published score at capture")
    for axis in first_column(axes):
        axis.set_ylabel("reproduced score at capture")
    handles = measure_handles(looks)
    for handle in handles:
        handle.set_linestyle("none")
    legend_below(figure, handles)
    return figure, published


def _lowest(*scores: pd.Series) -> float:
    """Return where a score axis starts: at zero, or below the lowest score."""
    lowest = [float(series.min()) for series in scores if series.notna().any()]
    return min([0.0, *lowest]) - 0.05


def _write_differences(axis: Axes, agreement: pd.DataFrame, looks: dict[str, Look]) -> None:
    """Write the differences that are beyond the tolerance into the corner of a panel."""
    beyond = agreement[~agreement.within.astype(bool)]
    lines = [
        f"{looks[measure][0]}: {value:.3f}"
        for measure, value in zip(beyond.measure, beyond.value, strict=True)
    ]
    if lines:
        axis.text(
            0.98,
            0.02,
            "\n".join(["beyond tolerance:", *lines]),
            transform=axis.transAxes,
            ha="right",
            va="bottom",
            fontsize=6,
        )
