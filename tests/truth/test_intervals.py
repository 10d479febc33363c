"""Intervals cover the score of the whole population of conditions and neurons."""

import numpy as np
import pytest

from helpers.coverage import MEASURES, World, interval, interval_of_r2, replicates, simulate
from helpers.worlds import (
    fewest_by_chance,
    latents,
    matched_pair,
    most_by_chance,
    n_draws,
    population,
)
from scorebounds.measures import registry
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.jackknife import jackknife_estimate
from scorebounds.scorecards.replicates import jackknife_replicates
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.score_intervals import has_valid_interval

# Coverage of nominal 95 % intervals: 90 % at least in the worlds of docs/truth.md.
LEAST_COVERAGE = 0.9
# Error over standard error: its root mean square would be 1. Intervals half as wide have 2, and
# scores without correction more.
LARGEST_SPREAD = 1.35
N_DRAWS = n_draws(20)
SHARES = (0.0, 0.55, 0.97)


@pytest.fixture(scope="module")
def of_worlds():
    worlds = {shared: World(n=40, n_neurons=30, units=10, shared=shared) for shared in SHARES}
    return {
        shared: simulate(world, N_DRAWS, int(100 * shared), n_truth=1500)
        for shared, world in worlds.items()
    }


@pytest.mark.parametrize("shared", SHARES)
def test_intervals_cover_the_population(of_worlds, shared):
    errors, standard, covered = of_worlds[shared]
    counts = covered.sum(axis=0)
    assert (counts >= fewest_by_chance(N_DRAWS, LEAST_COVERAGE)).all(), counts
    spread = np.sqrt(np.mean((errors / standard) ** 2, axis=0))
    assert (spread <= LARGEST_SPREAD).all(), spread
    # Intervals are not wide without need: not wider than twice the error.
    assert (spread >= 1 / 2).all(), spread


def test_intervals_of_all_worlds_cover_in_92_to_98_percent(of_worlds):
    """The draws of one world are independent, its measures are not."""
    covered = [each for _, _, each in of_worlds.values()]
    rate, n = np.mean(covered), N_DRAWS * len(SHARES)
    assert fewest_by_chance(n, 0.92) / n <= rate <= most_by_chance(n, 0.98) / n


def test_the_library_has_the_intervals_of_the_formulas():
    """The simulation of coverage computes scores, replicates and intervals by itself."""
    rng = np.random.default_rng(4)
    world = World(n=50, n_neurons=30, units=12)
    x, y = world.draw(rng, world.populations(rng), 50, rng.choice(2000, 30, replace=False))
    settings = ResamplingSettings(19, 10, 7)
    table = score_model(matched_pair(x, y), MEASURES, settings)[0].set_index("measure")
    groups = np.random.default_rng(7)
    of_condition, of_neuron = (groups.permutation(np.arange(size) % 10) for size in (50, 30))
    score, *parts, rows = replicates(x, y, of_condition, of_neuron)
    for m, name in enumerate(MEASURES):
        of_one = [(single[m], two[m]) for single, two in parts]
        if name == "linreg":
            _, ends, _ = interval_of_r2(score[m], *of_one, rows[m], table.null_mean[name])
        else:
            _, ends, _ = interval(score[m], *of_one, rows[m])
        low, high = np.clip(ends, *registry.load(name).bounds)
        row = table.loc[name]
        assert row.score == pytest.approx(score[m])
        assert [row.score_low, row.score_high] == pytest.approx([low, high], abs=2e-5)


@pytest.mark.parametrize("measure", ["ridge_cv_100", "ridge_cv_tuned"])
def test_intervals_of_held_out_scores_cover_other_samples_of_the_same_size(measure):
    rng = np.random.default_rng(5)
    n = n_draws(8 if measure == "ridge_cv_tuned" else 16)
    readout, model = rng.standard_normal((2, 20, 300))
    scores, halves = [], []
    for draw in range(n):
        z = latents(rng, 40)
        neurons = rng.choice(300, 20, replace=False)
        x = z @ readout[:, neurons] + population(rng, 40, 20)
        y = z @ model[:, :5]
        matched = matched_pair(x, y / y.std())
        (score,) = (
            registry.load(measure)
            .score(*(side[0] for side in _tensors(matched)))
            .reshape(1)
            .tolist()
        )
        left = jackknife_replicates(matched, registry.load(measure), n_groups=5, seed=draw)
        scores.append(score)
        halves.append(jackknife_estimate(score, left).ci_half_width)
    covered = (np.abs(np.array(scores) - np.mean(scores)) <= halves).sum()
    assert covered >= fewest_by_chance(n, LEAST_COVERAGE)
    # As wide as needed, to a factor.
    assert 0.5 < np.mean(halves) / 2.78 / np.std(scores) < 3


def _tensors(matched):
    import torch

    return [torch.from_numpy(side) for side in (matched.reference, matched.model)]


def test_no_interval_is_given_where_the_bias_cannot_be_removed():
    """Nuclear norms, truncated and single-neuron measures."""
    for name in ("nbs", "procrustes_angular", "svcca", "cca", "soft_matching", "mutual_knn_5"):
        assert not has_valid_interval(registry.load(name)), name
    for name in (*MEASURES, "cka_angular", "ridge_cv_100", "ridge_cv_tuned"):
        assert has_valid_interval(registry.load(name)), name
