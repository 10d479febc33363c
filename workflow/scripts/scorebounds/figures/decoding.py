"""Figures of the score from which on task variables are decoded."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.style import (
    N_COLUMNS,
    OFF_SCALE,
    PAGE_WIDTH,
    Look,
    bottom_row,
    dataset_label,
    empty_figure,
    legend_below,
    measure_handles,
    measure_looks,
    panels,
)

NEVER = 1.09  # where the plot of thresholds puts what was never decoded
# Okabe and Ito's palette, with a dash each.
_VARIABLE_LOOKS = [
    ("#0072B2", "-"),
    ("#D55E00", (0, (4, 1.2))),
    ("#009E73", (0, (1, 0.8))),
    ("#CC79A7", (0, (4, 1, 1, 1))),
    ("#E69F00", (0, (6, 1.5))),
    ("#000000", (0, (2, 1.5))),
]
_AT_CHANCE = "not decoded from the reference itself"
NO_LABELS = "no dataset has labels that were decoded along a score"


def decoding_figure(
    curves: pd.DataFrame,
    references: pd.DataFrame,
    thresholds: pd.DataFrame,
    measures: Sequence[str],
) -> tuple[Figure, pd.DataFrame]:
    """Draw the accuracy of each variable along the score of each measure, a panel a variable.

    Parameters
    ----------
    curves : DataFrame
        Columns dataset, measure, target, score, accuracy_mean, accuracy_low, accuracy_high.
    references : DataFrame
        Columns dataset, target, chance, reference, decodable; a panel per row.
    thresholds : DataFrame
        Columns dataset, measure, kind, target, score_mean: marked on the lower axis.
    measures : sequence of str
        Measures to draw.
    """
    curves = curves[curves.measure.isin(measures)]
    thresholds = thresholds[(thresholds.kind == "variable") & thresholds.measure.isin(measures)]
    levels = references[["dataset", "target", "chance", "reference", "decodable"]]
    shown = curves.merge(levels, on=["dataset", "target"])
    curves = curves[~curves.measure.isin(OFF_SCALE)]
    if references.empty or curves.empty:
        return empty_figure(NO_LABELS), shown
    looks = measure_looks(curves.measure)
    figure, axes = panels(len(references), height=1.55)
    for axis, of_panel in zip(axes, _records(references), strict=True):
        here = curves[(curves.dataset == of_panel.dataset) & (curves.target == of_panel.target)]
        found = thresholds[
            (thresholds.dataset == of_panel.dataset) & (thresholds.target == of_panel.target)
        ]
        _draw_panel(axis, here, found, looks)
        axis.axhline(of_panel.chance, color="0.4", linewidth=0.6, linestyle=":")
        axis.axhline(of_panel.reference, color="0.4", linewidth=0.6, linestyle="--")
        if not of_panel.decodable:
            axis.text(0.5, 0.9, _AT_CHANCE, transform=axis.transAxes, ha="center", fontsize=6)
        top = max(of_panel.reference, here.accuracy_mean.max())
        room = top - of_panel.chance
        axis.set_ylim(of_panel.chance - 0.15 * room, min(1.02, top + 0.12 * room))
        axis.set_title(f"{dataset_label(of_panel.dataset)}: {of_panel.target}")
    for axis in bottom_row(axes):
        axis.set_xlabel("score")
    for axis in axes[::N_COLUMNS]:
        axis.set_ylabel("accuracy")
    handles = measure_handles(looks)
    handles += [
        Line2D([], [], color="0.4", linestyle="--", linewidth=0.6, label="reference"),
        Line2D([], [], color="0.4", linestyle=":", linewidth=0.6, label="chance"),
    ]
    legend_below(figure, handles)
    return figure, shown


def _records(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples())


def _draw_panel(
    axis: Axes, curves: pd.DataFrame, thresholds: pd.DataFrame, looks: dict[str, Look]
) -> None:
    for measure, rows in curves.groupby("measure", sort=False):
        _, colour, marker = looks[str(measure)]
        axis.fill_between(
            rows.score,
            rows.accuracy_low,
            rows.accuracy_high,
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
        axis.plot(rows.score, rows.accuracy_mean, color=colour, linewidth=0.8)
        at = thresholds.score_mean[thresholds.measure == measure]
        axis.plot(
            at,
            np.zeros(len(at)),
            transform=axis.get_xaxis_transform(),
            color=colour,
            marker=marker,
            markersize=3,
            markeredgecolor="white",
            markeredgewidth=0.2,
            linestyle="none",
            clip_on=False,
            zorder=5,
        )
    axis.set_xlim(min(0, curves.score.min()), 1)


def decoding_threshold_figure(
    thresholds: pd.DataFrame, references: pd.DataFrame, measures: Sequence[str]
) -> tuple[Figure, pd.DataFrame]:
    """Draw the score at which each variable is decoded, a row a variable.

    Parameters
    ----------
    thresholds : DataFrame
        Columns dataset, measure, kind, target, score_mean, score_low, score_high, n_seeds,
        n_reached.
    references : DataFrame
        Columns dataset, target, decodable; a row of the figure per row.
    measures : sequence of str
        Measures to draw.
    """
    shown = thresholds[(thresholds.kind == "variable") & thresholds.measure.isin(measures)]
    thresholds = shown[~shown.measure.isin(OFF_SCALE)]
    if references.empty or thresholds.empty:
        return empty_figure(NO_LABELS), shown
    looks = measure_looks(thresholds.measure)
    figure, axis = plt.subplots(figsize=(PAGE_WIDTH, 0.9 + 0.36 * len(references)))
    for row, of_row in enumerate(_records(references)):
        if row % 2:
            axis.axhspan(row - 0.5, row + 0.5, color="0.95", linewidth=0)
        here = thresholds[
            (thresholds.dataset == of_row.dataset) & (thresholds.target == of_row.target)
        ]
        if not of_row.decodable:
            axis.text(0.5, row, _AT_CHANCE, ha="center", va="center", fontsize=6)
            continue
        _draw_row(axis, row, here, looks)
    axis.axvline((1 + NEVER) / 2, color="0.6", linewidth=0.6)
    axis.set_yticks(
        range(len(references)),
        [f"{dataset_label(row.dataset)}: {row.target}" for row in _records(references)],
    )
    axis.set_xticks([*np.linspace(0, 1, 6), NEVER], ["0", "0.2", "0.4", "0.6", "0.8", "1", "never"])
    axis.set(
        xlim=(min(0, thresholds.score_mean.min()), NEVER + 0.04),
        ylim=(len(references) - 0.5, -0.5),
        xlabel="score at which the variable is decoded",
    )
    axis.tick_params(axis="y", length=0)
    handles = measure_handles(looks)
    for handle in handles:
        handle.set_linestyle("none")
    legend_below(figure, handles)
    return figure, shown


def _draw_row(axis: Axes, row: int, thresholds: pd.DataFrame, looks: dict[str, Look]) -> None:
    offsets = np.linspace(-0.38, 0.38, len(looks))
    for offset, measure in zip(offsets, looks, strict=True):
        _, colour, marker = looks[measure]
        for of_measure in _records(thresholds[thresholds.measure == measure]):
            reached = of_measure.n_reached > 0
            axis.plot(
                [of_measure.score_low, of_measure.score_high],
                [row + offset] * 2,
                color=colour,
                linewidth=0.8,
            )
            everyone = of_measure.n_reached == of_measure.n_seeds
            axis.plot(
                of_measure.score_mean if reached else NEVER,
                row + offset,
                color=colour,
                marker=marker,
                markersize=3.2,
                markerfacecolor=colour if everyone else "white",
                markeredgewidth=0.6,
            )


def ridge_sweep_figure(
    curves: pd.DataFrame,
    references: pd.DataFrame,
    datasets: Sequence[str],
    penalties: Sequence[float],
) -> tuple[Figure, pd.DataFrame]:
    """Draw the accuracy of each variable along each ridge regression score.

    Parameters
    ----------
    curves, references : DataFrame
        As of `decoding_figure`.
    datasets : sequence of str
        A row each, if there are labels.
    penalties : sequence of float
        A column each.
    """
    measures = [f"ridge_cv_{penalty}" for penalty in penalties]
    shown = curves[curves.dataset.isin(datasets) & curves.measure.isin(measures)]
    curves, references = shown, references[references.dataset.isin(datasets)]
    datasets = list(dict.fromkeys(references.dataset))
    if curves.empty or not datasets:
        return empty_figure("no dataset of the sweep has labels that were decoded"), shown
    figure, grid = plt.subplots(
        len(datasets),
        len(measures),
        figsize=(PAGE_WIDTH, 0.7 + 1.45 * len(datasets)),
        squeeze=False,
        sharey="row",
        sharex=True,
    )
    for axes, dataset in zip(grid, datasets, strict=True):
        of_dataset = references[references.dataset == dataset]
        for axis, measure in zip(axes, measures, strict=True):
            here = curves[(curves.dataset == dataset) & (curves.measure == measure)]
            for index, variable in enumerate(of_dataset.itertuples()):
                colour, dash = _VARIABLE_LOOKS[index % len(_VARIABLE_LOOKS)]
                rows = here[here.target == variable.target]
                axis.fill_between(
                    rows.score,
                    rows.accuracy_low,
                    rows.accuracy_high,
                    color=colour,
                    alpha=0.2,
                    linewidth=0,
                )
                axis.plot(
                    rows.score,
                    rows.accuracy_mean,
                    color=colour,
                    linestyle=dash,
                    label=variable.target,
                )
            axis.axhline(of_dataset.chance.min(), color="0.4", linewidth=0.6, linestyle=":")
        axes[0].set_ylabel(f"{dataset_label(dataset)}\naccuracy")
        axes[0].legend(fontsize=5, loc="upper left", handlelength=2.5, borderaxespad=0)
    for axis, measure in zip(grid[0], measures, strict=True):
        axis.set_title(f"λ = {measure.removeprefix('ridge_cv_')}")
    figure.supxlabel("cross-validated ridge regression score", fontsize=7)
    return figure, shown
