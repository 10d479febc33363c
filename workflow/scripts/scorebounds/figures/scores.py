"""Figure of what every measure says of data optimised towards one of them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scorebounds.figures.style import N_COLUMNS, dataset_label, measure_looks, panels

BRIGHT = 0.6  # above it, dark text is read better


def score_figure(scores: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw a matrix per dataset: a row per measure optimised, a column per measure scored with.

    Parameters
    ----------
    scores : DataFrame
        Columns dataset, optimized, measure, seed, score.

    Returns
    -------
    Figure
    DataFrame
        Means over seeds.
    """
    by_pair = ["dataset", "optimized", "measure"]
    table = scores.groupby(by_pair, sort=False).score.mean().reset_index()
    datasets = list(dict.fromkeys(table.dataset))
    rows, columns = list(dict.fromkeys(table.optimized)), list(dict.fromkeys(table.measure))
    labels = {name: look[0] for name, look in measure_looks([*columns, *rows]).items()}
    figure, axes = panels(len(datasets), height=0.5 + 0.17 * len(rows), legend_height=1.2)
    colours = plt.get_cmap("viridis").with_extremes(bad="0.9")
    for index, (axis, dataset) in enumerate(zip(axes, datasets, strict=True)):
        of_dataset = table[table.dataset == dataset]
        matrix = of_dataset.pivot_table(
            index="optimized", columns="measure", values="score", dropna=False
        )
        values = matrix.reindex(index=rows, columns=columns).to_numpy()
        image = axis.imshow(
            np.ma.masked_invalid(values), cmap=colours, vmin=0, vmax=1, aspect="auto"
        )
        for (row, column), value in np.ndenumerate(values):
            written = _written(value)
            shade = "black" if np.isnan(value) or value > BRIGHT else "white"
            axis.text(column, row, written, ha="center", va="center", color=shade, fontsize=4)
        axis.set_title(dataset_label(dataset))
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
        lowest = index + N_COLUMNS >= len(datasets)
        axis.set_xticks(
            range(len(columns)),
            [labels[name] for name in columns] if lowest else [],
            rotation=90,
        )
        leftmost = index % N_COLUMNS == 0
        axis.set_yticks(range(len(rows)), [labels[name] for name in rows] if leftmost else [])
        if leftmost:
            axis.set_ylabel("optimised towards")
    figure.supxlabel("scored with", fontsize=7)
    figure.colorbar(image, ax=axes, label="score", shrink=0.5, extend="min")
    return figure, table


def _written(score: float) -> str:
    """Return two digits: `.35`, `1.` for what rounds to 1, a dash for none."""
    if np.isnan(score):
        return "–"
    return f"{score:.2f}".replace("0.", ".", 1).replace("1.00", "1.")
