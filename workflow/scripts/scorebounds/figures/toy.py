"""Figure and animation of the toy: synthetic data of two neurons turn into the reference."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.core.measure_table import measure_label
from scorebounds.figures.style import OFF_SCALE, PAGE_WIDTH

FAN_COLOURS = {"left": "#0072B2", "right": "#D55E00"}
COMPONENT_LOOKS: dict[int, tuple[str, Any]] = {1: ("#000000", "-"), 2: ("#009E73", "--")}
N_SHOWN = 5
FRAMES_PER_SECOND = 4
N_LAST_FRAMES = 6  # the end stands still for a while
GIF_DPI = 90


def toy_figure(curves: pd.DataFrame, frames: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Draw capture along the score, and the data at a few scores, a row per measure.

    Parameters
    ----------
    curves : DataFrame
        Columns measure, target, score, r2_mean, r2_sd.
    frames : DataFrame
        Columns measure, frame, score, time, condition, fan, x, y, reference_x, reference_y.
    """
    names = list(dict.fromkeys(frames.measure))
    figure, grid = plt.subplots(
        len(names),
        1 + N_SHOWN,
        figsize=(PAGE_WIDTH, 0.4 + 1.25 * len(names)),
        squeeze=False,
        gridspec_kw={"width_ratios": [1.5, *[1] * N_SHOWN]},
    )
    for row, name in zip(grid, names, strict=True):
        of_capture = curves[curves.measure == name]
        _draw_capture(row[0], of_capture)
        if name in OFF_SCALE and len(of_capture):
            row[0].set_xlim(of_capture.score.iloc[0], of_capture.score.iloc[-1])
        row[0].set_ylabel("R² of the PC")
        row[0].set_title(measure_label(name), fontsize=7, fontweight="bold")
        of_measure = frames[frames.measure == name]
        last = of_measure.frame.max()
        chosen = np.unique(np.linspace(0, last, N_SHOWN).round().astype(int))
        for spare in row[1 : 1 + N_SHOWN - len(chosen)]:
            spare.set_visible(False)
        for axis, frame in zip(row[-len(chosen) :], chosen, strict=True):
            shown = of_measure[of_measure.frame == frame]
            _draw_trajectories(axis, shown)
            axis.set_title(f"score {shown.score.iloc[0]:.2f}", fontsize=6)
    grid[-1][0].set_xlabel("score")
    handles = [
        Line2D([], [], color=colour, linestyle=style, label=f"PC {component}")
        for component, (colour, style) in COMPONENT_LOOKS.items()
    ]
    handles += [
        Line2D([], [], color="0.75", label="reference"),
        *(
            Line2D([], [], color=colour, marker="o", markersize=2, label=f"synthetic, {fan} fan")
            for fan, colour in FAN_COLOURS.items()
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure, curves


def save_animation(frames: pd.DataFrame, path: str) -> None:
    """Write a GIF in which the synthetic data of each measure turn into the reference.

    Parameters
    ----------
    frames : DataFrame
        As for `toy_figure`.
    path : str
    """
    chosen = frames_at_common_scores(frames)
    figure = plt.figure(figsize=(PAGE_WIDTH, 3.0))
    grid = figure.add_gridspec(2, len(chosen), height_ratios=[1, 0.06])
    axes = [figure.add_subplot(grid[0, column]) for column in range(len(chosen))]
    bar = figure.add_subplot(grid[1, :])

    def draw(number: int) -> list[Artist]:
        shares = []
        for axis, (name, numbers) in zip(axes, chosen.items(), strict=True):
            axis.clear()
            of_measure = frames[frames.measure == name]
            shown = of_measure[of_measure.frame == numbers[min(number, len(numbers) - 1)]]
            _draw_trajectories(axis, shown)
            score = shown.score.iloc[0]
            axis.set_title(f"{measure_label(name)}: {score:.2f}")
            shares.append(score)
        bar.clear()
        bar.barh(0, np.mean(shares), color="0.4")
        bar.set(xlim=(0, 1), yticks=[], xlabel="score (mean of the panels)")
        return []

    n_frames = max(map(len, chosen.values()))
    animation = FuncAnimation(figure, draw, frames=n_frames + N_LAST_FRAMES)
    animation.save(path, writer=PillowWriter(fps=FRAMES_PER_SECOND), dpi=GIF_DPI)
    plt.close(figure)


def frames_at_common_scores(frames: pd.DataFrame) -> dict[str, list[int]]:
    """Choose the frames of each measure so that all panels are at about the same score at a time.

    Measures whose scale does not run up to 1 have no common score: their frames come in order.

    Returns
    -------
    dict of str to list of int
        By measure, the numbers of its frames, one for each step of the animation.
    """
    scores = {
        str(name): rows.groupby("frame").score.first()
        for name, rows in frames.groupby("measure", sort=False)
    }
    if OFF_SCALE & set(scores):
        return {name: [int(number) for number in of.index] for name, of in scores.items()}
    lowest = min(of.min() for of in scores.values())
    highest = max(of.max() for of in scores.values())
    levels = np.linspace(lowest, highest, max(len(of) for of in scores.values()))
    return {
        name: [int((of - level).abs().idxmin()) for level in levels] for name, of in scores.items()
    }


def _draw_capture(axis: Axes, table: pd.DataFrame) -> None:
    for component, (colour, style) in COMPONENT_LOOKS.items():
        rows = table[table.target == component]
        spread = rows.r2_sd.fillna(0)
        axis.fill_between(
            rows.score,
            rows.r2_mean - spread,
            rows.r2_mean + spread,
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
        axis.plot(rows.score, rows.r2_mean, color=colour, linestyle=style)
    axis.set(xlim=(0, 1), ylim=(0, 1.03))


def _draw_trajectories(axis: Axes, table: pd.DataFrame) -> None:
    for _, rows in table.groupby("condition"):
        axis.plot(rows.reference_x, rows.reference_y, color="0.75", linewidth=0.8, zorder=0)
        colour = FAN_COLOURS[rows.fan.iloc[0]]
        axis.plot(rows.x, rows.y, color=colour, marker="o", markersize=1.3, linewidth=0.6)
    axis.spines[:].set_visible(False)
    limit = 1.6 * table.reference_x.abs().max()
    axis.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal")
