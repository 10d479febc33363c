"""Gradient ascent and the capture of components."""

import numpy as np
import pytest
import torch
import xarray as xr
from sklearn.linear_model import LinearRegression
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from scorebounds.core.measure_table import entry_of
from scorebounds.core.random import derived_seed
from scorebounds.measures import registry
from scorebounds.measures.base import Measure
from scorebounds.measures.components import principal_components
from scorebounds.measures.pair import Pair, Reference
from scorebounds.optimization.adam import Adam
from scorebounds.optimization.capture import captured_variance
from scorebounds.optimization.optimize import optimize, starting_points
from scorebounds.optimization.recordings import optimize_recording
from scorebounds.optimization.summary import summarize_trajectories
from scorebounds.optimization.trajectories import to_dataset

DIFFERENTIABLE = [name for name in registry.names() if registry.load(name).differentiable]
SETTINGS = {"stop_score": 0.99, "max_steps": 400, "learning_rate": 0.1, "n_checkpoints": 8}
SHAPES = [(50, 7, 50), (11, 31, 31)]


def is_narrow_kernel(name):
    """Tell whether a kernel sees next to nothing of samples far apart, and has no slope there."""
    entry = entry_of(name)
    return entry.id == "cka_rbf_<fraction>" and float(entry.parameter(name)) <= 0.4


def reference(n=40, p=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, p, generator=generator, dtype=torch.float64)
    return x * 0.6 ** torch.arange(p)


def optimized(name="cka", x=None, n_seeds=3, **changed):
    x = reference() if x is None else x
    starts = starting_points(tuple(x.shape), 0, ("test", name), n_seeds)
    return optimize(x, registry.load(name), starts, **{**SETTINGS, **changed})


def test_components_are_those_of_the_covariance():
    x = reference()
    components = principal_components(x)
    covariance = np.cov(x.numpy(), rowvar=False)
    expected = np.linalg.eigvalsh(covariance)[::-1]
    assert components.eigenvalues.numpy() / (len(x) - 1) == pytest.approx(expected)
    assert components.variance_ratio.sum().item() == pytest.approx(1)
    gram = components.scores @ components.scores.T
    centred = x - x.mean(0)
    torch.testing.assert_close(gram, centred @ centred.T)


def test_components_stop_at_the_rank():
    x = reference(p=3) @ torch.ones(3, 5, dtype=torch.float64).tril()
    assert principal_components(x).scores.shape == (40, 3)


def test_rounding_of_single_precision_is_no_component():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 5, generator=generator, dtype=torch.float64)
    x = x @ torch.randn(5, 60, generator=generator, dtype=torch.float64)
    assert len(principal_components(x).eigenvalues) == 5
    assert len(principal_components(x.float().double()).eigenvalues) == 5


@pytest.mark.parametrize("width", [4, 60])
def test_captured_variance_is_the_r2_of_each_component(width):
    components = principal_components(reference())
    generator = torch.Generator().manual_seed(1)
    y = torch.randn(2, 40, width, generator=generator, dtype=torch.float64)
    y[..., 0] += components.scores[:, 1]
    pair = Pair(Reference(components.scores), y)
    captured = captured_variance(pair, components).numpy()
    for batch in range(2):
        for index in range(6):
            target = components.scores[:, index].numpy()
            fitted = LinearRegression().fit(y[batch].numpy(), target)
            expected = fitted.score(y[batch].numpy(), target)
            assert captured[batch, index] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", [*filter(is_narrow_kernel, DIFFERENTIABLE)])
def test_every_seed_raises_the_score_of_a_narrow_kernel(name):
    trajectories, _ = optimized(name, max_steps=100)
    assert all(trajectory.score[-1] > trajectory.score[0] + 0.03 for trajectory in trajectories)


@pytest.mark.parametrize("name", [name for name in DIFFERENTIABLE if not is_narrow_kernel(name)])
def test_every_seed_reaches_the_score(name):
    measure = registry.load(name)
    goal = measure.target_score(0.99, Reference(reference()))
    goal_to_reach = goal if measure.higher_is_closer else -goal
    trajectories, components = optimized(name, max_steps=3000)
    for trajectory in trajectories:
        assert trajectory.stop_reason == "reached"
        signed_score = np.array(trajectory.score) * (1 if measure.higher_is_closer else -1)
        assert signed_score[-1] >= goal_to_reach > max(signed_score[:-1], default=-np.inf)
        assert trajectory.captured.shape == (len(trajectory.score), 6)
    assert components.variance_ratio[0] > components.variance_ratio[-1]


