"""Figure of trajectories along the axes of task variables."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.decoding.targeted import POSITIVE
from scorebounds.figures.style import PAGE_WIDTH, add_letters, dataset_label, legend_below

EVIDENCE = ("motion", "colour")
COLOURS = ("#0072B2", "#D55E00")


def targeted_figure(targeted: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw averages on the axes of choice and evidence, a column per dataset.

    Parameters
    ----------
    targeted : DataFrame
        From `decoding.targeted.targeted_trajectories`.
    """
    datasets = list(dict.fromkeys(targeted.dataset))
    shape = (len(EVIDENCE), len(datasets))
    width = PAGE_WIDTH * min(1, 0.3 * len(datasets) + 0.05)
    figure, grid = plt.subplots(*shape, figsize=(width, 3.8), squeeze=False)
    for column, dataset in enumerate(datasets):
        rows = targeted[targeted.dataset == dataset]
        for axis, evidence in zip(grid[:, column], EVIDENCE, strict=True):
            _draw_plane(axis, rows, evidence)
        grid[0, column].set_title(dataset_label(dataset))
        grid[-1, column].set_xlabel("choice axis (SD)")
    for axis, evidence in zip(grid[:, 0], EVIDENCE, strict=True):
        axis.set_ylabel(f"{evidence} axis (SD)")
    add_letters(grid.flat)
    handles = [
        Line2D([], [], color="0.3", linestyle="-", label="evidence of the row relevant"),
        Line2D([], [], color="0.3", linestyle=(0, (3, 1)), label="irrelevant"),
        Line2D(
            [],
            [],
            color=COLOURS[1],
            marker="o",
            markersize=3,
            label="evidence for right, green or preferred",
        ),
        Line2D([], [], color=COLOURS[0], marker="s", markersize=3, label="for left, red or other"),
    ]
    legend_below(figure, handles)
    return figure, targeted


def _draw_plane(axis: Axes, rows: pd.DataFrame, evidence: str) -> None:
    """Draw the averages over conditions of equal choice, evidence and context; dots at the end."""
    signs = sorted(rows[evidence].unique(), key=lambda name: name in POSITIVE)
    for (context, sign, _), of_group in rows.groupby(["context", evidence, "choice"]):
        path = of_group.groupby("time")[["choice_axis", f"{evidence}_axis"]].mean().to_numpy()
        place = signs.index(sign)
        dash = "-" if context == evidence else (0, (3, 1))
        axis.plot(*path.T, color=COLOURS[place], linestyle=dash, linewidth=0.9)
        axis.plot(*path[-1], color=COLOURS[place], marker="so"[place], markersize=3)
    axis.axhline(0, color="0.85", linewidth=0.5, zorder=0)
    axis.axvline(0, color="0.85", linewidth=0.5, zorder=0)
