"""The score ladder: one bar per measure that shows what a score means, and where models are."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scorebounds.core.measure_table import measure_label
from scorebounds.figures.ladder_legend import (
    CEILING,
    CHANCE,
    MODELS,
    NORM,
    SHARES,
    SIGNIFICANT,
    SUBJECTS,
    add_legends,
)
from scorebounds.figures.ladder_table import ladder_table
from scorebounds.figures.style import (
    PAGE_WIDTH,
    dataset_label,
    empty_figure,
    model_looks,
)

BAR = 0.46  # of the distance between two bars
EDGE, PALE = "0.55", "0.97"
CHARACTER = 0.0095  # width of a character of a label, in units of the score axis
MAX_LABEL = 12
LOWEST = -0.5  # lower scores are drawn as arrows at the left end

Row = Mapping[Any, Any]


def ladder_figure(
    cards: pd.DataFrame,
    thresholds: pd.DataFrame | None = None,
) -> tuple[Figure, pd.DataFrame]:
    """Draw one bar per measure, with what a score guarantees, chance, ceiling, and the models.

    Parameters
    ----------
    cards : DataFrame
        Score cards of one reference; columns measure, score and, where known, dataset, model,
        score_low, score_high, null_low, null_high, p (or p_corrected), ceiling_low, ceiling_high
        (or ceiling), subject_ceiling_low, subject_ceiling_high, subject_ceiling_score.
    thresholds : DataFrame, optional
        Of the same reference: columns measure, kind, target, variance_ratio, score_all. Without
        it the bars are pale; with it, those of measures without thresholds are hatched.

    Returns
    -------
    Figure
    DataFrame
        What is shown, see `ladder_table`: for each measure, `element` is `model` (`value` is p),
        `uninformative` (a model that scores 1 because of its width), `chance`, `ceiling`,
        `subjects` (inter-subject ceiling, smallest to largest), `single_subjects` (mean score of
        a model with single subjects), `variable` (lowest `score` at which all seeds decode it) or
        `captured` (`value` is the share of the variance that all seeds have captured at `score`
        or more).
    """
    table = ladder_table(cards, thresholds)
    if table.empty:
        return empty_figure("no measure has a scale that runs up to 1"), table
    measures = list(dict.fromkeys(table.measure))
    looks = model_looks(table.name[table.element.isin(MODELS)])
    row_height = 0.29 + 0.06 * min(len(looks), 6)
    figure, axis = plt.subplots(figsize=(PAGE_WIDTH, 1.15 + row_height * len(measures)))
    drawn = table[table.element.isin(MODELS)]
    left = max(min(0.0, drawn.score.min(), drawn.low.min()), LOWEST)
    for place, measure in enumerate(measures):
        rows = table[table.measure == measure]
        steps = rows[rows.element == "captured"]
        _draw_captured(axis, place, steps, left, compared=thresholds is not None)
        _draw_chance(axis, place, rows[rows.element == "chance"], looks, left)
        _draw_ceiling(axis, place, rows[rows.element == "ceiling"])
        _draw_ceiling(axis, place, rows[rows.element == "subjects"], SUBJECTS, "--")
        _draw_single_subjects(axis, place, rows[rows.element == "single_subjects"], looks)
        _draw_variables(axis, place, rows[rows.element == "variable"])
        _draw_models(axis, place, rows[rows.element.isin(MODELS)], looks, left)
    axis.set(xlim=(left - 0.01, 1.01), ylim=(len(measures) - 0.4, -0.55), xlabel="score")
    axis.set_yticks(range(len(measures)), [measure_label(name) for name in measures])
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    if len(looks) == 1:
        _write_numbers(axis, table, measures)
    add_legends(figure, axis, table, looks, compared=thresholds is not None)
    dataset = table.dataset.iloc[0]
    if dataset:
        axis.set_title(dataset_label(dataset), loc="left", fontweight="bold")
    return figure, table


def _draw_captured(
    axis: Axes, place: int, steps: pd.DataFrame, left: float, *, compared: bool
) -> None:
    """Shade the bar by the share of variance that all seeds have captured; hatch it if unknown."""
    low, high = place - BAR / 2, place + BAR / 2
    if len(steps):
        edges = np.append(steps.score.clip(lower=left).to_numpy(), 1.0)
        shares = steps.value.to_numpy()[None]
        axis.pcolormesh(edges, [low, high], shares, cmap=SHARES, norm=NORM, zorder=0)
    else:
        fill: dict[str, Any] = (
            {"facecolor": "white", "edgecolor": "0.88", "hatch": "////"}
            if compared
            else {"facecolor": PALE, "edgecolor": PALE}
        )
        axis.add_patch(Rectangle((left, low), 1 - left, BAR, linewidth=0, zorder=0, **fill))
    frame = Rectangle((left, low), 1 - left, BAR, facecolor="none", edgecolor=EDGE, linewidth=0.5)
    frame.set_zorder(1)
    axis.add_patch(frame)


def _offsets(n: int) -> np.ndarray:
    """Return where models are within a bar, from its middle."""
    return (np.arange(n) - (n - 1) / 2) * BAR / max(n, 1)


def _draw_chance(
    axis: Axes, place: int, bands: pd.DataFrame, looks: Mapping[str, Any], left: float
) -> None:
    """Draw the scores of shuffled conditions; an arrow where they extend beyond the axis."""
    height = BAR / len(looks)
    for name, offset in zip(looks, _offsets(len(looks)), strict=True):
        for row in bands[bands.name == name].to_dict("records"):
            low, high = max(row["low"], left), max(row["high"], left)
            corner = (low, place + offset - height / 2)
            band = Rectangle(corner, high - low, height, color=CHANCE, linewidth=0, zorder=2)
            axis.add_patch(band)
            if row["low"] < left:
                axis.plot(
                    left - 0.006,
                    place + offset,
                    marker="<",
                    color=CHANCE,
                    markersize=4,
                    markeredgewidth=0,
                    clip_on=False,
                )


def _draw_ceiling(
    axis: Axes, place: int, ceilings: pd.DataFrame, colour: str = CEILING, style: str = "-"
) -> None:
    top = place - BAR / 2
    for low, high in ceilings[["low", "high"]].clip(upper=1).drop_duplicates().to_numpy():
        axis.plot(
            [low, low, high, high],
            [top - 0.02, top - 0.1, top - 0.1, top - 0.02],
            color=colour,
            linestyle=style,
            linewidth=1.1,
            solid_joinstyle="miter",
            zorder=3,
        )


def _draw_single_subjects(
    axis: Axes, place: int, models: pd.DataFrame, looks: Mapping[str, Any]
) -> None:
    """Mark each model's mean score with single subjects at the height of the bracket."""
    for row in models.to_dict("records"):
        colour, marker = looks[row["name"]]
        at = (row["score"], place - BAR / 2 - 0.1)
        style = {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 0.8}
        axis.plot(*at, marker=marker, markersize=3, linestyle="none", zorder=4, **style)