def test_measures_without_a_perfect_score_of_one_stop_at_a_share_of_their_scale():
    x = reference()
    of_x = Reference(x)
    assert registry.load("cka").target_score(0.99, of_x) == 0.99
    squared_norm = of_x.squared_norm.item()
    distance = registry.load("procrustes_distance").target_score(0.99, of_x)
    assert distance == pytest.approx(0.01 * squared_norm**0.5)
    hsic = registry.load("hsic")
    assert hsic.target_score(0.99, of_x) == pytest.approx(0.99 * hsic.score(x, x).item())


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_trajectory_of_a_seed_does_not_depend_on_the_others_in_the_batch(name):
    x = reference()
    starts = starting_points(tuple(x.shape), 0, ("test", name), 2)
    together, _ = optimize(x, registry.load(name), starts, **SETTINGS)
    for index, start in enumerate(starts):
        (alone,), _ = optimize(x, registry.load(name), start[None], **SETTINGS)
        assert alone.stop_reason == together[index].stop_reason
        assert alone.score == pytest.approx(together[index].score, abs=1e-6)


def test_seeds_that_are_optimised_one_after_the_other_give_the_same_dataset():
    x = reference()
    recording = xr.DataArray(x, dims=("sample", "neuron"), attrs={"dataset": "a", "variables": []})
    settings = {**SETTINGS, "seed": 0, "n_seeds": 3, "n_checkpoints": 0}
    together = optimize_recording(x, recording, "cka", **settings)
    parts = optimize_recording(x, recording, "cka", **settings, n_at_once=2)
    xr.testing.assert_allclose(parts, together, rtol=1e-6)
    assert parts.attrs == together.attrs


@pytest.mark.parametrize("name", ["cka", "nbs", "linreg", "svcca", "svcca_r2_0.9"])
def test_single_precision_changes_thresholds_by_less_than_a_tenth_of_the_spread_of_seeds(name):
    x = reference()
    recording = xr.DataArray(x, dims=("sample", "neuron"), attrs={"dataset": "a", "variables": []})
    settings = {**SETTINGS, "seed": 0, "n_seeds": 3, "n_checkpoints": 0}
    double, single = (
        summarize_trajectories(
            optimize_recording(x, recording, name, **settings, precision=precision)
        )["seeds"].set_index(["target", "seed"])
        for precision in ("double", "single")
    )
    difference = (double.score - single.score).abs()
    assert 0 < difference.max() < 0.1 * double.score.groupby("target").std().max()


def test_an_update_does_not_depend_on_the_layout_of_the_gradient():
    slope = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    updated = []
    for gradient in (slope, slope.mT.contiguous().mT):
        values = torch.zeros(2, 4, 3)
        Adam(values, 0.1).step(values, gradient)
        updated.append(values)
    assert torch.equal(*updated)
    assert torch.equal(updated[0].sign(), -slope.sign())


