"""Targeted dimensionality reduction recovers axes that are known."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex

from scorebounds.core.recording import recording
from scorebounds.decoding.targeted import VARIABLES, signs, targeted_axes, targeted_trajectories
from scorebounds.figures.targeted import COLOURS, targeted_figure

N_TIMES, N_NEURONS = 10, 30
LABELS = {
    "choice": ("left", "right"),
    "motion": ("left", "right"),
    "colour": ("red", "green"),
    "context": ("colour", "motion"),
}


@pytest.fixture(scope="module")
def made():
    """Return a recording in which each variable has one axis and time course, and these axes."""
    rng = np.random.default_rng(0)
    # Twice each combination of motion, colour, context, and either choice in half of them.
    rows = [*itertools.product((-1, 1), repeat=4)] * 2
    design = np.array(rows, dtype=float)
    axes = np.linalg.qr(rng.standard_normal((N_NEURONS, 4)))[0]
    courses = np.stack([np.linspace(0, 1, N_TIMES) ** power for power in (2, 1, 0.5, 0.1)], 1)
    activity = np.einsum("tv,cv,nv->tcn", courses, design, axes)
    activity += 0.02 * rng.standard_normal(activity.shape)
    labels = {
        name: np.where(design[:, place] > 0, LABELS[name][1], LABELS[name][0])
        for place, name in enumerate(VARIABLES)
    }
    array = recording(activity, labels, time=np.arange(N_TIMES)).assign_attrs(dataset="made")
    return array, axes, design


def test_axes_are_those_of_the_variables(made):
    array, axes, design = made
    values = array.values - array.values.mean((0, 1))
    found = targeted_axes(values, design)
    assert np.allclose(found.T @ found, np.eye(4))
    assert np.allclose((found * axes).sum(0), 1, atol=0.01)


def test_a_correlated_variable_does_not_get_the_axis_of_another():
    rng = np.random.default_rng(1)
    first = rng.choice([-1.0, 1.0], 200)
    second = np.where(rng.random(200) < 0.8, first, -first)
    axes = np.linalg.qr(rng.standard_normal((N_NEURONS, 2)))[0]
    activity = (first[:, None] * axes[:, 0] + 0.5 * second[:, None] * axes[:, 1])[None]
    found = targeted_axes(activity - activity.mean((0, 1)), np.column_stack([first, second]))
    assert np.allclose((found * axes).sum(0), 1, atol=1e-6)


def test_trajectories_separate_each_variable_along_its_own_axis(made):
    table = targeted_trajectories(made[0])
    assert len(table) == N_TIMES * 16
    last = table[table.time == N_TIMES - 1]
    for name in VARIABLES:
        higher = LABELS[name][1]
        along = last.groupby(name)[f"{name}_axis"].mean()
        assert along[higher] > 1
        assert along[higher] == pytest.approx(-along.drop(higher).item(), rel=0.1)
        others = [other for other in VARIABLES if other != name]
        across = last.groupby(name)[[f"{other}_axis" for other in others]].mean()
        assert np.abs(across.to_numpy()).max() < 0.3 * along[higher]


def test_variables_need_two_classes(made):
    array = made[0].assign_coords(choice=("condition", ["left"] * made[0].sizes["condition"]))
    with pytest.raises(ValueError, match="expected two classes of 'choice', got 1"):
        signs(array, "choice")


def test_figure_draws_each_combination_of_choice_evidence_and_context(made):
    table = targeted_trajectories(made[0])
    figure, shown = targeted_figure(table)
    assert shown is table
    first = figure.axes[0]
    # Eight paths with a dot each, and two lines through zero.
    assert len(first.lines) == 18
    rows = table[
        (table.motion == "right") & (table.context == "motion") & (table.choice == "right")
    ]
    expected = rows.groupby("time")[["choice_axis", "motion_axis"]].mean().to_numpy()
    paths = [line for line in first.lines if np.allclose(line.get_xydata().shape, expected.shape)]
    (drawn,) = [line for line in paths if np.allclose(line.get_xydata(), expected)]
    assert to_hex(drawn.get_color()).upper() == COLOURS[1]
    assert drawn.get_linestyle() == "-"
