"""The legends of the score ladder, and the colours that they explain."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

SIGNIFICANT = 0.05
MODELS = ["model", "uninformative"]
CHANCE, CEILING, SUBJECTS = "0.62", "#8C6D1F", "#009E73"
SHARES = LinearSegmentedColormap.from_list("share", ["#FFFFFF", "#BDD7EC", "#6BAED6", "#2F7EBB"])
NORM = Normalize(0, 1)

_POINT: dict[str, Any] = {"marker": "o", "markersize": 4, "linestyle": "none"}
_TICK: dict[str, Any] = {"marker": "|", "markersize": 7, "linestyle": "none"}


def add_legends(
    figure: Figure,
    axis: Axes,
    table: pd.DataFrame,
    looks: Mapping[str, tuple[str, str]],
    *,
    compared: bool,
) -> None:
    """Explain what the ladder shows, and nothing that it does not show.

    Parameters
    ----------
    table : DataFrame
        What is shown, see `ladder_table`.
    looks : mapping of str to tuple of str
        Colour and marker of each model.
    compared : bool
        Whether there are thresholds, so that bars without them are hatched.
    """
    handles = [*_model_handles(table, looks), *_element_handles(set(table.element))]
    if compared and set(table.measure[table.element == "captured"]) < set(table.measure):
        label = "no optimised data, or capture undefined"
        handles.append(Patch(facecolor="white", edgecolor="0.8", hatch="////", label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=6)
    if (table.element == "captured").any():
        _add_colour_bar(figure, axis)


def _model_handles(table: pd.DataFrame, looks: Mapping[str, tuple[str, str]]) -> list[Artist]:
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            markersize=4,
            linewidth=1.1,
            label=f"{name}, corrected 95 % interval",
        )
        for name, (colour, marker) in looks.items()
    ]
    models = table[table.element.isin(MODELS)]
    if (models.value > SIGNIFICANT).any() or (models.element == "uninformative").any():
        label = "open: not distinguishable from chance, or uninformative"
        handles.append(
            Line2D([], [], color="black", markerfacecolor="white", label=label, **_POINT)
        )
    return handles


def _element_handles(elements: set[str]) -> list[Artist]:
    """Return a handle for each element other than models that is shown."""
    subjects = "inter-subject ceiling; small open markers: scores with single subjects"
    decodable = "variable is decodable at this score or more"
    handles: dict[str, Artist] = {
        "chance": Patch(color=CHANCE, linewidth=0, label="chance (5–95 % of shuffles)"),
        "ceiling": Line2D([], [], color=CEILING, linewidth=1.1, label="noise ceiling"),
        "subjects": Line2D([], [], color=SUBJECTS, linestyle="--", linewidth=1.1, label=subjects),
        "variable": Line2D([], [], color="black", label=decodable, **_TICK),
    }
    return [handle for element, handle in handles.items() if element in elements]


def _add_colour_bar(figure: Figure, axis: Axes) -> None:
    bar = figure.colorbar(
        ScalarMappable(norm=NORM, cmap=SHARES),
        ax=axis,
        orientation="horizontal",
        shrink=0.5,
        aspect=45,
        pad=0.02,
    )
    bar.set_label("share of the variance that optimised data have captured", fontsize=6)
    bar.outline.set_linewidth(0.4)
