"""Figures of layers of networks of several widths, depths and kinds."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from scorebounds.figures.style import (
    PAGE_WIDTH,
    add_letters,
    empty_figure,
    first_column,
    label_outer,
    legend_below,
    panels,
)

DEPTH, WIDTH = r"tiny-1x(\d+)", r"tiny-([\d.]+)x1"
PROBE, NETWORK = "#0072B2", "#D55E00"
WIDTH_LOOKS: dict[str, tuple[str, Any, str]] = {
    "the widest network": ("#0072B2", "-", "o"),
    "another network of this width": ("#D55E00", (0, (4, 1.2)), "s"),
}
DATA_LOOKS: dict[str, tuple[str, Any, str]] = {
    "first and first half": ("#0072B2", "-", "o"),
    "second and second half": ("#009E73", "-", "^"),
    "first and second half": ("#D55E00", "-", "s"),
    "first half and untrained": ("#0072B2", (0, (1, 0.8)), "v"),
    "second half and untrained": ("#009E73", (0, (1, 0.8)), "D"),
}


def depth_figure(maps: pd.DataFrame, probes: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw CKA of the layers of a network, and linear probes of them, a column per depth.

    Parameters
    ----------
    maps : DataFrame
        `MAP_COLUMNS` of `networks.comparisons`.
    probes : DataFrame
        Columns network, number, layer, probe_accuracy, network_accuracy.
    """
    names = [
        name
        for name in dict.fromkeys(probes.network)
        if pd.Series([name]).str.fullmatch(DEPTH).all()
    ]
    names.sort(key=lambda name: int(name.rpartition("x")[2]))
    figure, grid = plt.subplots(
        2,
        len(names),
        figsize=(PAGE_WIDTH * min(1, len(names) / 4 + 0.15), 3.6),
        squeeze=False,
        height_ratios=(1, 0.75),
    )
    for column, name in enumerate(names):
        of_map = maps[(maps.network == name) & (maps.other_network == name)]
        image = _draw_map(grid[0, column], of_map)
        n_layers = int(of_map.layer.max())
        grid[0, column].set_title(f"{n_layers} layers")
        grid[0, column].set_xlabel("layer")
        _draw_probes(grid[1, column], probes[probes.network == name])
        grid[1, column].set_xlim(0.5, n_layers + 0.5)
    grid[0, 0].set_ylabel("layer")
    grid[1, 0].set_ylabel("accuracy")
    lowest = min(0.9, probes[probes.network.isin(names)].probe_accuracy.min())
    for axis in grid[1]:
        axis.set(ylim=(lowest - 0.03, 1.0), xlabel="layer")
        axis.tick_params(labelleft=axis is grid[1, 0])
    figure.colorbar(image, ax=grid[0], label="CKA", shrink=0.9)
    handles = [
        Line2D([], [], color=PROBE, label="linear probe of the layer"),
        Line2D([], [], color=NETWORK, linestyle="--", label="network"),
    ]
    legend_below(figure, handles)
    add_letters(grid[0])
    return figure, probes[probes.network.isin(names)]


def _draw_probes(axis: Axes, probes: pd.DataFrame) -> None:
    """Draw a thin line per network, their mean, and the accuracy of the networks."""
    for _, rows in probes.groupby("number"):
        axis.plot(rows.layer, rows.probe_accuracy, color=PROBE, linewidth=0.5, alpha=0.6)
    mean = probes.groupby("layer")[["probe_accuracy", "network_accuracy"]].mean()
    axis.plot(mean.index, mean.probe_accuracy, color=PROBE, linewidth=1.2)
    axis.axhline(mean.network_accuracy.iloc[0], color=NETWORK, linestyle="--", linewidth=0.9)


