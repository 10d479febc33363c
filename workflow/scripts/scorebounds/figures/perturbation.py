"""Figure of what a score loses with one principal component."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.style import (
    N_COLUMNS,
    bottom_row,
    dataset_label,
    empty_figure,
    legend_below,
    measure_looks,
    panels,
)

# One mark per component: between two of them there is nothing.
SIMULATED: dict[str, Any] = {"linestyle": "none", "markersize": 2.4, "markeredgewidth": 0}
REPLACED: dict[str, Any] = {**SIMULATED, "marker": "_", "markersize": 6, "markeredgewidth": 0.8}
DROPPED: dict[str, Any] = {**SIMULATED, "marker": "x", "markeredgewidth": 0.5}


def perturbation_figure(perturbation: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the score after one component is replaced against its share of the variance.

    Parameters
    ----------
    perturbation : DataFrame
        Columns dataset, measure, variance_ratio, theory, simulated_mean, dropped_theory.
    """
    if perturbation.empty:
        reason = "no dataset has a direction left to replace a component by"
        return empty_figure(reason), perturbation
    datasets = list(dict.fromkeys(perturbation.dataset))
    looks = measure_looks(perturbation.measure)
    figure, axes = panels(len(datasets))
    for axis, dataset in zip(axes, datasets, strict=True):
        of_dataset = perturbation[perturbation.dataset == dataset]
        for measure, rows in of_dataset.groupby("measure", sort=False):
            _, colour, marker = looks[str(measure)]
            share = rows.variance_ratio.to_numpy()
            axis.plot(share, rows.theory, color=colour, **REPLACED)
            axis.plot(share, rows.dropped_theory, color=colour, **DROPPED)
            axis.plot(share, rows.simulated_mean, color=colour, marker=marker, **SIMULATED)
        axis.set_xscale("log")
        axis.set_ylim(-0.03, 1.03)
        axis.set_title(dataset_label(dataset))
    for axis in bottom_row(axes):
        axis.set_xlabel("share of variance of the PC")
    for axis in axes[::N_COLUMNS]:
        axis.set_ylabel("score after the change")
    handles = [
        Line2D([], [], color=colour, marker=marker, label=label, markersize=3, linestyle="none")
        for label, colour, marker in looks.values()
    ]
    handles += [
        Line2D([], [], color="0.3", label="replaced, theory", **REPLACED),
        Line2D([], [], color="0.3", marker="o", label="replaced, simulated", **SIMULATED),
        Line2D([], [], color="0.3", label="dropped, theory", **DROPPED),
    ]
    legend_below(figure, handles)
    return figure, perturbation
