"""Intervals cover the score of the whole population of conditions and neurons."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import coverage_over_time, held_out, held_out_correlations
from helpers.coverage import (
    MEASURES,
    World,
    interval,
    interval_of_r2,
    replicates,
    shared_among,
    simulate,
)
from helpers.held_out import TimedWorld as HeldOutWorld
from helpers.worlds import fewest_by_chance, matched_pair, most_by_chance, n_draws
from scorebounds.measures import registry
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.jackknife import jackknife_estimate
from scorebounds.scorecards.replicates import jackknife_replicates
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.samples import flatten, fold_options
from scorebounds.scorecards.score_intervals import has_valid_interval, score_interval

# Coverage of nominal 95 % intervals: 90 % at least in the worlds of docs/truth.md.
LEAST_COVERAGE = 0.9
# Error over standard error: its root mean square would be 1. Intervals half as wide have 2, and
# scores without correction more.
LARGEST_SPREAD = 1.35
N_DRAWS = n_draws(20)
SHARES = (0.0, 0.55, 0.97)
# Standard error over standard deviation of the scores of ridge, linear regression and tuned ridge.
LARGEST_EXCESS = (1.35, 1.3, 1.9)
# With numbers of draws. The second has few more training conditions than units.
HELD_OUT_WORLDS = {
    "unrelated": (HeldOutWorld(72, 19, 10, shared=0.0), 25),
    "nearly saturated": (HeldOutWorld(50, 30, 28, shared=0.97), 25),
}


@pytest.fixture(scope="module")
def of_worlds():
    worlds = {shared: World(n=40, n_neurons=30, units=10, shared=shared) for shared in SHARES}
    return {
        shared: simulate(world, N_DRAWS, int(100 * shared), n_truth=1500)
        for shared, world in worlds.items()
    }


@pytest.mark.parametrize("shared", SHARES)
def test_intervals_cover_the_population(of_worlds, shared):
    errors, standard, covered, _ = of_worlds[shared]
    counts = covered.sum(axis=0)
    assert (counts >= fewest_by_chance(N_DRAWS, LEAST_COVERAGE)).all(), counts
    spread = np.sqrt(np.mean((errors / standard) ** 2, axis=0))
    assert (spread <= LARGEST_SPREAD).all(), spread
    # Intervals are not wide without need: not wider than twice the error.
    assert (spread >= 1 / 2).all(), spread


def test_intervals_of_all_worlds_cover_in_92_to_98_percent(of_worlds):
    """The draws of one world are independent, its measures are not."""
    covered = [each for _, _, each, _ in of_worlds.values()]
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
            _, ends, _ = interval(score[m], *of_one, rows[m], shared_among(x))
        low, high = np.clip(ends, *registry.load(name).bounds)
        row = table.loc[name]
        assert row.score == pytest.approx(score[m])
        assert [row.score_low, row.score_high] == pytest.approx([low, high], abs=2e-5)


def test_intervals_of_recordings_with_times_cover_the_population():
    n = n_draws(16)
    world = coverage_over_time.TimedWorld(40, 25, 4, gains=0.4)
    errors, covered, _ = coverage_over_time.simulate(world, n, 3)
    assert np.isfinite(errors).mean() > 0.8
    for of_measure in covered.T:
        decided = of_measure[np.isfinite(of_measure)]
        assert decided.sum() >= fewest_by_chance(len(decided), LEAST_COVERAGE)


@pytest.fixture(scope="module", params=HELD_OUT_WORLDS)
def of_held_out(request):
    world, least = HELD_OUT_WORLDS[request.param]
    n = n_draws(least)
    return n, world.n, held_out.simulate(world, n, 150, 40 + n)


def test_intervals_of_held_out_scores_cover_other_samples_of_the_same_size(of_held_out):
    n, n_conditions, (mean, sd, drawn, half, error) = of_held_out
    low, high = held_out.intervals(drawn, half, n_conditions)
    counts = ((low <= mean) & (mean <= high)).sum(axis=0)
    assert (counts >= fewest_by_chance(n, LEAST_COVERAGE)).all(), counts
    # The standard error is that of the scores, to a factor. Leaving groups out, instead of
    # repeating them, has 1.4, 1.7 and 2.7 times as much for unrelated data, and up to 3.2 near
    # saturation; counting pairs twice has 1.4, 1.4 and 2.0.
    spread = np.sqrt(np.mean(error**2, axis=0)) / sd
    assert (spread > 0.7).all(), spread
    assert (spread < LARGEST_EXCESS).all(), spread


@pytest.mark.parametrize("shared", [0.0, 0.55])
def test_intervals_of_held_out_correlations_cover_other_samples_of_the_same_size(shared):
    n, world = n_draws(25), HeldOutWorld(50, 19, 12, shared=shared)
    found = held_out_correlations.simulate(world, held_out_correlations.RIDGE, n, 5 * n, 8)
    rate, width = held_out_correlations.coverage(*found)
    assert rate * n >= fewest_by_chance(n, LEAST_COVERAGE)
    assert 0.8 < width < 2


def test_the_library_has_the_intervals_of_the_formulas_of_held_out_scores():
    worlds = [HeldOutWorld(50, 20, 10), HeldOutWorld(24, 15, 6, times=3)]
    worlds += [HeldOutWorld(40, 15, 8, runs=20), HeldOutWorld(40, 15, 8, runs=7)]
    for world, weight in zip(worlds, (2, 2, 2, 0), strict=True):
        rng = np.random.default_rng(6)
        x, y, run = world.samples(rng, world.populations(rng))
        expected = held_out.score_of(world, x, y, run)
        whole, single, two, found = held_out.replicates(world, x, y, run, np.random.default_rng(7))
        assert found == weight
        matched = replace(matched_pair(x, y), groups=run)
        for m, name in enumerate(held_out.MEASURES):
            measure = registry.load(name)
            sides = (flatten(side) for side in (x, y))
            score = measure.score(*sides, **fold_options(matched, measure)).item()
            assert score == pytest.approx(expected[m])
            table = jackknife_replicates(matched, measure, n_groups=10, seed=7)
            pairs = None if two is None else two[:, m]
            half, _ = held_out.half_width(whole[m], single[:, m], pairs, weight)
            estimate = jackknife_estimate(score, table)
            assert estimate.ci_half_width == pytest.approx(half), (name, world)
            scored = {"score": score, "is_informative": True, "null_mean": 0.0}
            scored["n_conditions"] = world.n
            found = score_interval(scored, table, measure, len(x))
            drawn, halves = np.full((2, 1, 3), [[[score]], [[half]]])
            low, high = held_out.intervals(drawn, halves, world.n)[:, 0, m]
            if low <= 0.025 and high >= 0.975:
                assert "nearly every score" in found["interval_note"]
                continue
            ends = [found["score_low"], found["score_high"]]
            assert ends == pytest.approx([low, min(high, 1)], rel=2e-3), (name, world)


def test_no_interval_is_given_where_the_bias_cannot_be_removed():
    """Nuclear norms, truncated and single-neuron measures."""
    for name in ("nbs", "procrustes_angular", "svcca", "cca", "soft_matching", "mutual_knn_5"):
        assert not has_valid_interval(registry.load(name)), name
    for name in (*MEASURES, "cka_angular", "ridge_cv_100", "ridge_cv_tuned"):
        assert has_valid_interval(registry.load(name)), name
