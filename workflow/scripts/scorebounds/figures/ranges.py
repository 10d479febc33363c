"""Figures of which pairs of scores are possible."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.core.measure_table import measure_label, measure_order
from scorebounds.figures.style import N_COLUMNS, dataset_label, legend_below, measure_looks, panels

ATTAINED, PAPER, OUTER = "#0072B2", "#D55E00", "0.15"
LOOKS: dict[str, dict[str, Any]] = {
    "attained": {"color": ATTAINED, "linewidth": 1.0, "marker": ".", "markersize": 2.5},
    "paper": {"color": PAPER, "linewidth": 0.7, "marker": "^", "markersize": 2.2},
    "outer": {"color": OUTER, "linewidth": 0.8, "linestyle": (0, (4, 2))},
}
LABELS = {
    "attained": "attained by constrained search",
    "paper": "reached by joint optimisation from one start",
    "outer": "proven bound",
}
BRIGHT = 0.6  # above it, dark text is read better


def range_figure(
    ranges: pd.DataFrame, guides: pd.DataFrame, trajectories: pd.DataFrame, guide: float
) -> tuple[Figure, pd.DataFrame]:
    """Draw the region of each pair of scores on one dataset, by three methods.

    Parameters
    ----------
    ranges : DataFrame
        Columns dataset, a, b, a_value, paper_x and {paper, attained, outer}_{lower, upper}.
    guides : DataFrame
        Columns given, implied, low, high, verdict, two rows per pair.
    trajectories : DataFrame
        Columns a, b, target, step, a_value, b_value.
    guide : float
        From which score on a score counts as high.
    """
    pairs = list(dict.fromkeys(zip(ranges.a, ranges.b, strict=True)))
    figure, axes = panels(len(pairs), height=2.55)
    for axis, (a, b) in zip(axes, pairs, strict=True):
        of_pair = trajectories[(trajectories.a == a) & (trajectories.b == b)]
        _draw_trajectories(axis, of_pair)
        axis.axvline(guide, color="0.55", linewidth=0.5, linestyle=":")
        axis.axhline(guide, color="0.55", linewidth=0.5, linestyle=":")
        _draw_outlines(axis, ranges[(ranges.a == a) & (ranges.b == b)])
        axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        axis.set(xlabel=measure_label(a), ylabel=measure_label(b))
        axis.set_title(_verdict(guides, a, b, guide), fontsize=6)
    free = (ranges.paper_x == "free").any()
    labels = {**LABELS, "paper": f"{LABELS['paper']}, X free"} if free else LABELS
    handles = [Line2D([], [], label=labels[kind], **look) for kind, look in LOOKS.items()]
    handles.append(Line2D([], [], color="0.75", linewidth=0.6, label="its trajectories"))
    legend_below(figure, handles, per_row=2)
    figure.suptitle(dataset_label(ranges.dataset.iloc[0]), fontsize=8)
    return figure, ranges


def _draw_trajectories(axis: Axes, trajectories: pd.DataFrame) -> None:
    lines = [
        rows[["a_value", "b_value"]].to_numpy()
        for _, rows in trajectories.groupby("target", sort=False)
    ]
    axis.add_collection(LineCollection(lines, colors="0.75", linewidths=0.4, zorder=0.5))


def _draw_outlines(axis: Axes, rows: pd.DataFrame) -> None:
    axis.fill_between(
        rows.a_value,
        rows.attained_lower,
        rows.attained_upper,
        color=ATTAINED,
        alpha=0.12,
        linewidth=0,
        zorder=0,
    )
    for kind in ("outer", "attained", "paper"):
        for end in ("lower", "upper"):
            known = rows[rows[f"{kind}_{end}"].notna()]
            axis.plot(known.a_value, known[f"{kind}_{end}"], **LOOKS[kind], clip_on=False)


def _verdict(guides: pd.DataFrame, a: str, b: str, guide: float) -> str:
    """Say in two lines what a high score of each leaves to the other."""
    of_y, of_x = (
        guides[(guides.given == given) & (guides.implied == implied)].iloc[0]
        for given, implied in ((a, b), (b, a))
    )
    where = f"y ≥ {_written(of_y.low)} where x ≥ {guide:g}"
    return f"{of_y.verdict}: {where}\nx ≥ {_written(of_x.low)} where y ≥ {guide:g}"


def _written(score: float) -> str:
    if np.isnan(score):
        return "–"
    return f"{score:.2f}".replace("0.", ".", 1).replace("-", "−").replace("1.00", "1")


def matrix_figure(guides: pd.DataFrame, guide: float) -> tuple[Figure, pd.DataFrame]:
    """Draw a matrix per dataset: a row per measure that is high, a column per measure implied.

    Parameters
    ----------
    guides : DataFrame
        Columns dataset, given, implied, low, high.
    guide : float
        From which score on a score counts as high.
    """
    datasets = list(dict.fromkeys(guides.dataset))
    # Forms of a measure beside each other.
    names = sorted(dict.fromkeys([*guides.given, *guides.implied]), key=measure_order)
    labels = [look[0] for look in measure_looks(names).values()]
    figure, axes = panels(len(datasets), height=0.5 + 0.26 * len(names), legend_height=1.0)
    colours = plt.get_cmap("viridis").with_extremes(bad="0.93")
    for index, (axis, dataset) in enumerate(zip(axes, datasets, strict=True)):
        of_dataset = guides[guides.dataset == dataset]
        low, high = (
            of_dataset.pivot_table(index="given", columns="implied", values=end, dropna=False)
            .reindex(index=names, columns=names)
            .to_numpy()
            for end in ("low", "high")
        )
        image = axis.imshow(np.ma.masked_invalid(low), cmap=colours, vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(low):
            if np.isnan(value):
                continue
            top = high[row, column]
            text = _written(value) if top > 0.995 else f"{_written(value)}\nto {_written(top)}"
            shade = "black" if value > BRIGHT else "white"
            axis.text(column, row, text, ha="center", va="center", color=shade, fontsize=5)
        axis.set_title(dataset_label(dataset))
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
        lowest = index + N_COLUMNS >= len(datasets)
        axis.set_xticks(range(len(names)), labels if lowest else [], rotation=90)
        leftmost = index % N_COLUMNS == 0
        axis.set_yticks(range(len(names)), labels if leftmost else [])
        if leftmost:
            axis.set_ylabel(f"at least {guide:g} with")
    figure.supxlabel("leaves to", fontsize=7)
    figure.colorbar(image, ax=axes, label="smallest score attained", shrink=0.6)
    return figure, guides