def test_updates_are_those_of_the_adam_paper():
    """Score after each update, against Adam written out on the score of n × n Gram matrices."""
    x = reference()
    centring = torch.eye(len(x), dtype=x.dtype) - 1 / len(x)
    k = centring @ x @ x.T @ centring

    def textbook(y):
        gram = centring @ y @ y.T @ centring
        return (k * gram).sum() / (k.norm() * gram.norm())

    (start,) = starting_points(tuple(x.shape), 0, ("test", "cka"), 1)
    y, m, v, scores = start.clone(), 0, 0, []
    for step in range(1, 12):
        y.requires_grad_()
        score = textbook(y)
        scores.append(score.item())
        (gradient,) = torch.autograd.grad(score, y)
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        update = (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
        y = (y + 0.1 * update).detach()
    (trajectory,), _ = optimized(n_seeds=1)
    assert trajectory.score[: len(scores)] == pytest.approx(scores, rel=1e-9)


def test_starting_points_depend_on_seed_and_names_only():
    first, again = optimized()[0], optimized()[0]
    assert [t.score for t in first] == [t.score for t in again]
    a = starting_points((5, 2), 0, ("data", "cka"), 2)
    assert not torch.equal(a[0], a[1])
    assert torch.equal(a, starting_points((5, 2), 0, ("data", "cka"), 5)[:2])
    assert not torch.equal(a, starting_points((5, 2), 0, ("data", "nbs"), 2))
    assert not torch.equal(a, starting_points((5, 2), 1, ("data", "cka"), 2))
    assert derived_seed(0, "a", "b") != derived_seed(0, "ab")


def test_stops_at_the_step_limit():
    trajectories, _ = optimized(max_steps=3)
    assert {t.stop_reason for t in trajectories} == {"step limit"}
    assert {len(t.score) for t in trajectories} == {4}


def test_stops_where_the_gradient_is_not_finite():
    cka = registry.load("cka")

    def broken(pair):
        score = cka.compare(pair)
        return score * torch.where(score > 0.5, torch.nan, 1.0)

    measure = Measure(**{**vars(cka), "compare": broken})
    x = reference()
    starts = starting_points(tuple(x.shape), 0, ("test",), 2)
    trajectories, _ = optimize(x, measure, starts, **SETTINGS)
    assert {t.stop_reason for t in trajectories} == {"not finite"}


def test_measures_that_are_not_invariant_to_rotations_get_x_itself():
    seen = []
    cka = registry.load("cka")

    def watched(pair):
        seen.append(pair.reference.x)
        return cka.compare(pair)

    measure = Measure(**{**vars(cka), "compare": watched, "invariances": frozenset()})
    x = reference()
    starts = starting_points(tuple(x.shape), 0, ("test", "cka"), 1)
    (trajectory,), _ = optimize(x, measure, starts, **SETTINGS)
    torch.testing.assert_close(seen[0], x - x.mean(0))
    (expected,) = optimized(n_seeds=1)[0]
    assert trajectory.score == pytest.approx(expected.score, rel=1e-9)
    assert trajectory.captured == pytest.approx(expected.captured, abs=1e-6)


def test_measures_without_gradient_and_unusable_references_are_refused():
    cka = registry.load("cka")
    measure = Measure(**{**vars(cka), "differentiable": False})
    with pytest.raises(ValueError, match="'cka' has no gradient to follow"):
        optimize(reference(), measure, reference()[None], **SETTINGS)
    with pytest.raises(ValueError, match="constant matrix"):
        optimized(x=torch.ones(40, 6, dtype=torch.float64))


def test_checkpoints_are_evenly_spaced_over_the_score():
    (trajectory,), _ = optimized("procrustes_angular", n_seeds=1)
    steps = list(trajectory.checkpoints)
    scores = [trajectory.score[step] for step in steps]
    assert steps[0] == 0
    assert steps[-1] == len(trajectory.score) - 1
    # Each of the 8 levels from first to last score is kept at its first crossing.
    levels = np.linspace(trajectory.score[0], 0.99, 8)
    crossings = [int(np.argmax(np.array(trajectory.score) >= level)) for level in levels]
    assert steps == sorted(set(crossings))
    x = reference()
    for step, score in zip(steps, scores, strict=True):
        y = torch.from_numpy(trajectory.checkpoints[step]).double()
        again = registry.load("procrustes_angular").score(x, y).item()
        assert again == pytest.approx(score, abs=1e-5)
    assert optimized(n_checkpoints=0)[0][0].checkpoints == {}


def test_dataset_holds_all_seeds():
    trajectories, components = optimized()
    stored = to_dataset(trajectories, components.variance_ratio.numpy(), {"measure": "cka"})
    for seed, trajectory in enumerate(trajectories):
        n = len(trajectory.score)
        assert stored.n_updates.values[seed] == n - 1
        assert stored.score.values[seed, :n].tolist() == trajectory.score
        assert np.isnan(stored.score.values[seed, n:]).all()
        assert (stored.final_activity.values[seed] == trajectory.final).all()
    assert stored.sizes["checkpoint"] == sum(len(t.checkpoints) for t in trajectories)
    assert stored.component.values.tolist() == [1, 2, 3, 4, 5, 6]


class LargestMatrices(TorchDispatchMode):
    """Notes the shapes of all tensors that are made."""

    def __init__(self):
        super().__init__()
        self.shapes = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.shapes |= {
            tuple(leaf.shape[-2:]) for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)
        }
        return result


def test_distances_have_checkpoints_too():
    (trajectory,), _ = optimized("procrustes_distance", n_seeds=1)
    scores = [trajectory.score[step] for step in trajectory.checkpoints]
    assert len(scores) > 4
    assert scores == sorted(scores, reverse=True)


@pytest.mark.filterwarnings("ignore::scorebounds.measures.base.SaturatedScoreWarning")
@pytest.mark.parametrize(
    ("name", "n", "p", "forbidden"),
    [
        (name, *shape)
        for name in DIFFERENTIABLE
        for shape in SHAPES
        if shape[0] != shape[-1] or not entry_of(name).square_matrices
    ],
)
def test_no_square_matrix_of_the_longer_side(name, n, p, forbidden):
    with LargestMatrices() as made:
        optimized(name, x=reference(n, p), n_seeds=2, max_steps=3)
    assert (forbidden, forbidden) not in made.shapes
    assert (n, p) in made.shapes
