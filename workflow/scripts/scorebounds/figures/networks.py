"""Figures of what networks share: components that carry the CKA, and networks before training."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.style import (
    PAGE_WIDTH,
    add_letters,
    bottom_row,
    first_column,
    label_outer,
    legend_below,
    panels,
)

LINES: dict[str, tuple[str, Any, str]] = {
    "eigenvalue": ("#000000", "-", "variance in the network, scaled"),
    "variance_in_other": (
        "#0072B2",
        (0, (4, 1.2)),
        "variance of the other network along it, scaled",
    ),
    "cumulative_share": ("#D55E00", (0, (1, 0.8)), "share of the CKA up to this component"),
}


def components_figure(components: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw how much of each principal component of a layer another network has, a panel a layer.

    Parameters
    ----------
    components : DataFrame
        Columns layer, component, eigenvalue, variance_in_other, cumulative_share, cka.
    """
    groups = list(components.groupby("layer"))
    figure, axes = panels(len(groups), height=1.4)
    for axis, (layer, rows) in zip(axes, groups, strict=True):
        for column, (colour, dash, _) in LINES.items():
            axis.plot(rows.component, rows[column], color=colour, linestyle=dash)
        axis.set(ylim=(0, 1.04), title=f"layer {layer}: CKA {rows.cka.iloc[0]:.2f}")
        axis.set_xlim(0.5, components.component.max() + 0.5)
    for axis in bottom_row(axes):
        axis.set_xlabel("principal component")
    for axis in first_column(axes):
        axis.set_ylabel("share")
    label_outer(axes)
    legend_below(
        figure,
        [
            Line2D([], [], color=colour, linestyle=dash, label=label)
            for colour, dash, label in LINES.values()
        ],
        per_row=3,
    )
    return figure, components


def states_figure(states: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the CKA between all layers of trained and untrained networks, a panel a combination.

    Parameters
    ----------
    states : DataFrame
        Columns networks, layer, other_layer, score.
    """
    groups = list(states.groupby("networks", sort=False))
    figure, grid = plt.subplots(
        1, len(groups), figsize=(PAGE_WIDTH * (0.3 * len(groups) + 0.1), 2.2), squeeze=False
    )
    for axis, (networks, rows) in zip(grid[0], groups, strict=True):
        first, second = str(networks).split(", ")
        table = rows.pivot_table(index="layer", columns="other_layer", values="score")
        image = axis.imshow(table, vmin=0, vmax=1, cmap="viridis", origin="lower")
        axis.set(xlabel=f"layer ({second})", ylabel=f"layer ({first})")
        ticks = range(0, len(table), 2)
        axis.set_xticks(ticks, [str(table.columns[tick]) for tick in ticks])
        axis.set_yticks(ticks, [str(table.index[tick]) for tick in ticks])
    add_letters(grid[0])
    figure.colorbar(image, ax=list(grid[0]), label="CKA", shrink=0.85)
    return figure, states
