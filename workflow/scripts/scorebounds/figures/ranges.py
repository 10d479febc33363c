"""Figure of which pairs of scores are possible."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from scorebounds.core.measure_table import measure_label
from scorebounds.figures.style import (
    PAGE_WIDTH,
    dataset_label,
    legend_below,
    panels,
    write_score,
)

ATTAINED, JOINT, IMPOSSIBLE = "#0072B2", "#D55E00", "0.86"
ATTAINED_LOOK: dict[str, Any] = {"color": ATTAINED, "linewidth": 0.9}
SEARCHED_LOOK: dict[str, Any] = {
    "color": ATTAINED,
    "linestyle": "none",
    "marker": "o",
    "markersize": 1.8,
}
BOUND_LOOK: dict[str, Any] = {"color": "0.35", "linewidth": 0.7, "linestyle": (0, (4, 2))}
VISITED_LOOK: dict[str, Any] = {
    "color": JOINT,
    "linestyle": "none",
    "marker": ".",
    "markersize": 1.2,
    "alpha": 0.6,
}
REACHED_LOOK: dict[str, Any] = {
    "color": JOINT,
    "linestyle": "none",
    "marker": "^",
    "markersize": 2.6,
    "markeredgewidth": 0,
}


def range_figure(
    ranges: pd.DataFrame,
    guides: pd.DataFrame,
    trajectories: pd.DataFrame,
    reference_level: float,
    bounds: pd.DataFrame | None = None,
) -> tuple[Figure, pd.DataFrame]:
    """Draw the region of each pair of scores on one dataset, by three methods.

    Parameters
    ----------
    ranges : DataFrame
        Columns dataset, a, b, a_value and {attained, certified}_{lower, upper}.
    guides : DataFrame
        Columns given, implied, low, high, two rows per pair.
    trajectories : DataFrame
        Columns a, b, target, step, a_value, b_value: what joint optimisation visited.
    reference_level : float
        Lowest score that counts as high.
    bounds : DataFrame, optional
        Columns a, b, a_value, certified_lower, certified_upper: proven ends at more values of a.
    """
    pairs = list(dict.fromkeys(zip(ranges.a, ranges.b, strict=True)))
    figure, axes = panels(len(pairs), height=2.7)
    for axis, (a, b) in zip(axes, pairs, strict=True):
        of_pair, visited = (
            table[(table.a == a) & (table.b == b)] for table in (ranges, trajectories)
        )
        limits = of_pair if bounds is None else bounds[(bounds.a == a) & (bounds.b == b)]
        _draw_bounds(axis, limits)
        _draw_attained(axis, of_pair, limits)
        axis.plot(visited.a_value, visited.b_value, **VISITED_LOOK)
        last = visited.sort_values("step").groupby("target", sort=False).tail(1)
        axis.plot(last.a_value, last.b_value, **REACHED_LOOK)
        axis.axvline(reference_level, color="0.5", linewidth=0.5, linestyle=":")
        axis.axhline(reference_level, color="0.5", linewidth=0.5, linestyle=":")
        axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axis.set(xlabel=measure_label(a), ylabel=measure_label(b))
        axis.set_title(_compatible(guides, a, b, reference_level), fontsize=6)
    is_wide = figure.get_figwidth() > 0.9 * PAGE_WIDTH
    legend_below(figure, _handles(ranges), per_row=3 if is_wide else 2)
    figure.suptitle(dataset_label(ranges.dataset.iloc[0]), fontsize=7, fontweight="bold")
    return figure, ranges


# Both ends increase with a: between two values the lower end of the smaller one holds, and the
# upper end of the larger one.
STEPS: dict[str, Literal["pre", "post"]] = {"lower": "post", "upper": "pre"}


def _draw_bounds(axis: Axes, bounds: pd.DataFrame) -> None:
    """Shade what is proven to be impossible."""
    for end, edge in (("lower", 0.0), ("upper", 1.0)):
        known = bounds[bounds[f"certified_{end}"].notna()]
        axis.fill_between(
            known.a_value,
            np.full(len(known), edge),
            known[f"certified_{end}"],
            step=STEPS[end],
            color=IMPOSSIBLE,
            linewidth=0,
            zorder=0,
        )
        line = known.a_value, known[f"certified_{end}"]
        axis.plot(*line, drawstyle=f"steps-{STEPS[end]}", **BOUND_LOOK)


def drawn_bounds(bounds: pd.DataFrame, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper edge of what is drawn as possible at values of a.

    Parameters
    ----------
    bounds : DataFrame
        Of one pair: columns a_value, certified_lower, certified_upper.
    values : ndarray, shape (n_values,)
    """
    edges = []
    for end, default in (("lower", -np.inf), ("upper", np.inf)):
        known = bounds[bounds[f"certified_{end}"].notna()]
        grid = known.a_value.to_numpy()
        if end == "lower":
            index = np.searchsorted(grid, values, side="right") - 1
        else:
            index = np.searchsorted(grid, values, side="left")
        ends = np.concatenate([[default], known[f"certified_{end}"].to_numpy(), [default]])
        edges.append(ends[index + 1])
    return edges[0], edges[1]


