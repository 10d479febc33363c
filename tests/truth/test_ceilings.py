"""Noise ceilings against worlds in which the noise-free activity is known."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.worlds import (
    card_of,
    fewest_by_chance,
    halves_with_signal,
    matched_pair,
    most_by_chance,
    n_draws,
)
from scorebounds.measures import registry
from scorebounds.scorecards import samples
from scorebounds.scorecards.ceilings import noise_ceiling, splits_of
from scorebounds.scorecards.subjects import subject_ceiling
from scorebounds.scorecards.verdicts import AT_CEILING

N, NEURONS = 72, 20
# Largest mean difference from the score of the noise-free activity, by signal share.
STATED_ERROR = {0.2: 0.05, 0.5: 0.03, 0.9: 0.01}
LIKE_TRUTH = ["cka", "cka_angular", "cka_debiased", "linreg", "rsa_correlation_pearson"]


def ceiling_of(halves, measure, seed=0, n_groups=4):
    whole = (halves[0] + halves[1]) / 2
    splits, _ = splits_of(whole, [tuple(halves)])
    return noise_ceiling(
        splits, registry.load(measure), width=NEURONS, n_groups=n_groups, seed=seed
    )


def score_of(measure, whole, truth):
    return registry.load(measure).score(*(samples.flatten(side) for side in (whole, truth))).item()


@pytest.mark.parametrize("share", sorted(STATED_ERROR))
@pytest.mark.parametrize("measure", LIKE_TRUTH)
def test_the_ceiling_is_the_score_of_the_noise_free_activity(measure, share):
    rng = np.random.default_rng(int(10 * share))
    differences = []
    for draw in range(n_draws(30)):
        truth, halves = halves_with_signal(rng, N, NEURONS, share)
        ceiling = ceiling_of(halves, measure, draw).value
        if np.isfinite(ceiling):
            differences.append(ceiling - score_of(measure, sum(halves) / 2, truth))
    assert len(differences) > 0.7 * n_draws(30)
    error = np.std(differences) / len(differences) ** 0.5
    assert abs(np.mean(differences)) <= STATED_ERROR[share] + 2.5 * error


@pytest.mark.parametrize("measure", ["cka", "cka_debiased", "linreg"])
def test_the_interval_of_a_ceiling_contains_the_score_of_the_noise_free_activity(measure):
    """Recordings differ by their noise only, so that intervals over conditions may be too wide."""
    rng = np.random.default_rng(13)
    n, covered = n_draws(30), []
    for draw in range(n):
        truth, halves = halves_with_signal(rng, N, NEURONS, 0.5)
        ceiling = ceiling_of(halves, measure, draw, n_groups=10)
        known = score_of(measure, sum(halves) / 2, truth)
        covered += [ceiling.low <= known <= ceiling.high] if np.isfinite(ceiling.low) else []
    assert len(covered) > 0.9 * n
    assert sum(covered) >= fewest_by_chance(len(covered), 0.9)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_ceiling_of_held_out_r2_is_the_share_of_signal(share):
    rng = np.random.default_rng(1)
    found = [
        ceiling_of(halves_with_signal(rng, N, NEURONS, share)[1], "ridge_cv_tuned", draw).value
        for draw in range(n_draws(30))
    ]
    error = np.nanstd(found) / len(found) ** 0.5
    assert np.nanmean(found) == pytest.approx(share, abs=0.01 + 3 * error)


@pytest.mark.parametrize("measure", ["cka", "cka_debiased"])
def test_noise_that_goes_on_over_time_does_not_raise_the_ceiling(measure):
    rng = np.random.default_rng(2)
    differences = []
    for draw in range(n_draws(12)):
        truth, halves = halves_with_signal(rng, 30, NEURONS, 0.5, n_times=6)
        differences.append(
            ceiling_of(halves, measure, draw).value - score_of(measure, sum(halves) / 2, truth)
        )
    error = np.std(differences) / len(differences) ** 0.5
    assert abs(np.mean(differences)) <= 0.03 + 2.5 * error


@pytest.mark.parametrize("measure", [*LIKE_TRUTH, "ridge_cv_tuned"])
def test_noise_without_signal_has_no_ceiling(measure):
    rng = np.random.default_rng(3)
    n = n_draws(40)
    given = [
        ceiling_of(halves_with_signal(rng, N, NEURONS, 0)[1], measure, draw) for draw in range(n)
    ]
    assert sum(np.isfinite(each.value) for each in given) <= most_by_chance(n, 0.05)
    assert any("do not agree better than chance" in each.note for each in given)


def test_a_model_with_one_right_component_does_not_reach_the_ceiling():
    rng = np.random.default_rng(4)
    names = ["cka", "cka_debiased", "linreg"]
    good, poor = [], []
    for draw in range(n_draws(6)):
        truth, halves = halves_with_signal(rng, N, NEURONS, 0.5)
        whole, halves = sum(halves) / 2, tuple(halves)
        first = np.linalg.svd(truth[0] - truth[0].mean(0), full_matrices=False)[0][:, :1]
        part = np.hstack([6 * first, 0.3 * rng.standard_normal((N, NEURONS - 1))])
        for model, verdicts in ((truth[0], good), (part, poor)):
            matched = matched_pair(whole, model)
            card = card_of(matched, names, draw, 39, halves)
            verdicts.append((card.verdict == AT_CEILING).to_numpy())
    assert np.mean(good) > 0.6
    assert np.mean(poor) < 0.1


def test_measures_without_a_valid_estimate_have_no_ceiling():
    rng = np.random.default_rng(5)
    _, halves = halves_with_signal(rng, N, NEURONS, 0.9)
    for name in ("nbs", "procrustes_angular", "svcca", "cca", "mutual_knn_5", "soft_matching"):
        ceiling = ceiling_of(halves, name)
        assert np.isnan(ceiling.value)
        assert "no estimator" in ceiling.note


def test_neurons_without_both_halves_are_left_out_of_the_ceiling():
    rng = np.random.default_rng(6)
    truth, halves = halves_with_signal(rng, N, NEURONS, 0.9)
    whole = sum(halves) / 2
    holed = tuple(half.copy() for half in halves)
    holed[0][0, 3, 2] = np.nan
    card = card_of(matched_pair(whole, truth[0]), ["cka"], halves=holed)
    fewer = tuple(np.delete(half, 2, -1) for half in halves)
    expected = card_of(matched_pair(np.delete(whole, 2, -1), truth[0]), ["cka"], halves=fewer)
    assert card.ceiling["cka"] == pytest.approx(expected.ceiling["cka"])
    assert card.ceiling_score["cka"] == pytest.approx(expected.score["cka"])
    assert card.ceiling_score["cka"] != pytest.approx(card.score["cka"], abs=1e-4)


def test_the_ceiling_of_trials_is_that_of_their_true_means():
    rng = np.random.default_rng(7)
    condition = np.repeat(np.arange(40), 8)
    truth = rng.standard_normal((40, NEURONS))
    trials = truth[condition] + 2 * rng.standard_normal((320, NEURONS))
    card = card_of(matched_pair(trials, truth, condition), ["cka", "cka_debiased"])
    for name, row in card.iterrows():
        assert row.ceiling == pytest.approx(row.score, abs=0.06), name
    assert card.n_trials["cka"] == 320
    assert card.n_samples["cka"] == 40


def test_debiased_cka_of_trials_has_a_null_mean_of_zero():
    rng = np.random.default_rng(8)
    condition = np.repeat(np.arange(8), 20)
    trials = rng.standard_normal((8, 30))[condition] + rng.standard_normal((160, 30))
    model = rng.standard_normal((8, 40))
    row = card_of(matched_pair(trials, model, condition), ["cka_debiased"]).loc["cka_debiased"]
    assert abs(row.null_mean) < 0.03


@pytest.mark.parametrize("measure", ["cka", "cka_debiased", "ridge_cv_100"])
def test_subjects_have_a_ceiling_only_if_they_have_something_in_common(measure):
    """It is the mean score of the other subjects, and what unrelated subjects have none of."""
    rng = np.random.default_rng(10)
    n, subjects = n_draws(30), np.repeat(np.arange(3), 8)
    given = {"unrelated": 0, "alike": 0}
    for draw in range(n):
        z = rng.standard_normal((40, 6))
        alike = z @ rng.standard_normal((6, 24)) + rng.standard_normal((40, 24))
        worlds = {"unrelated": rng.standard_normal((40, 24)), "alike": alike}
        for name, x in worlds.items():
            matched = replace(matched_pair(x, z), subjects=subjects)
            ceiling = subject_ceiling(matched, registry.load(measure), seed=draw)
            given[name] += np.isfinite(ceiling.value)
    assert given["unrelated"] <= most_by_chance(n, 0.05)
    assert given["alike"] == n
    if measure == "cka":
        others = [
            score_of("cka", alike[None, :, subjects == s], alike[None, :, subjects != s])
            for s in range(3)
        ]
        assert ceiling.value == pytest.approx(np.mean(others))


def test_halves_of_four_conditions_that_agree_have_a_ceiling():
    """All 23 other orders are used, the order itself is none of them: p can be 1/24."""
    rng = np.random.default_rng(9)
    truth = 3 * rng.standard_normal((1, 4, NEURONS))
    halves = [truth + 0.5 * rng.standard_normal(truth.shape) for _ in range(2)]
    for seed in range(5):
        assert np.isfinite(ceiling_of(halves, "ridge_cv_tuned", seed).value)
    few = ceiling_of([half[:, :3] for half in halves], "ridge_cv_tuned")
    assert "too few conditions" in few.note
