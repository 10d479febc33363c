"""The look that all figures share: sizes in print, colours, markers and dashes."""

import itertools
import logging
import re
import string
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.core.integrity import record_digest
from scorebounds.core.measure_table import ENTRIES, measure_label
from scorebounds.core.published_ids import PUBLISHED_IDS

logger = logging.getLogger(__name__)

Dash = str | tuple[float, tuple[float, ...]]

PAGE_WIDTH = 7.2  # inches: 183 mm, two columns of a journal
N_COLUMNS = 3  # panels in a row, of up to nine

# Okabe and Ito's palette, the two lightest darkened to a contrast of 3 with white. A marker and a
# dash each, so that no information is in colour alone.
_OWN_LOOK = {
    "cka": ("#0072B2", "o"),
    "cka_angular": ("#2F9BD8", "s"),
    "nbs": ("#CC7A00", "^"),
    "procrustes_angular": ("#D55E00", "D"),
    "linreg": ("#009E73", "v"),
    "ridge_cv_100": ("#CC79A7", "P"),
    "cka_debiased": ("#000000", "X"),
    "rsa_correlation_pearson": ("#999999", "<"),
    "svcca": ("#8C6D1F", ">"),
}
# Measures whose scores do not run up to 1: they cannot share an axis with the others.
OFF_SCALE = {entry.id for entry in ENTRIES if entry.off_scale}
_DASHES: list[Dash] = [
    "-",
    (0, (5, 1)),
    (0, (3, 1, 1, 1)),
    (0, (1, 0.7)),
    (0, (7, 1.5)),
    (0, (2, 1)),
]
# The measures that Cloos et al. 2025 optimised; figures of many panels are drawn for these.
PAPER_MEASURES = list(PUBLISHED_IDS)
# For all other measures, in the order in which a figure has them.
_SPARE_COLOURS = ["#5D3A9B", "#4B8B3B", "#8B1A1A", "#1A8B8B", "#C0A000", "#FF8FA3", "#404080"]
_SPARE_MARKERS = ["p", "h", "*", "8", "d", "H", "1"]

