"""Figures of how well task variables are decoded: against the score, against time, by penalty."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.style import (
    PAGE_WIDTH,
    Dash,
    Look,
    add_letters,
    bottom_row,
    dataset_label,
    empty_figure,
    first_column,
    legend_below,
    main_measures,
    measure_dashes,
    measure_handles,
    measure_looks,
    panel_title,
    panels,
)

# Okabe and Ito's palette, with a dash each.
_VARIABLE_LOOKS: list[tuple[str, Dash]] = [
    ("#0072B2", "-"),
    ("#D55E00", (0, (4, 1.2))),
    ("#009E73", (0, (1, 0.8))),
    ("#CC79A7", (0, (4, 1, 1, 1))),
    ("#CC7A00", (0, (6, 1.5))),
    ("#000000", (0, (2, 1.5))),
]
NOT_DECODABLE = "not decodable"
NO_LABELS = "no dataset has labels that were decoded"
LEVEL: dict[str, Any] = {"color": "0.4", "linewidth": 0.6}
PUBLISHED_LINE: dict[str, Any] = {"linewidth": 0.45, "alpha": 0.75}


def decoding_figure(
    curves: pd.DataFrame,
    references: pd.DataFrame,
    thresholds: pd.DataFrame,
    measures: Sequence[str],
    published: pd.DataFrame | None = None,
) -> tuple[Figure, pd.DataFrame]:
    """Draw the accuracy of each variable along the score of each measure, a panel a variable.

    Parameters
    ----------
    curves : DataFrame
        Columns dataset, measure, target, score, accuracy_mean, accuracy_low, accuracy_high.
    references : DataFrame
        Columns dataset, target, chance, reference, decodable; a panel per row.
    thresholds : DataFrame
        Columns dataset, measure, kind, target, score_median: marked on the lower axis.
    measures : sequence of str
        Measures whose curves the table of the figure has; of these, `main_measures` are drawn.
    published : DataFrame, optional
        Columns published, dataset, measure, target, score, accuracy, chance, reference: thin lines
        in the panel of the same dataset, or in a panel of their own where `dataset` is empty.
    """
    theirs = _published_curves(published, measures)
    curves = curves[curves.measure.isin(measures)]
    levels = references[["dataset", "target", "chance", "reference", "decodable"]]
    shown = curves.merge(levels, on=["dataset", "target"])
    if len(theirs):
        shown = pd.concat([shown, _as_shown(theirs)], ignore_index=True)
    names = main_measures(curves.measure)
    curves = curves[curves.measure.isin(names)]
    thresholds = thresholds[(thresholds.kind == "variable") & thresholds.measure.isin(names)]
    if references.empty or curves.empty:
        return empty_figure(NO_LABELS), shown
    looks, dashes = measure_looks(names), measure_dashes(names)
    alone = theirs[(theirs.dataset == "") & theirs.measure.isin(names)]
    others = alone.drop_duplicates(["published", "target"])
    figure, axes = panels(len(references) + len(others), height=1.6)
    for axis, panel in zip(axes[len(references) :], _records(others), strict=True):
        here = alone[(alone.published == panel.published) & (alone.target == panel.target)]
        _draw_published(axis, here, looks, dashes)
        _draw_levels(axis, panel)
        axis.set(title=f"{panel.published}\n{panel.target} (published)")
        axis.set(ylim=(min(0.4, here.accuracy.min()) if panel.chance > 0.3 else 0, 1.02))
    for axis, panel in zip(axes, _records(references), strict=False):
        here, theirs_here, marks = (
            table[(table.dataset == panel.dataset) & (table.target == panel.target)]
            for table in (curves, theirs[theirs.measure.isin(names)], thresholds)
        )
        _draw_published(axis, theirs_here, looks, dashes)
        _draw_accuracies(axis, here, looks, dashes)
        _mark_thresholds(axis, marks, looks)
        _draw_levels(axis, panel)
        _set_title(axis, panel)
        _set_accuracy_limits(axis, references[references.dataset == panel.dataset])
    for axis in bottom_row(axes):
        axis.set_xlabel("score")
    for axis in first_column(axes):
        axis.set_ylabel("accuracy")
    legend_below(figure, _decoding_handles(looks, dashes, published=len(theirs) > 0))
    return figure, shown


def _set_title(axis: Axes, panel: Any) -> None:
    title = f"{dataset_label(panel.dataset)}\n{panel.target}"
    if not panel.decodable:
        axis.set_facecolor("0.93")
        title += f" ({NOT_DECODABLE})"
    axis.set_title(title)


def _decoding_handles(
    looks: dict[str, Look], dashes: dict[str, Dash], *, published: bool
) -> list[Line2D]:
    handles = measure_handles(looks, dashes=dashes)
    handles += [
        Line2D([], [], linestyle="--", label="accuracy on the reference", **LEVEL),
        Line2D([], [], linestyle=":", label="chance", **LEVEL),
    ]
    if published:
        handles.append(Line2D([], [], color="0.4", label="published, one run", **PUBLISHED_LINE))
    return handles


def _records(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples())


def _published_curves(published: pd.DataFrame | None, measures: Sequence[str]) -> pd.DataFrame:
    if published is None:
        columns = ["published", "dataset", "measure", "target", "accuracy", "chance"]
        return pd.DataFrame(columns=columns)
    return published[published.measure.isin(measures)].assign(dataset=published.dataset.fillna(""))


def _as_shown(published: pd.DataFrame) -> pd.DataFrame:
    """Return published curves with the columns of ours."""
    renamed = published.assign(dataset=published.published + " (published)", n_seeds=1)
    return renamed.rename(columns={"accuracy": "accuracy_mean"}).drop(columns="published")


def _draw_published(
    axis: Axes, curves: pd.DataFrame, looks: dict[str, Look], dashes: dict[str, Dash]
) -> None:
    for name, rows in curves.groupby("measure", sort=False):
        colour, dash = looks[str(name)][1], dashes[str(name)]
        axis.plot(rows.score, rows.accuracy, color=colour, linestyle=dash, **PUBLISHED_LINE)
    if len(curves):
        axis.set_xlim(min(0, curves.score.min()), 1)
        axis.set_xticks([0, 0.5, 1])


def _draw_levels(axis: Axes, panel: Any) -> None:
    for level, style in ((panel.chance, ":"), (panel.reference, "--")):
        if np.isfinite(level):
            axis.axhline(level, linestyle=style, **LEVEL)


def _set_accuracy_limits(axis: Axes, references: pd.DataFrame) -> None:
    """Draw all variables of a dataset from the lowest chance to 1."""
    lowest = float(references.chance.min())
    axis.set_ylim(lowest - 0.08 * (1 - lowest), 1.02)


def _draw_accuracy(axis: Axes, rows: pd.DataFrame, *, color: str, **line: Any) -> None:
    """Draw the mean accuracy against the score, with a band."""
    low, high = rows.accuracy_low, rows.accuracy_high
    axis.fill_between(rows.score, low, high, color=color, alpha=0.2, linewidth=0)
    axis.plot(rows.score, rows.accuracy_mean, color=color, **line)


def _draw_accuracies(
    axis: Axes, curves: pd.DataFrame, looks: dict[str, Look], dashes: dict[str, Dash]
) -> None:
    for name, rows in curves.groupby("measure", sort=False):
        measure = str(name)
        colour = looks[measure][1]
        _draw_accuracy(axis, rows, color=colour, linestyle=dashes[measure], linewidth=0.9)
    axis.set_xlim(min(0, curves.score.min()) if len(curves) else 0, 1)
    axis.set_xticks([0, 0.5, 1])


def _mark_thresholds(axis: Axes, thresholds: pd.DataFrame, looks: dict[str, Look]) -> None:
    for row in _records(thresholds[thresholds.score_median.notna()]):
        _, colour, marker = looks[row.measure]
        axis.plot(
            row.score_median,
            0,
            transform=axis.get_xaxis_transform(),
            color=colour,
            marker=marker,
            markersize=3.2,
            markeredgecolor="white",
            markeredgewidth=0.2,
            linestyle="none",
            clip_on=False,
            zorder=5,
        )


def decoding_times_figure(times: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the accuracy of each variable at each time of the recording, a panel a dataset.

    Parameters
    ----------
    times : DataFrame
        Columns dataset, target, time, time_units, chance, accuracy, null_low, null_high.
    """
    if times.empty:
        return empty_figure("no recording with times has labels that were decoded"), times
    datasets = list(dict.fromkeys(times.dataset))
    figure, axes = panels(len(datasets), height=1.9, legend_height=0)
    for axis, dataset in zip(axes, datasets, strict=True):
        of_dataset = times[times.dataset == dataset]
        for index, (target, rows) in enumerate(of_dataset.groupby("target", sort=False)):
            colour, dash = _VARIABLE_LOOKS[index % len(_VARIABLE_LOOKS)]
            axis.fill_between(
                rows.time, rows.null_low, rows.null_high, color=colour, alpha=0.12, linewidth=0
            )
            axis.plot(rows.time, rows.accuracy, color=colour, linestyle=dash, label=target)
        for chance in of_dataset.chance.unique():
            axis.axhline(chance, linestyle=":", **LEVEL)
        axis.set_ylim(min(of_dataset.null_low.min(), of_dataset.chance.min()) - 0.03, 1.02)
        axis.set_title(panel_title(dataset))
        axis.set_xlabel(f"time ({of_dataset.time_units.iloc[0]})")
        axis.legend(
            fontsize=6, handlelength=2.5, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.3)
        )
    for axis in first_column(axes):
        axis.set_ylabel("accuracy")
    return figure, times


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
                _draw_accuracy(axis, rows, color=colour, linestyle=dash, label=variable.target)
                axis.axhline(
                    variable.reference, color=colour, linestyle=dash, linewidth=0.5, alpha=0.7
                )
            axis.axhline(of_dataset.chance.min(), color="0.4", linewidth=0.6, linestyle=":")
        axes[0].set_ylabel(f"{dataset_label(dataset)}\naccuracy")
        axes[-1].legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5), handlelength=2.5)
    for axis, measure in zip(grid[0], measures, strict=True):
        axis.set_title(f"λ = {measure.removeprefix('ridge_cv_')}")
    add_letters(grid.flat)
    figure.supxlabel("cross-validated ridge regression score", fontsize=7)
    return figure, shown