def attained_curves(ranges: pd.DataFrame, bounds: pd.DataFrame) -> pd.DataFrame:
    """Interpolate the attained ends to the values of the bounds, without crossing a bound.

    Returns
    -------
    DataFrame
        Columns a_value, lower, upper; NaN outside the values at which both ends were attained.
    """
    known = ranges.dropna(subset=["attained_lower", "attained_upper"])
    values = bounds.a_value.to_numpy()
    curves = {"a_value": values}
    for end, beyond in (("lower", np.fmax), ("upper", np.fmin)):
        line = np.full(len(values), np.nan)
        if len(known):
            ends = known.a_value, known[f"attained_{end}"]
            line = np.interp(values, *ends, left=np.nan, right=np.nan)
        limited = beyond(line, bounds[f"certified_{end}"].to_numpy())
        curves[end] = np.where(np.isnan(line), np.nan, limited)
    return pd.DataFrame(curves)


def _draw_attained(axis: Axes, ranges: pd.DataFrame, bounds: pd.DataFrame) -> None:
    curves = attained_curves(ranges, bounds)
    axis.fill_between(
        curves.a_value,
        curves.lower,
        curves.upper,
        color=ATTAINED,
        alpha=0.15,
        linewidth=0,
        zorder=1,
    )
    for end in ("lower", "upper"):
        axis.plot(curves.a_value, curves[end], **ATTAINED_LOOK)
        axis.plot(ranges.a_value, ranges[f"attained_{end}"], **SEARCHED_LOOK)


def _compatible(guides: pd.DataFrame, a: str, b: str, reference_level: float) -> str:
    """Say in two lines which scores of either measure are compatible with a high one."""
    lines = []
    for given, implied, of_given, of_implied in ((a, b, "x", "y"), (b, a, "y", "x")):
        row = guides[(guides.given == given) & (guides.implied == implied)].iloc[0]
        ends = f"{write_score(row.low)} to {write_score(row.high)}"
        lines.append(f"{of_given} at least {reference_level:g}: {of_implied} from {ends}")
    return "\n".join(lines)


def _handles(ranges: pd.DataFrame) -> list[Line2D | Patch]:
    bounded = ranges.outer_lower.notna().any() or ranges.outer_upper.notna().any()
    handles: list[Line2D | Patch] = [
        Patch(facecolor=ATTAINED, alpha=0.15, label="attained by constrained search")
    ]
    if bounded:
        handles.append(Patch(color=IMPOSSIBLE, label="impossible (proven)"))
    handles.append(Patch(facecolor="white", edgecolor="0.6", linewidth=0.5, label="not known"))
    handles += [
        Line2D([], [], label="reached by joint optimisation", **REACHED_LOOK),
        Line2D([], [], label="visited during it", **{**VISITED_LOOK, "markersize": 3}),
    ]
    return handles