def _draw_map(axis: Axes, rows: pd.DataFrame) -> AxesImage:
    """Draw the scores of layers with layers, from the first layer at the lower left."""
    table = rows.pivot_table(index="layer", columns="other_layer", values="score")
    image = axis.imshow(table, vmin=0, vmax=1, cmap="viridis", origin="lower", aspect="auto")
    for set_ticks, layers in ((axis.set_xticks, table.columns), (axis.set_yticks, table.index)):
        step = max(1, len(layers) // 4)
        ticks = range(0, len(layers), step)
        set_ticks(ticks, [str(layers[tick]) for tick in ticks])
    return image


def network_label(name: str) -> str:
    """Return what figures call a network.

    >>> network_label("residual-2"), network_label("tiny-1x1")
    ('residual', 'standard')
    """
    return "standard" if name.startswith("tiny") else name.partition("-")[0]


def residual_figure(maps: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the CKA of layers of residual networks with their own, and with those of plain networks.

    Parameters
    ----------
    maps : DataFrame
        `MAP_COLUMNS` of `networks.comparisons`.
    """
    residual = maps[maps.other_network.str.startswith(("residual", "plain"))]
    if residual.empty:
        return empty_figure("the settings have no residual networks"), residual
    blocks = residual.other_network.str.rpartition("-")[2]
    rows_of_figure = sorted(blocks.unique(), key=int)
    n_columns = max(len(_pairs(residual[blocks == n])) for n in rows_of_figure)
    shape = (len(rows_of_figure), n_columns)
    figure, grid = plt.subplots(*shape, figsize=(PAGE_WIDTH, 2 * shape[0]), squeeze=False)
    for axes, n in zip(grid, rows_of_figure, strict=True):
        of_row = residual[blocks == n]
        for axis, (one, other) in zip(axes, _pairs(of_row), strict=True):
            rows = of_row[(of_row.network == one) & (of_row.other_network == other)]
            image = _draw_map(axis, rows)
            axis.set(
                xlabel=f"layer ({network_label(other)})", ylabel=f"layer ({network_label(one)})"
            )
    add_letters(grid.flat)
    figure.colorbar(image, ax=grid, label="CKA", shrink=0.9)
    return figure, residual


def _pairs(maps: pd.DataFrame) -> Sequence[tuple[str, str]]:
    return list(dict.fromkeys(zip(maps.network, maps.other_network, strict=True)))


def width_figure(widths: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the CKA of corresponding layers against the width of the networks, a panel per layer.

    Parameters
    ----------
    widths : DataFrame
        `WIDTH_COLUMNS` of `networks.comparisons`.
    """
    groups = list(widths.groupby("layer"))
    figure, axes = panels(len(groups), height=1.4)
    lowest = min(0.5, widths.score_low.min())
    places = sorted(widths.width.unique())
    for axis, (layer, of_layer) in zip(axes, groups, strict=True):
        for compared_with, (colour, dash, marker) in WIDTH_LOOKS.items():
            rows = of_layer[of_layer.compared_with == compared_with].sort_values("width")
            place = np.searchsorted(places, rows.width)
            ends = np.abs(
                rows[["score_low", "score_high"]].to_numpy().T - rows.score_mean.to_numpy()
            )
            axis.errorbar(
                place,
                rows.score_mean,
                yerr=ends,
                color=colour,
                linestyle=dash,
                marker=marker,
                markersize=3,
                linewidth=0.9,
            )
        axis.set_xticks(range(len(places)), [f"{width:g}" for width in places])
        axis.set(ylim=(lowest - 0.03, 1.02), title=f"layer {layer}")
    label_outer(axes)
    for axis in axes[-3:]:
        axis.set_xlabel("channels, in multiples of the standard")
    for axis in first_column(axes):
        axis.set_ylabel("CKA")
    handles = [
        Line2D(
            [], [], color=colour, linestyle=dash, marker=marker, markersize=3, label=f"with {name}"
        )
        for name, (colour, dash, marker) in WIDTH_LOOKS.items()
    ]
    legend_below(figure, handles)
    return figure, widths


def other_data_figure(other_data: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the CKA of corresponding layers of networks that were trained on different classes.

    Parameters
    ----------
    other_data : DataFrame
        `OTHER_DATA_COLUMNS` of `networks.comparisons`.
    """
    groups = list(other_data.groupby("images", sort=False))
    figure, axes = panels(len(groups), height=2.2, legend_height=0.6)
    for axis, (images, of_images) in zip(axes, groups, strict=True):
        for networks, (colour, dash, marker) in DATA_LOOKS.items():
            rows = of_images[of_images.networks == networks]
            mean = rows.score_mean.to_numpy()
            axis.errorbar(
                rows.layer,
                mean,
                yerr=np.abs(rows[["score_low", "score_high"]].to_numpy().T - mean),
                color=colour,
                linestyle=dash,
                marker=marker,
                markersize=3,
                linewidth=0.9,
            )
        axis.set(ylim=(0, 1.02), xlabel="layer", title=f"images of the {images}")
    axes[0].set_ylabel("CKA")
    label_outer(axes)
    handles = [
        Line2D([], [], color=colour, linestyle=dash, marker=marker, markersize=3, label=label)
        for label, (colour, dash, marker) in DATA_LOOKS.items()
    ]
    legend_below(figure, handles)
    return figure, other_data
