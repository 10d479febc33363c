"""Figure of the score at which each task variable is decoded."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.decoding import NO_LABELS, NOT_DECODABLE
from scorebounds.figures.style import (
    PAGE_WIDTH,
    Look,
    dataset_label,
    empty_figure,
    legend_below,
    main_measures,
    measure_handles,
    measure_looks,
)

NEVER = 1.08  # where seeds that never decode a variable are drawn
ROW_HEIGHT, MARGIN = 0.4, 0.95
COUNT_WIDTH = 0.075  # of the number of seeds
COUNT_TITLE = "seeds that decode it"
CROSS: dict[str, Any] = {
    "marker": "x",
    "markersize": 3.4,
    "markeredgewidth": 0.8,
    "linestyle": "none",
    "zorder": 5,
}


def decoding_threshold_figure(
    thresholds: pd.DataFrame,
    seeds: pd.DataFrame,
    references: pd.DataFrame,
    measures: Sequence[str],
    published: pd.DataFrame | None = None,
) -> tuple[Figure, pd.DataFrame]:
    """Draw the score at which each variable is decoded, a row a variable.

    Parameters
    ----------
    thresholds : DataFrame
        Columns dataset, measure, kind, target, score_median, score_low, score_high, n_seeds,
        n_reached.
    seeds : DataFrame
        Columns dataset, measure, kind, target, score: a dot each.
    references : DataFrame
        Columns dataset, target, decodable; a row of the figure per row.
    measures : sequence of str
        Measures that the table of the figure has; of these, `main_measures` are drawn.
    published : DataFrame, optional
        Columns published, dataset, measure, target, chance, reference, published_score: crosses in
        the row of the same dataset, or in a row of their own where `dataset` is empty.
    """
    shown = thresholds[(thresholds.kind == "variable") & thresholds.measure.isin(measures)]
    names = main_measures(shown.measure)
    if references.empty or shown.empty or not names:
        return empty_figure(NO_LABELS), shown
    looks = measure_looks(names)
    theirs = _known_levels(published, names)
    rows = _rows(references, theirs)
    height = MARGIN + ROW_HEIGHT * len(rows)
    figure, axis = plt.subplots(figsize=(PAGE_WIDTH, height))
    for number, (dataset, target, decodable) in enumerate(rows):
        if number % 2:
            axis.axhspan(number - 0.5, number + 0.5, color="0.95", linewidth=0)
        if not decodable:
            axis.text(0.5, number, NOT_DECODABLE, ha="center", va="center", fontsize=6)
            continue
        summary, dots = (
            table[(table.dataset == dataset) & (table.target == target)] for table in (shown, seeds)
        )
        _draw_row(axis, number, summary, dots, looks)
        same = (theirs.dataset == dataset) | (theirs.published + " (published)" == dataset)
        _draw_crosses(axis, number, theirs[same & (theirs.target == target)], looks)
    _label_axes(axis, shown, rows)
    handles = _handles(looks)
    if len(theirs):
        handles.append(Line2D([], [], color="0.3", label="published, one run", **CROSS))
        shown = pd.concat([shown, _as_shown(theirs)], ignore_index=True)
    legend_below(figure, handles)
    return figure, shown


def _rows(references: pd.DataFrame, published: pd.DataFrame) -> list[tuple[str, str, bool]]:
    """List dataset, variable and whether it is decodable: ours, then what was published alone."""
    alone = published[published.dataset == ""].drop_duplicates(["published", "target"])
    return [
        *((row.dataset, row.target, row.decodable) for row in _records(references)),
        *((f"{row.published} (published)", row.target, True) for row in _records(alone)),
    ]


def _label_axes(axis: Axes, shown: pd.DataFrame, rows: Sequence[tuple[str, str, bool]]) -> None:
    axis.axvline((1 + NEVER) / 2, color="0.6", linewidth=0.6)
    axis.set_yticks(
        range(len(rows)),
        [f"{dataset_label(dataset)}: {target}" for dataset, target, _ in rows],
    )
    axis.set_xticks([*np.linspace(0, 1, 6), NEVER], ["0", "0.2", "0.4", "0.6", "0.8", "1", "never"])
    lowest = min(0.0, shown.score_low.min(), shown.score_median.min())
    axis.set(
        xlim=(lowest - 0.01, NEVER + 0.03 + 2 * COUNT_WIDTH),
        ylim=(len(rows) - 0.5, -0.5),
        xlabel="score at which the variable is decoded",
    )
    axis.tick_params(axis="y", length=0)
    if ((shown.n_reached > 0) & (shown.n_reached < shown.n_seeds)).any():
        axis.text(axis.get_xlim()[1], -0.65, COUNT_TITLE, fontsize=6, ha="right")


def _known_levels(published: pd.DataFrame | None, names: Sequence[str]) -> pd.DataFrame:
    """Return the published thresholds whose level is known."""
    if published is None:
        return pd.DataFrame(columns=["published", "dataset", "measure", "target"])
    known = published.chance.notna() & published.reference.notna()
    chosen = published[known & published.measure.isin(names)]
    return chosen.assign(dataset=chosen.dataset.fillna(""))


def _as_shown(published: pd.DataFrame) -> pd.DataFrame:
    """Return published thresholds with the columns of ours."""
    return published[["measure", "target"]].assign(
        dataset=published.published + " (published)",
        kind="variable",
        score_median=published.published_score,
        n_seeds=1,
        n_reached=published.published_score.notna().astype(int),
    )


def _draw_crosses(axis: Axes, number: int, published: pd.DataFrame, looks: dict[str, Look]) -> None:
    offsets = dict(zip(looks, _offsets(len(looks)), strict=True))
    for row in _records(published):
        score = row.published_score if np.isfinite(row.published_score) else NEVER
        axis.plot(score, number + offsets[row.measure], color=looks[row.measure][1], **CROSS)


def _offsets(n: int) -> list[float]:
    """Return the position of each measure within a row."""
    return [float(value) for value in np.linspace(-0.38, 0.38, n)] if n > 1 else [0.0]


def _records(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples())


def _draw_row(
    axis: Axes,
    number: int,
    thresholds: pd.DataFrame,
    seeds: pd.DataFrame,
    looks: dict[str, Look],
) -> None:
    places = enumerate(zip(_offsets(len(looks)), looks.items(), strict=True))
    for index, (offset, (measure, (_, colour, marker))) in places:
        y = number + offset
        dots = seeds.score[(seeds.measure == measure) & seeds.score.notna()]
        axis.plot(dots, np.full(len(dots), y), ".", color=colour, markersize=1.6, zorder=3)
        for row in _records(thresholds[thresholds.measure == measure]):
            # An end that seeds that never decode the variable decide is beyond all scores.
            high = 1.0 if np.isnan(row.score_high) else row.score_high
            if row.n_reached:
                axis.plot([row.score_low, high], [y, y], color=colour, linewidth=0.8)
            everyone = row.n_reached == row.n_seeds
            axis.plot(
                row.score_median if np.isfinite(row.score_median) else NEVER,
                y,
                color=colour,
                marker=marker,
                markersize=3.2,
                markerfacecolor=colour if everyone else "white",
                markeredgewidth=0.6,
                zorder=4,
            )
            if 0 < row.n_reached < row.n_seeds:
                text = f"{row.n_reached} of {row.n_seeds}"
                # Lines are closer than letters are high.
                left = NEVER + 0.025 + COUNT_WIDTH * (index % 2)
                axis.text(left, y, text, va="center", fontsize=6, color=colour)


def _handles(looks: dict[str, Look]) -> list[Line2D]:
    handles = measure_handles(looks)
    for handle in handles:
        handle.set_linestyle("none")
    filled: dict[str, Any] = {"color": "0.3", "linestyle": "none", "marker": "o"}
    return [
        *handles,
        Line2D([], [], markersize=3.2, label="median, all seeds", **filled),
        Line2D([], [], markersize=3.2, markerfacecolor="white", label="not all seeds", **filled),
        Line2D([], [], markersize=1.2, label="one seed", **filled),
    ]
