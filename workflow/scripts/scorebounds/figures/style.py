"""The look that all figures share: sizes in print, colours that the colour-blind tell apart."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.core.measure_table import ENTRIES, measure_label

PAGE_WIDTH = 7.1  # inches, two columns of a journal
N_COLUMNS = 3

# Okabe and Ito's palette; order and marker tell the measures apart in grey as well.
_OWN_LOOK = {
    "cka": ("#0072B2", "o"),
    "cka_angular": ("#56B4E9", "s"),
    "nbs": ("#E69F00", "^"),
    "procrustes_angular": ("#D55E00", "D"),
    "linreg": ("#009E73", "v"),
    "ridge_cv_100": ("#CC79A7", "P"),
    "cka_debiased": ("#000000", "X"),
    "rsa_correlation_pearson": ("#999999", "<"),
    "svcca": ("#8C6D1F", ">"),
}
# Measures whose scores do not run up to 1: they cannot share an axis with the others.
OFF_SCALE = {entry.id for entry in ENTRIES if entry.off_scale}
# For all other measures, in the order in which a figure has them.
_SPARE_COLOURS = ["#5D3A9B", "#4B8B3B", "#8B1A1A", "#1A8B8B", "#C0A000", "#FF8FA3", "#404080"]
_SPARE_MARKERS = ["p", "h", "*", "8", "d", "H", "1"]

Look = tuple[str, str, str]

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "lines.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
}


def measure_looks(names: Iterable[str]) -> dict[str, Look]:
    """Return label, colour and marker of each measure of a figure, all of them different."""
    looks, spare = {}, 0
    for name in dict.fromkeys(names):
        if name in _OWN_LOOK:
            looks[name] = (measure_label(name), *_OWN_LOOK[name])
            continue
        index = spare % len(_SPARE_COLOURS)
        looks[name] = (measure_label(name), _SPARE_COLOURS[index], _SPARE_MARKERS[index])
        spare += 1
    return looks


def dataset_label(name: str) -> str:
    """Return the name of a dataset as a panel's title."""
    if name.startswith("surrogate-"):
        short = name.removeprefix("surrogate-").removesuffix("-stim_period-var99")
        return f"{short} (surrogate)"
    return name


def panels(
    n: int, *, height: float = 1.75, legend_height: float = 0.4
) -> tuple[Figure, list[Axes]]:
    """Make a page of `n` panels, three in a row, with room for one legend below."""
    columns = min(n, N_COLUMNS)
    rows = -(-n // columns)
    width = PAGE_WIDTH * max(columns, 2) / N_COLUMNS
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, rows * height + legend_height), squeeze=False
    )
    flat = list(axes.flat)
    for unused in flat[n:]:
        unused.set_visible(False)
    return figure, flat[:n]


def bottom_row(axes: list[Axes]) -> list[Axes]:
    """Return the axes with no visible panel below them."""
    return axes[-min(len(axes), N_COLUMNS) :]


def measure_handles(looks: dict[str, Look], *, markers: bool = True) -> list[Line2D]:
    """Return one legend entry per measure."""
    handles = []
    for label, colour, marker in looks.values():
        shape: dict[str, Any] = {"marker": marker, "markersize": 3} if markers else {}
        handles.append(Line2D([], [], color=colour, label=label, **shape))
    return handles


def empty_figure(reason: str) -> Figure:
    """Make a page that says why there is nothing to draw."""
    figure = plt.figure(figsize=(PAGE_WIDTH / 2, 1))
    figure.text(0.5, 0.5, reason, ha="center", va="center")
    return figure


def legend_below(figure: Figure, handles: Sequence[Artist], per_row: int | None = None) -> None:
    """Put one legend for all panels under them."""
    if per_row is None:
        per_row = 4 if figure.get_figwidth() > 0.9 * PAGE_WIDTH else 3
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), per_row))


def save(figure: Figure, table: pd.DataFrame, pdf: str, png: str, csv: str) -> None:
    """Write a figure as PDF and PNG, and the numbers it shows as CSV."""
    # No date inside, so that the same numbers give the same file.
    figure.savefig(pdf, metadata={"CreationDate": None, "Producer": None})
    figure.savefig(png, metadata={"Software": None})
    plt.close(figure)
    table.to_csv(Path(csv), index=False, float_format="%.8g")


def use_style() -> None:
    """Take the shared look for every figure drawn from now on."""
    mpl.use("Agg")
    mpl.rcParams.update(RC)
