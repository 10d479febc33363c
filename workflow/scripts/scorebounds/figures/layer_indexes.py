"""Figures of layers: families of indexes, images on first components, CKA within classes."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scorebounds.core.measure_table import measure_label
from scorebounds.figures.style import PAGE_WIDTH, add_letters

# By the number of sides with an infinite penalty; the others have none.
CORNERS = ("CCA", "LR", "CKA")
INDEX_LOOKS = {"svcca": ("ρ̄", "#0072B2", "o"), "svcca_r2": ("R²", "#D55E00", "s")}


def families_figure(families: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the share of layers found by SVCCA and by canonical ridge regression.

    Parameters
    ----------
    families : DataFrame
        `COLUMNS` of `networks.index_families`.
    """
    figure, axes = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.6), width_ratios=(1, 1.1))
    _draw_truncated(axes[0], families)
    ridge = families[families["index"] == "canonical_ridge"]
    table = ridge.pivot_table(index="penalty", columns="other_penalty", values="accuracy")
    image = axes[1].imshow(table, vmin=0, vmax=1, cmap="viridis", origin="lower")
    labels = [_penalty_label(float(value)) for value in table.columns]
    last = len(labels) - 1
    axes[1].set_xticks(range(len(labels)), labels)
    axes[1].set_yticks(range(len(labels)), labels)
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        colour = "white" if value < 0.6 else "black"
        text = f"{100 * value:.0f}"
        if {row, column} <= {0, last}:
            text = f"{CORNERS[(row > 0) + (column > 0)]}\n{text}"
        axes[1].text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
    axes[1].set(xlabel="penalty κ of one layer", ylabel="penalty κ of the other layer")
    figure.colorbar(image, ax=axes[1], label="layers found", shrink=0.9)
    add_letters(axes)
    return figure, families


def _draw_truncated(axis: Axes, families: pd.DataFrame) -> None:
    """Draw the share of layers found by SVCCA against the share of variance that is kept."""
    shares = sorted(families.share.dropna().unique())
    for shift, (index, (label, colour, marker)) in zip(
        (-0.08, 0.08), INDEX_LOOKS.items(), strict=True
    ):
        rows = families[families["index"] == index].sort_values("share")
        place = np.arange(len(rows)) + shift
        ends = np.abs(rows[["low", "high"]].to_numpy().T - rows.accuracy.to_numpy())
        look: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "markersize": 3,
            "linewidth": 0.8,
        }
        axis.errorbar(place, rows.accuracy, yerr=ends, label=f"SVCCA {label}", **look)
    axis.legend(loc="upper right")
    chance = families.chance.iloc[0]
    axis.axhline(chance, color="0.5", linewidth=0.6, linestyle=":")
    axis.text(
        len(shares) - 0.6, chance, " chance", color="0.4", fontsize=6, va="bottom", ha="right"
    )
    axis.set_xticks(range(len(shares)), [f"{100 * share:g}" for share in shares])
    axis.set(xlabel="variance that is kept (%)", ylabel="layers found", ylim=(-0.02, 1))


def _penalty_label(penalty: float) -> str:
    if penalty == 0:
        return "0"
    if np.isinf(penalty):
        return "∞"
    return f"$10^{{{round(np.log10(penalty))}}}$"


def first_components_figure(images: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw each image on the first two components of two networks, coloured as in the first.

    Parameters
    ----------
    images : DataFrame
        Columns network, layer, image, label, pc1, pc2.
    """
    groups = list(images.groupby("network"))
    first = groups[0][1].sort_values("image")
    # Ranks spread the colours evenly over the images.
    ranks = first[["pc1", "pc2"]].rank(pct=True).to_numpy()
    colours = np.column_stack([ranks[:, 0], 0.15 + 0.6 * ranks[:, 1], 1 - ranks[:, 0]])
    figure, axes = plt.subplots(
        1, len(groups), figsize=(0.7 * PAGE_WIDTH, 2.5), sharex=True, sharey=True
    )
    for axis, (network, rows) in zip(axes, groups, strict=True):
        shown = rows.sort_values("image")
        axis.scatter(shown.pc1, shown.pc2, c=colours, s=5, linewidths=0)
        axis.set(title=f"network {network}, layer {shown.layer.iloc[0]}", aspect="equal")
        axis.set_xlabel("first component (SD)")
        if network != 1:
            similarity = [np.corrcoef(first[name], shown[name])[0, 1] for name in ("pc1", "pc2")]
            axis.text(
                0.02,
                0.02,
                f"correlation with network 1: {similarity[0]:.2f}, {similarity[1]:.2f}",
                transform=axis.transAxes,
                fontsize=6,
            )
    axes[0].set_ylabel("second component (SD)")
    add_letters(axes)
    return figure, images


def class_figure(classes: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the scores of all layers for all images and within classes, a row per measure.

    Parameters
    ----------
    classes : DataFrame
        Columns measure, images, layer, other_layer, score, n_images.
    """
    measures, groups = (list(dict.fromkeys(classes[name])) for name in ("measure", "images"))
    shape = (len(measures), len(groups))
    figure, grid = plt.subplots(*shape, figsize=(0.65 * PAGE_WIDTH, 2.1 * shape[0]), squeeze=False)
    for (row, measure), axes in zip(enumerate(measures), grid, strict=True):
        for axis, images in zip(axes, groups, strict=True):
            rows = classes[(classes.measure == measure) & (classes.images == images)]
            table = rows.pivot_table(index="layer", columns="other_layer", values="score")
            image = axis.imshow(table, vmin=0, vmax=1, cmap="viridis", origin="lower")
            ticks = range(0, len(table), 2)
            axis.set_xticks(ticks, [str(table.columns[tick]) for tick in ticks])
            axis.set_yticks(ticks, [str(table.index[tick]) for tick in ticks])
            size = rows.n_images.iloc[0]
            axis.set_title(f"{measure_label(measure)}, {images}\n({size:.0f} images)")
            if row == len(measures) - 1:
                axis.set_xlabel("layer of another network")
        axes[0].set_ylabel("layer of one network")
    add_letters(grid.flat)
    figure.colorbar(image, ax=grid, label="score", shrink=0.7)
    return figure, classes
