"""Figures of layer correspondence: do the layers of two networks find each other?"""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from scorebounds.core.measure_table import measure_label
from scorebounds.figures.style import PAGE_WIDTH, legend_below, measure_handles, measure_looks

TRAINED: dict[str, Any] = {"color": "#0072B2", "marker": "o", "markersize": 4, "linestyle": "none"}
UNTRAINED: dict[str, Any] = {
    **TRAINED,
    "color": "#56B4E9",
    "markerfacecolor": "white",
}
PUBLISHED: dict[str, Any] = {"color": "black", "marker": "x", "markersize": 4, "linestyle": "none"}
MAPS_IN_A_ROW = 7
# Level of the test against the best measure; Kornblith et al. 2019, bold face of table 2.
LEVEL = 0.05


def correspondence_figure(layers: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw for each measure how often the most similar layer is the corresponding one.

    Parameters
    ----------
    layers : DataFrame
        Columns measure, networks, accuracy, low, high, p_below_best, chance, published_cifar10.
        Measures whose trained accuracy is not distinguishable from the highest are named in bold.
    """
    names = list(dict.fromkeys(layers.measure))
    figure, axis = plt.subplots(figsize=(PAGE_WIDTH * 0.6, 0.9 + 0.2 * len(names)))
    place = {name: len(names) - 1 - row for row, name in enumerate(names)}
    for networks, look, shift in (("trained", TRAINED, 0.12), ("untrained", UNTRAINED, -0.18)):
        rows = layers[layers.networks == networks]
        y = rows.measure.map(place) + shift
        axis.hlines(y, 100 * rows.low, 100 * rows.high, color=look["color"], linewidth=1)
        axis.plot(100 * rows.accuracy, y, **look)
    rows = layers[layers.published_cifar10.notna()]
    axis.plot(100 * rows.published_cifar10, rows.measure.map(place) + 0.12, **PUBLISHED)
    axis.axvline(100 * layers.chance.iloc[0], color="0.6", linewidth=0.6, linestyle="--", zorder=0)
    axis.set_yticks(list(place.values()), [measure_label(name) for name in names])
    trained = layers[layers.networks == "trained"].set_index("measure")
    for name, tick in zip(names, axis.get_yticklabels(), strict=True):
        if trained.p_below_best[name] >= LEVEL:
            tick.set_fontweight("bold")
    axis.set(xlim=(-3, 103), ylim=(-0.6, len(names) - 0.4))
    axis.set_xlabel("layers whose most similar layer is the corresponding one (%)")
    axis.grid(axis="y", linewidth=0.3, color="0.9")
    handles = [
        Line2D([], [], label="trained networks", **TRAINED),
        Line2D([], [], label="untrained", **UNTRAINED),
        Line2D([], [], color="0.6", linewidth=0.6, linestyle="--", label="chance"),
    ]
    if len(rows):
        label = "published, CIFAR-10 (other data and networks)"
        handles.append(Line2D([], [], label=label, **PUBLISHED))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure, layers


def layer_maps_figure(maps: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the mean similarity of layers, between networks and within one, a map per measure.

    Parameters
    ----------
    maps : DataFrame
        Columns measure, where, layer, other_layer, score, closeness: 1 for the highest score of a
        map, 0 for the lowest.
    """
    names, places = list(dict.fromkeys(maps.measure)), list(dict.fromkeys(maps["where"]))
    n_rows = -(-len(names) // MAPS_IN_A_ROW)
    figure = plt.figure(figsize=(PAGE_WIDTH, 0.35 + len(places) * n_rows * 1.3))
    parts = figure.subfigures(len(places), 1, squeeze=False)[:, 0]
    for part, where in zip(parts, places, strict=True):
        part.suptitle(where, fontsize=7, x=0.01, ha="left")
        axes = part.subplots(n_rows, MAPS_IN_A_ROW, squeeze=False)
        for axis in axes.flat[len(names) :]:
            axis.set_visible(False)
        for axis, name in zip(axes.flat, names, strict=False):
            image = _draw_map(axis, maps[(maps.measure == name) & (maps["where"] == where)])
            axis.set_title(measure_label(name).replace(", ", ",\n"), fontsize=6)
        axes[-1, 0].set_ylabel("layer", fontsize=6)
        part.colorbar(image, ax=axes, shrink=0.8, label="similarity, scaled\nto each map")
    return figure, maps


def _draw_map(axis: Axes, table: pd.DataFrame) -> AxesImage:
    """Draw one map, with a dot at the most similar layer of each row."""
    values = table.pivot_table(index="layer", columns="other_layer", values="closeness").to_numpy()
    image = axis.imshow(values, cmap="viridis", vmin=0, vmax=1, origin="lower")
    # A ring is seen on the dark and on the bright end of the colours.
    for colour, size in (("white", 3.4), ("black", 2.2)):
        axis.plot(values.argmax(1), range(len(values)), "o", color=colour, markersize=size, mew=0)
    axis.set_xlabel(f"{table.score.min():.3g} to {table.score.max():.3g}", fontsize=6)
    ticks = [0, len(values) - 1]
    axis.set_xticks(ticks, [str(tick + 1) for tick in ticks])
    axis.set_yticks(ticks, [str(tick + 1) for tick in ticks])
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0, labelsize=6)
    return image


def unrelated_figure(scores: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw scores of unrelated data against the number of samples.

    Parameters
    ----------
    scores : DataFrame
        Columns measure, n_samples, n_neurons, score_mean, score_low, score_high.
    """
    looks = measure_looks(scores.measure)
    figure, axis = plt.subplots(figsize=(PAGE_WIDTH * 0.55, 2.6))
    for name, rows in scores.groupby("measure", sort=False):
        _, colour, marker = looks[str(name)]
        axis.fill_between(
            rows.n_samples, rows.score_low, rows.score_high, color=colour, alpha=0.25, linewidth=0
        )
        axis.plot(rows.n_samples, rows.score_mean, color=colour, marker=marker, markersize=3)
    width, fewest, most = scores.n_neurons.max(), scores.n_samples.min(), scores.n_samples.max()
    axis.axvline(width, color="0.6", linewidth=0.6, linestyle="--", zorder=0)
    axis.annotate(
        "samples = neurons",
        (width, 1.0),
        xycoords=axis.get_xaxis_transform(),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=6,
        color="0.4",
    )
    axis.set(xscale="log", xlabel="samples", ylabel="score of unrelated data", ylim=(-0.1, 1.04))
    axis.xaxis.set_minor_locator(NullLocator())
    between = [
        tick for tick in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if fewest < tick < most
    ]
    ticks = [fewest, *(tick for tick in between if tick > 1.3 * fewest), most]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    legend_below(figure, measure_handles(looks))
    return figure, scores
