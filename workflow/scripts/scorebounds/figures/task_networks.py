"""Figure of networks that were trained on tasks: how they learned, and what they do then."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scorebounds.figures.style import PAGE_WIDTH, add_letters

UNTRAINED = "-untrained"
LOOKS: dict[str, dict[str, Any]] = {
    "rnn-context": {"color": "#0072B2", "marker": "o"},
    "rnn-reaching": {"color": "#D55E00", "marker": "s"},
}
RELEVANT, IRRELEVANT = "#0072B2", "#999999"
EVIDENCE_MARKERS = {"motion": "o", "colour": "^"}
TARGET: dict[str, Any] = {"color": "black", "marker": "x", "linestyle": "none", "markersize": 3}


def task_networks_figure(
    learning: pd.DataFrame, psychometric: pd.DataFrame, stop_accuracy: float
) -> tuple[Figure, pd.DataFrame]:
    """Draw learning curves, choices against coherence, and where reaches end.

    Parameters
    ----------
    learning : DataFrame
        Columns model, step, accuracy.
    psychometric : DataFrame
        Columns model; context, evidence, coherence, share_preferred; end_x, end_y, angle.
    stop_accuracy : float
        At which training ended.
    """
    figure, (left, *choices, right) = plt.subplots(
        1, 4, figsize=(PAGE_WIDTH, 2.3), width_ratios=[1.2, 1, 1, 1.1]
    )
    _draw_learning(left, learning, stop_accuracy)
    decisions = psychometric[psychometric.evidence.notna()]
    for axis, state in zip(choices, ("", UNTRAINED), strict=True):
        _draw_choices(axis, decisions[decisions.model == f"rnn-context{state}"])
        axis.set_title(f"rnn-context{state}")
    choices[0].set_ylabel("preferred choices (%)")
    add_letters([left, *choices, right])
    _draw_reaches(right, psychometric[psychometric.angle.notna()])
    reach = {**LOOKS["rnn-reaching"], "linestyle": "none", "markersize": 4}
    handles = [
        *(
            Line2D([], [], color=colour, marker=marker, markersize=3, label=f"{evidence}, {said}")
            for said, colour in (("relevant", RELEVANT), ("irrelevant", IRRELEVANT))
            for evidence, marker in EVIDENCE_MARKERS.items()
        ),
        Line2D([], [], label="reach, trained", **reach),
        Line2D([], [], label="reach, untrained", **{**reach, "markerfacecolor": "white"}),
        Line2D([], [], label="target", **TARGET),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure, pd.concat([learning, psychometric], ignore_index=True)


def _draw_learning(axis: Axes, learning: pd.DataFrame, stop_accuracy: float) -> None:
    for name, look in LOOKS.items():
        rows = learning[learning.model == name]
        label = f"{name}, {rows.step.max()} updates"
        axis.plot(rows.step, 100 * rows.accuracy, markersize=2.5, label=label, **look)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), fontsize=6)
    axis.axhline(100 * stop_accuracy, color="0.6", linewidth=0.6, linestyle="--", zorder=0)
    axis.set(xlabel="updates", ylabel="held-out trials correct (%)", ylim=(-3, 103))
    axis.set(title="learning", yticks=range(0, 101, 20))


def _draw_choices(axis: Axes, decisions: pd.DataFrame) -> None:
    for (context, evidence), rows in decisions.groupby(["context", "evidence"]):
        axis.plot(
            100 * rows.coherence,
            100 * rows.share_preferred,
            color=RELEVANT if context == evidence else IRRELEVANT,
            marker=EVIDENCE_MARKERS[str(evidence)],
            markersize=3,
        )
    axis.set(xlabel="coherence (%)", ylim=(-3, 103), xticks=[-50, 0, 50])


def _draw_reaches(axis: Axes, reaches: pd.DataFrame) -> None:
    angle = np.deg2rad(reaches.angle.unique())
    # On top, for the reaches of a network that has learned cover the targets.
    axis.plot(np.cos(angle), np.sin(angle), zorder=3, **TARGET)
    look = {**LOOKS["rnn-reaching"], "linestyle": "none", "markersize": 4.5}
    for state, filled in (("", True), (UNTRAINED, False)):
        rows = reaches[reaches.model == f"rnn-reaching{state}"]
        face = {} if filled else {"markerfacecolor": "white"}
        axis.plot(rows.end_x, rows.end_y, **{**look, **face})
    axis.set_aspect("equal")
    axis.set(xlabel="x (target distance = 1)", ylabel="y (target distance = 1)", xticks=[-1, 0, 1])
    axis.set_yticks([-1, 0, 1])
    axis.set_title("ends of reaches")
