"""Figure of the thresholds of a dataset compared with those of its Gaussian twins."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from scorebounds.figures.style import (
    empty_figure,
    label_outer,
    legend_below,
    measure_looks,
    panels,
)

DATA, TWIN = "#000000", "#56B4E9"


def twin_figure(components: pd.DataFrame, summary: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw the threshold of each component of a dataset and of its twins, a panel per measure.

    Parameters
    ----------
    components, summary : DataFrame
        `COMPONENT_COLUMNS` and `SUMMARY_COLUMNS` of `optimization.twins`, of one dataset.
    """
    measures = list(dict.fromkeys(components.measure))
    if not measures:
        return empty_figure("there are no thresholds of components to draw"), components
    looks, stated = measure_looks(measures), summary.set_index("measure")
    figure, axes = panels(len(measures), height=1.8)
    share = components.variance_ratio
    scores = components[["score_low", "score_median", "twin_low", "twin_median"]]
    lowest = min(0.0, float(np.nanmin(scores.to_numpy(), initial=0.0)))
    for axis, measure in zip(axes, measures, strict=True):
        rows = components[components.measure == measure]
        low, high = rows.twin_low, rows.twin_high.fillna(1.0).where(rows.twin_low.notna())
        axis.fill_between(rows.variance_ratio, low, high, color=TWIN, alpha=0.5, linewidth=0)
        axis.plot(rows.variance_ratio, rows.twin_median, color=TWIN, linestyle=(0, (4, 1.2)))
        axis.plot(rows.variance_ratio, rows.score_median, color=DATA, linewidth=0.8)
        axis.plot(rows.variance_ratio, rows.score_median, ".", color=DATA, markersize=2.5)
        axis.set(xscale="log", xlim=(share.min() / 1.3, min(1.3 * share.max(), 1)))
        axis.set(ylim=(lowest - 0.03, 1.03), title=looks[measure][0])
        axis.text(0.03, 0.04, _statement(stated.loc[measure]), transform=axis.transAxes, fontsize=6)
    label_outer(axes, "share of variance of the PC", "score at capture")
    legend_below(
        figure,
        [
            Line2D([], [], color=DATA, marker=".", markersize=3, label=components.dataset.iloc[0]),
            Line2D([], [], color=TWIN, linestyle=(0, (4, 1.2)), label="Gaussian twins"),
            Patch(color=TWIN, alpha=0.5, linewidth=0, label="interval over draws"),
        ],
        per_row=3,
    )
    return figure, components


def _statement(row: pd.Series) -> str:
    """Say how far the dataset is from its twins, and these from each other."""
    if not row.n_compared:
        return "no component in common"
    difference = f"{row.difference:+.3f}".replace("-", "−")
    return (
        f"mean difference {difference}\n|difference| {row.absolute_difference:.3f}, p = {row.p:.2f}"
    )
