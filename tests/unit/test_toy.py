"""The toy with two neurons: its data, what is captured first, and the animation."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from scorebounds.core.recording import samples_by_neurons
from scorebounds.datasets import loaders
from scorebounds.figures.style import use_style
from scorebounds.figures.toy import frames_at_common_scores, save_animation, toy_figure
from scorebounds.measures import registry
from scorebounds.optimization.optimize import optimize, starting_points
from scorebounds.optimization.toy import align, capture_curves, snapshots
from scorebounds.optimization.trajectories import to_dataset

MEASURES = ("cka", "procrustes_angular")


@pytest.fixture(scope="module")
def fans():
    array = loaders.load("two-fans", [], seed=0, settings={}, custom=False)
    return array.assign_attrs(dataset="two-fans")


@pytest.fixture(scope="module")
def optimised(fans):
    """Optimise towards each measure from three starts, as the workflow does."""
    x, stored = torch.from_numpy(samples_by_neurons(fans)), {}
    for name in MEASURES:
        starts = starting_points(x.shape, 0, ("two-fans", name), 3)
        trajectories, components = optimize(
            x,
            registry.load(name),
            starts,
            stop_score=0.99,
            max_steps=500,
            learning_rate=0.1,
            n_checkpoints=6,
        )
        attrs = {"measure": name, "direction": 1}
        stored[name] = to_dataset(trajectories, components.variance_ratio.numpy(), attrs)
    return stored


def test_two_fans_leave_the_origin_in_opposite_directions(fans):
    assert fans.dims == ("time", "condition", "neuron")
    assert fans.shape == (10, 6, 2)
    assert fans.fan.values.tolist() == ["left"] * 3 + ["right"] * 3
    flat = samples_by_neurons(fans)
    spread = np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2
    assert 0.02 < spread[1] / spread.sum() < 0.1
    starts, ends = np.linalg.norm(fans.values[0], axis=1), np.linalg.norm(fans.values[-1], axis=1)
    assert (starts < 0.15 * ends).all()
    left, right = fans.values[-1, :3].mean(0), fans.values[-1, 3:].mean(0)
    np.testing.assert_allclose(left, -right, atol=1e-12)


def test_data_with_a_cka_of_95_do_not_contain_the_second_component(optimised):
    curves = pd.concat([capture_curves(stored) for stored in optimised.values()])
    at_95 = curves[curves.score >= 0.95].groupby(["measure", "target"]).r2_mean.first()
    assert at_95["cka", 1] > 0.9
    assert at_95["cka", 2] < 0.2
    assert at_95["procrustes_angular", 2] > 0.8
    assert curves.r2_sd.ge(0).all()


def test_snapshots_turn_into_the_reference(fans, optimised):
    shown = snapshots(optimised["procrustes_angular"], fans)
    assert shown.groupby("frame").score.first().is_monotonic_increasing
    offset = shown[["x", "y"]].to_numpy() - shown[["reference_x", "reference_y"]].to_numpy()
    distance = pd.Series(np.linalg.norm(offset, axis=1)).groupby(shown.frame.to_numpy()).mean()
    assert distance.iloc[-1] < 0.1 * distance.iloc[0]


def test_without_checkpoints_the_final_data_are_the_only_frame(fans, optimised):
    whole = optimised["cka"]
    bare = whole.drop_vars([name for name in whole if name.startswith("checkpoint")])
    shown, last = snapshots(bare, fans), snapshots(whole, fans)
    last = last[last.frame == last.frame.max()]
    assert shown.frame.unique().tolist() == [0]
    assert shown.score.iloc[0] == pytest.approx(last.score.iloc[0])
    np.testing.assert_allclose(shown[["x", "y"]], last[["x", "y"]])
    figure, _ = toy_figure(capture_curves(bare), shown)
    assert [axis.get_visible() for axis in figure.axes] == [True, *[False] * 4, True]
    plt.close(figure)


def test_curves_of_a_distance_fall_and_runs_of_one_step_have_none(optimised):
    rising = optimised["cka"]
    falling = rising.assign(score=-rising.score).assign_attrs(direction=-1)
    expected, curves = capture_curves(rising), capture_curves(falling)
    assert curves.score.tolist() == pytest.approx((-expected.score).tolist())
    assert curves.r2_mean.tolist() == pytest.approx(expected.r2_mean.tolist())
    assert list(capture_curves(rising.isel(step=[0]))) == list(expected)
    assert capture_curves(rising.isel(step=[0])).empty


def test_align_undoes_rotation_scale_and_offset():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 2))
    x -= x.mean(0)
    turned = 3 * x @ np.linalg.qr(rng.standard_normal((2, 2)))[0] + 5
    np.testing.assert_allclose(align(x, turned), x, atol=1e-12)


def test_panels_of_the_animation_are_at_about_the_same_score(fans, optimised):
    frames = pd.concat([snapshots(stored, fans) for stored in optimised.values()])
    chosen = frames_at_common_scores(frames)
    assert set(chosen) == set(MEASURES)
    scores = {
        name: frames[frames.measure == name].groupby("frame").score.first()[numbers].to_numpy()
        for name, numbers in chosen.items()
    }
    one, other = scores.values()
    assert len(one) == len(other)
    assert np.abs(one - other).max() < 0.25  # six checkpoints over a range of 1
    by_frame = frames.assign(measure="procrustes_distance")
    assert frames_at_common_scores(by_frame)["procrustes_distance"][:2] == [0, 1]


def test_animation_is_reproducible(fans, optimised, tmp_path):
    frames = pd.concat([snapshots(stored, fans) for stored in optimised.values()])
    use_style()
    for name in ("one.gif", "two.gif"):
        save_animation(frames, str(tmp_path / name))
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "two.gif").read_bytes()
    with Image.open(tmp_path / "one.gif") as made:
        assert made.n_frames >= frames.frame.max()