def _draw_variables(axis: Axes, place: int, variables: pd.DataFrame) -> None:
    """Mark where each variable is decoded, with labels below the bar that do not overlap."""
    ordered = variables.sort_values("score").to_dict("records")
    names = [_short(str(row["name"])) for row in ordered]
    positions = _spread([row["score"] for row in ordered], names)
    low = place + BAR / 2
    for row, name, at in zip(ordered, names, positions, strict=True):
        for colour, width in (("white", 1.8), ("black", 0.8)):
            axis.plot([row["score"]] * 2, [place - BAR / 2, low], color=colour, linewidth=width)
        axis.plot([row["score"], at], [low, low + 0.07], color="black", linewidth=0.4)
        axis.text(at, low + 0.08, name, ha="center", va="top", fontsize=6)


def _short(name: str) -> str:
    return name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1]}…"


def _spread(positions: list[float], names: list[str]) -> list[float]:
    """Move labels apart, from left to right and back from the right end."""
    widths = [CHARACTER * len(name) + 0.012 for name in names]
    placed = list(positions)
    for index in range(1, len(placed)):
        gap = (widths[index - 1] + widths[index]) / 2
        placed[index] = max(placed[index], placed[index - 1] + gap)
    limit = 1.0
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], limit - widths[index] / 2)
        limit = placed[index] - widths[index] / 2
    return placed


def _draw_models(
    axis: Axes, place: int, models: pd.DataFrame, looks: Mapping[str, Any], left: float
) -> None:
    for (name, (colour, marker)), offset in zip(looks.items(), _offsets(len(looks)), strict=True):
        for row in models[models.name == name].to_dict("records"):
            y, score = place + offset, max(row["score"], left)
            ends = np.clip([row["low"], row["high"]], left, 1)
            for shade, width in (("white", 2.2), (colour, 1.1)):
                axis.plot(ends, [y, y], color=shade, linewidth=width, zorder=5)
            better = row["element"] == "model" and not row["value"] > SIGNIFICANT
            axis.plot(
                score,
                y,
                marker="<" if row["score"] < left else marker,
                markersize=4,
                markerfacecolor=colour if better else "white",
                markeredgecolor="white" if better else colour,
                markeredgewidth=0.5 if better else 0.9,
                linestyle="none",
                zorder=6,
            )


def _write_numbers(axis: Axes, table: pd.DataFrame, measures: list[str]) -> None:
    """Write score, interval and p to the right of each bar."""
    models = table[table.element.isin(MODELS)].set_index("measure")
    for place, measure in enumerate(measures):
        row = models.loc[measure]
        text = f"{row.score:.2f}"
        if pd.notna(row.low) and pd.notna(row.high):
            text += f", corrected [{row.low:.2f}, {row.high:.2f}]"
        if pd.notna(row.value):
            text += f"  p = {row.value:.2g}"
        axis.annotate(
            text.replace("-", "−"),
            (1, place),
            xycoords=axis.get_yaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=6,
        )