# Okabe and Ito's colours with a marker each.
_MODEL_LOOKS = [
    ("#D55E00", "o"),
    ("#000000", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#E69F00", "v"),
    ("#56B4E9", "P"),
    ("#0072B2", "X"),
]

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
    "savefig.dpi": 300,
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


def main_measures(names: Iterable[str], n: int = 6) -> list[str]:
    """Return the measures to draw where lines of all would hide each other.

    Those of Cloos et al. 2025, or the first `n` where there are none of them.
    """
    known = [name for name in dict.fromkeys(names) if name not in OFF_SCALE]
    return [name for name in known if name in PAPER_MEASURES] or known[:n]


def measure_dashes(names: Iterable[str]) -> dict[str, Dash]:
    """Return a line style for each measure of a figure; more than six share styles."""
    return {
        name: _DASHES[number % len(_DASHES)] for number, name in enumerate(dict.fromkeys(names))
    }


def model_looks(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each model of a figure; more than seven share looks."""
    return {
        name: _MODEL_LOOKS[number % len(_MODEL_LOOKS)]
        for number, name in enumerate(dict.fromkeys(names))
    }


def with_thresholds(thresholds: pd.DataFrame) -> pd.DataFrame:
    """Leave out the rows whose note says that thresholds are not defined."""
    if "note" not in thresholds:
        return thresholds
    return thresholds[thresholds.note.isna() | (thresholds.note == "")]


def write_score(value: float) -> str:
    """Return a score with two digits, or a dash where there is none."""
    return "–" if np.isnan(value) else f"{value:.2f}".replace("-", "−")


def dataset_label(name: str) -> str:
    """Return the name of a dataset as figures print it."""
    if name.startswith("surrogate-"):
        short = name.removeprefix("surrogate-").removesuffix("-stim_period-var99")
        return f"{short} (surrogate)"
    return name


def panel_title(name: str) -> str:
    """Return the name of a dataset as the title of one panel of many, in one or two lines."""
    return dataset_label(name).replace(" (", "\n(")


def panels(
    n: int, *, height: float = 1.75, legend_height: float = 0.4
) -> tuple[Figure, list[Axes]]:
    """Make a page of `n` panels, up to four in a row, with space for one legend below."""
    columns = _n_columns(n)
    rows = -(-n // columns)
    width = PAGE_WIDTH * min(max(columns, 2) / N_COLUMNS, 1)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, rows * height + legend_height), squeeze=False
    )
    flat = list(axes.flat)
    for unused in flat[n:]:
        unused.set_visible(False)
    if n > 1:
        add_letters(flat[:n])
    return figure, flat[:n]


def _n_columns(n: int) -> int:
    """Return how many of `n` panels to draw in a row, so that a page stays low and has few gaps."""
    if n == 4:
        return 2
    return min(n, N_COLUMNS if n <= 3 * N_COLUMNS else 4)


def add_letters(axes: Iterable[Axes]) -> None:
    """Put a bold lower-case letter at the upper left of each panel."""
    for letter, axis in zip(_letters(), axes, strict=False):
        axis.annotate(
            letter,
            (0, 1),
            xycoords="axes fraction",
            xytext=(-14, 3),
            textcoords="offset points",
            fontsize=8,
            fontweight="bold",
        )


def _letters() -> Iterator[str]:
    """Yield a, b, …, z, aa, ab, …"""
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield "".join(letters)


def bottom_row(axes: Sequence[Axes]) -> list[Axes]:
    """Return the axes with no visible panel below them."""
    return list(axes[-min(len(axes), _row_length(axes)) :])


def first_column(axes: Sequence[Axes]) -> list[Axes]:
    """Return the leftmost axes of each row."""
    return list(axes[:: _row_length(axes)])


def _row_length(axes: Sequence[Axes]) -> int:
    place = axes[0].get_subplotspec()
    return place.get_gridspec().ncols if place else 1


def label_outer(axes: Sequence[Axes], x: str = "", y: str = "") -> None:
    """Label the outer panels; leave out tick labels where a neighbour has the same axes."""
    lowest, leftmost = bottom_row(axes), first_column(axes)
    for axis in axes:
        axis.tick_params(labelbottom=axis in lowest, labelleft=axis in leftmost)
        if x and axis in lowest:
            axis.set_xlabel(x)
        if y and axis in leftmost:
            axis.set_ylabel(y)


def measure_handles(
    looks: dict[str, Look], *, markers: bool = True, dashes: Mapping[str, Dash] | None = None
) -> list[Line2D]:
    """Return one legend entry per measure."""
    handles = []
    for name, (label, colour, marker) in looks.items():
        shape: dict[str, Any] = {"marker": marker, "markersize": 3} if markers else {}
        if dashes is not None:
            shape["linestyle"] = dashes[name]
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


def save(
    figure: Figure, table: pd.DataFrame, pdf: str, png: str, csv: str, caption: str = ""
) -> None:
    """Write a figure as PDF and PNG, with its caption inside, and the numbers it shows as CSV."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # No date inside, so that the same numbers give the same file.
        figure.savefig(pdf, metadata={"CreationDate": None, "Producer": None, "Subject": caption})
        # The panels keep their places, which take as long to find as to draw.
        figure.set_layout_engine("none")
        figure.savefig(png, metadata={"Software": None, "Description": caption})
    plt.close(figure)
    _report(caught, pdf)
    table.to_csv(Path(csv), index=False, float_format="%.8g")
    # The page on the layers of a model reads both.
    record_digest(png)
    record_digest(csv)


def _report(caught: Iterable[warnings.WarningMessage], path: str) -> None:
    """Name the characters for which the font has no glyph, once, and pass other warnings on."""
    missing: dict[str, None] = {}
    for warning in caught:
        glyph = re.match(r"Glyph (\d+) .*missing from font", str(warning.message))
        if glyph:
            missing[chr(int(glyph[1]))] = None
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    if missing:
        logger.warning(
            "%s: the font has no glyph for %s; they are drawn as boxes: rename the labels, or "
            "install a font that has them and put it first in scorebounds/figures/style.py",
            path,
            ", ".join(f"{character!r}" for character in missing),
        )


def use_style() -> None:
    """Take the shared look for every figure drawn from now on, whatever the user's matplotlibrc."""
    mpl.use("Agg")
    mpl.rcdefaults()
    mpl.rcParams.update(RC)


def standalone(draw: Callable[..., tuple[Figure, pd.DataFrame]], *tables: Any) -> Figure:
    """Draw a figure in the shared style, without leaving it to pyplot to show a second time."""
    with mpl.rc_context(RC):
        figure, _ = draw(*tables)
    plt.close(figure)
    return figure
