"""Dynamical similarity: properties that are published, brute force, and another implementation."""

import math

import numpy as np
import pytest
import torch

import scorebounds as sb
from scorebounds.measures import dynamics, registry
from scorebounds.measures.pair import Reference
from scorebounds.optimization.cross_scores import score_with_all

RNG = np.random.default_rng(0)


def course(rates, seed, *, n_times=30, n_conditions=8, width=5, noise=0.1):
    """Return neurons that read damped rotations of these rates from random initial states."""
    rng = np.random.default_rng(seed)
    operator = np.zeros((2 * len(rates), 2 * len(rates)))
    for place, rate in enumerate(rates):
        block = [[np.cos(rate), -np.sin(rate)], [np.sin(rate), np.cos(rate)]]
        operator[2 * place : 2 * place + 2, 2 * place : 2 * place + 2] = 0.98 * np.array(block)
    states = [rng.normal(size=(n_conditions, len(operator)))]
    for _ in range(n_times - 1):
        states.append(states[-1] @ operator.T)
    activity = np.array(states) @ rng.normal(size=(len(operator), width))
    return activity + noise * rng.normal(size=activity.shape)


X, OTHER = course((0.3, 0.8), 1), course((0.5, 1.2), 2)


def operator_of(activity, rank):
    measure = registry.load("dsa")
    rows = torch.from_numpy(activity.reshape(-1, activity.shape[-1]))
    folds = measure.folds(rows, np.tile(np.arange(activity.shape[1]), len(activity)))
    reference = Reference(folds.arrange(rows), folds)
    return dynamics._operator(reference, dynamics._lengths(reference), rank).numpy()


def test_the_operator_is_that_of_least_squares_on_delays():
    x = X - X.mean((0, 1))
    # The present first, then the five times before it.
    rows = [
        np.concatenate([x[time - lag, condition] for lag in range(6)])
        for condition in range(8)
        for time in range(5, 30)
    ]
    states = np.linalg.svd(np.array(rows), full_matrices=False)[0][:, :4].reshape(8, 25, 4)
    before, after = (part.reshape(-1, 4) for part in (states[:, :-1], states[:, 1:]))
    expected = np.linalg.lstsq(before, after, rcond=None)[0].T
    # Singular vectors have no sign.
    np.testing.assert_allclose(np.abs(operator_of(X, 4)), np.abs(expected), atol=1e-10)


def test_the_angle_is_that_of_another_implementation():
    """Of dsa-metric 2.0.2 (the authors' package): the best of three runs of 3000 steps."""
    angle = (1 - sb.score(X, OTHER, "dsa")) * math.pi / 2
    assert angle == pytest.approx(0.53048, abs=0.0005)
    assert angle < 0.53048


@pytest.mark.parametrize("seed", range(4))
def test_the_best_rotation_in_the_plane_is_found(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 2, 2))
    angles = np.linspace(0, 2 * np.pi, 20001)
    best = -np.inf
    for sign in (1, -1):
        c = np.array(
            [[np.cos(angles), -sign * np.sin(angles)], [np.sin(angles), sign * np.cos(angles)]]
        )
        turned = np.einsum("ijn,jk,lkn->nil", c, b, c)
        best = max(best, (a * turned).sum((1, 2)).max())
    found = dynamics.aligned_product(torch.from_numpy(a), torch.from_numpy(b)).item()
    assert found == pytest.approx(best, abs=1e-6)
    assert found >= best - 1e-12


def test_another_basis_unit_offset_or_order_of_conditions_changes_nothing():
    rotation = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
    assert sb.score(X, X, "dsa") == pytest.approx(1, abs=1e-6)
    assert sb.score(X, 3 * X @ rotation + 2, "dsa") == pytest.approx(1, abs=1e-5)
    score = sb.score(X, OTHER, "dsa")
    assert sb.score(OTHER, X, "dsa") == pytest.approx(score, abs=1e-4)
    assert sb.score(X[:, ::-1], OTHER @ rotation, "dsa") == pytest.approx(score, abs=1e-4)


def test_equal_dynamics_of_other_geometry_score_higher_than_other_dynamics():
    same = sb.score(X, course((0.3, 0.8), 5, width=7), "dsa")
    assert same > sb.score(X, OTHER, "dsa") + 0.1
    assert sb.score(X, course((0.3, 0.8), 5, width=7), "cka") < 0.6


def test_equal_geometry_with_other_dynamics_is_told_apart():
    """The times of each condition in another order: CKA with paired times is 1."""
    order = RNG.permutation(30)
    assert sb.score(X[order], X[order], "cka") == pytest.approx(1)
    assert sb.score(X, X[order], "dsa") < 0.8


def test_it_needs_trajectories():
    rows = X.reshape(-1, 5)
    with pytest.raises(ValueError, match="DSA needs trajectories: give recording and model of sha"):
        sb.score(rows, rows, "dsa")
    with pytest.raises(ValueError, match="at least 5 times in each trajectory, got 4"):
        sb.score(X[:4], OTHER[:4], "dsa")
    named = sb.score(rows, OTHER.reshape(-1, 5), "dsa", groups=np.tile(np.arange(8), 30))
    assert named == pytest.approx(sb.score(X, OTHER, "dsa"), abs=1e-6)


def test_the_card_states_the_score_without_a_verdict():
    card = sb.card(X, OTHER, ["cka", "dsa"], n_permutations=19, groups=np.repeat([0, 1], 4))
    row = card.table.set_index("measure").loc["dsa"]
    assert row.score == pytest.approx(sb.score(X, OTHER, "dsa"), abs=1e-6)
    assert row.verdict == "not compared with chance"
    assert "does not pair conditions" in row.sentence
    assert np.isnan([row.p, row.score_low, row.ceiling]).all()
    assert "No verdict by DSA (not compared with chance)." in card.headline
    assert "DSA does not pair conditions and was not compared with chance." in card.methods()
    flat = sb.card(X[0], OTHER[0], ["cka", "dsa"], n_permutations=19).table.set_index("measure")
    assert flat.verdict["dsa"] == "not defined"


def test_optimised_data_of_a_recording_over_time_are_scored_by_its_trajectories():
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(12 * 4, 6, dtype=torch.float64, generator=generator)
    y = torch.randn(2, 12 * 4, 5, dtype=torch.float64, generator=generator)
    condition = torch.arange(4).repeat(12)
    table = score_with_all(x, {"cka": y}, ["dsa", "cka"], condition).set_index("measure")
    expected = registry.load("dsa").score(x, y[1], groups=condition).item()
    assert table.score["dsa"].iloc[1] == pytest.approx(expected)
    assert table.score["cka"].iloc[1] == pytest.approx(registry.load("cka").score(x, y[1]).item())
    without = score_with_all(x, {"cka": y}, ["dsa"])
    assert without.score.isna().all()
    assert without.note.str.contains("DSA needs trajectories").all()
