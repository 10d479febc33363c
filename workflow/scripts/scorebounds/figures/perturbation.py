"""Figures of what a score loses with one principal component."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.style import (
    empty_figure,
    label_outer,
    legend_below,
    measure_looks,
    panel_title,
    panels,
)

SIMULATED: dict[str, Any] = {
    "linestyle": "none",
    "markersize": 3,
    "markerfacecolor": "white",
    "markeredgewidth": 0.6,
}
# Theory is a function of the share of variance, so that values between components are meant.
REPLACED: dict[str, Any] = {"linestyle": "-", "linewidth": 0.8}
OVERLAPPING: dict[str, Any] = {"linestyle": "--", "linewidth": 0.8}
DROPPED: dict[str, Any] = {"linestyle": ":", "linewidth": 0.8}
INTERVAL: dict[str, Any] = {"elinewidth": 0.5, "zorder": 1}
# Smaller components change no score visibly.
SMALLEST_SHARE = 3e-3


def perturbation_figure(perturbation: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the score after one component is replaced against its share of the variance.

    Parameters
    ----------
    perturbation : DataFrame
        Columns dataset, measure, variance_ratio, theory, overlap_theory, overlap_mean,
        dropped_theory.
    """
    if perturbation.empty:
        reason = "no dataset has a direction left to replace a component by"
        return empty_figure(reason), perturbation
    datasets = list(dict.fromkeys(perturbation.dataset))
    looks = measure_looks(perturbation.measure)
    figure, axes = panels(len(datasets))
    shares = perturbation.variance_ratio
    limits = (shares.min() / 1.3, min(shares.max() * 1.3, 1.0))
    lowest = min(perturbation.theory.min(), perturbation.overlap_mean.min()) - 0.05
    for axis, dataset in zip(axes, datasets, strict=True):
        of_dataset = perturbation[perturbation.dataset == dataset]
        for measure, rows in of_dataset.groupby("measure", sort=False):
            _, colour, marker = looks[str(measure)]
            rows = rows.sort_values("variance_ratio")
            share = rows.variance_ratio.to_numpy()
            axis.plot(share, rows.theory, color=colour, **REPLACED)
            axis.plot(share, rows.overlap_theory, color=colour, **OVERLAPPING)
            axis.plot(share, rows.dropped_theory, color=colour, **DROPPED)
            axis.plot(share, rows.overlap_mean, color=colour, marker=marker, **SIMULATED)
        axis.set(xscale="log", xlim=limits, ylim=(lowest, 1.03))
        axis.set_title(panel_title(dataset))
    label_outer(axes, "share of variance of the PC", "score after the change")
    handles = [
        Line2D([], [], color=colour, marker=marker, label=label, **SIMULATED)
        for label, colour, marker in looks.values()
    ]
    handles += [
        Line2D([], [], color="0.3", label="replaced, theory", **REPLACED),
        Line2D([], [], color="0.3", label="with chance overlap", **OVERLAPPING),
        Line2D([], [], color="0.3", marker="o", label="simulated", **SIMULATED),
        Line2D([], [], color="0.3", label="dropped, theory", **DROPPED),
    ]
    legend_below(figure, handles)
    return figure, perturbation


def overlap_figure(perturbation: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw how far scores lie above the theory where the new direction overlaps the replaced one.

    Parameters
    ----------
    perturbation : DataFrame
        Columns dataset, measure, variance_ratio, theory, overlap_theory, overlap_mean, overlap_low,
        overlap_high.
    """
    shown = perturbation[perturbation.variance_ratio >= SMALLEST_SHARE]
    if shown.empty:
        return empty_figure("no component that could be replaced has enough variance"), shown
    datasets = list(dict.fromkeys(shown.dataset))
    looks = measure_looks(shown.measure)
    figure, axes = panels(len(datasets))
    above = shown[["overlap_theory", "overlap_mean"]].sub(shown.theory, axis=0)
    limits = (min(above.min().min(), 0) - 0.01, above.max().max() * 1.2 + 0.005)
    for axis, dataset in zip(axes, datasets, strict=True):
        axis.axhline(0, color="0.5", linewidth=0.6)
        for measure, rows in shown[shown.dataset == dataset].groupby("measure", sort=False):
            _, colour, marker = looks[str(measure)]
            rows = rows.sort_values("variance_ratio")
            share, mean = rows.variance_ratio.to_numpy(), (rows.overlap_mean - rows.theory)
            ends = [rows.overlap_mean - rows.overlap_low, rows.overlap_high - rows.overlap_mean]
            look: dict[str, Any] = {**SIMULATED, **INTERVAL, "color": colour, "marker": marker}
            axis.errorbar(share, mean, yerr=[end.fillna(0) for end in ends], **look)
            expected = rows.overlap_theory - rows.theory
            axis.plot(share, expected, color=colour, zorder=3, **OVERLAPPING)
        axis.set(xscale="log", xlim=(SMALLEST_SHARE / 1.3, 1), ylim=limits)
        axis.set_title(panel_title(dataset))
    label_outer(axes, "share of variance of the PC", "score − theory")
    handles = [
        Line2D([], [], color=colour, marker=marker, label=f"{label}, simulated", **SIMULATED)
        for label, colour, marker in looks.values()
    ]
    handles += [Line2D([], [], color="0.3", label="with chance overlap, theory", **OVERLAPPING)]
    legend_below(figure, handles)
    return figure, shown
