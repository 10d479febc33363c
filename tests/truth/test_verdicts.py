"""Verdicts in worlds with known answers, and error rates of "closer"."""

import numpy as np
import pytest

from helpers.rivals import WITH_WINNER, WITHOUT_WINNER, comparison_of
from helpers.worlds import (
    card_of,
    latents,
    matched_pair,
    most_by_chance,
    n_draws,
    population,
    unrelated,
)
from scorebounds.scorecards.formatting import below_zero
from scorebounds.scorecards.headline import headline
from scorebounds.scorecards.verdicts import ABOVE_CHANCE, PERFECT, WORSE_THAN_MEAN

MEASURES = ["cka", "cka_debiased", "nbs", "procrustes_angular", "linreg", "ridge_cv_100"]
MEASURES += ["rsa_correlation_pearson", "svcca"]


def test_partly_related_models_are_found():
    rng = np.random.default_rng(1)
    found = []
    for draw in range(6):
        z = latents(rng, 60)
        x, y = population(rng, 60, 20, z), population(rng, 60, 10, z)
        card = card_of(matched_pair(x, y), MEASURES, draw, 39, n_groups=2)
        found.append(card.verdict.isin(ABOVE_CHANCE).mean())
        assert not card.verdict.eq(PERFECT).any()
    assert np.mean(found) > 0.9


@pytest.mark.parametrize("related", ["unrelated", "the wide one is unrelated", "noisy copy"])
def test_only_a_copy_is_perfect(related):
    rng = np.random.default_rng(2)
    x, y = unrelated(rng, 30, 12, 9)
    if related == "the wide one is unrelated":
        y = population(rng, 30, 40)
    if related == "noisy copy":
        y = x + 0.01 * rng.standard_normal(x.shape)
    names = [*MEASURES, "cca", "mutual_knn_5"]
    assert not card_of(matched_pair(x, y), names).verdict.isin([PERFECT]).loc[MEASURES].any()
    # With the invariances of every measure: rotated, scaled and shifted.
    rotation = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    copy = card_of(matched_pair(x, 3 * x @ rotation + 1), ["cka", "nbs", "procrustes_angular"])
    assert copy.verdict.eq(PERFECT).all()


def test_an_outlying_condition_is_no_copy():
    rng = np.random.default_rng(7)
    x, y = unrelated(rng, 30, 12, 9)
    x[0], y[0] = 1e4 * x[0], 1e4 * y[0]
    card = card_of(matched_pair(x, y), ["cka", "linreg", "nbs"], n_groups=5)
    assert card.score.to_numpy() == pytest.approx(1, abs=1e-3)
    assert not card.verdict.eq(PERFECT).any()


def test_a_related_model_with_a_negative_r2_is_not_called_undistinguishable():
    rng = np.random.default_rng(9)
    z = latents(rng, 80)
    x = population(rng, 80, 30, z) + rng.standard_normal((80, 30))
    y = np.hstack([z[:, :2], rng.standard_normal((80, 30))])
    card = card_of(matched_pair(x, y), ["linreg_cv"], n_groups=2)
    assert card.p_corrected["linreg_cv"] <= 0.05
    assert card.verdict["linreg_cv"] == WORSE_THAN_MEAN
    said = headline(card.reset_index(), "m", "d")
    assert "m is no better than the mean or not distinguishable from chance" in said


def test_the_sentence_shows_a_number_below_zero():
    shown = [below_zero(value, 2) for value in (-0.2, -0.003, -0.0004, -1e-7)]
    assert shown == ["−0.20", "−0.003", "−4e-04", "−1e-07"]


def compared(x, models, measures, seed):
    return comparison_of((x, models, None), measures, seed, n_groups=6)


RIVAL_MEASURES = ["cka", "nbs", "linreg", "svcca"]


@pytest.fixture(scope="module")
def closer_of():
    n = n_draws(2)
    draws = {
        name: (np.random.default_rng(k), world)
        for k, (name, world) in enumerate((WITHOUT_WINNER | WITH_WINNER).items())
    }
    return {
        name: [
            comparison_of(world(rng), RIVAL_MEASURES, draw, n_groups=6).closer for draw in range(n)
        ]
        for name, (rng, world) in draws.items()
    }


def test_no_model_wins_between_two_that_know_nothing_or_the_same(closer_of):
    """A table counts where any of the measures names a closer model."""
    equal = [each for name in WITHOUT_WINNER for each in closer_of[name]]
    wins = sum(closer.ne("").any() for closer in equal)
    assert wins <= most_by_chance(len(equal), 0.05)


def test_a_model_that_is_not_closer_does_not_win(closer_of):
    found = [each for name in WITH_WINNER for each in closer_of[name]]
    assert sum(closer.eq("poor").any() for closer in found) <= most_by_chance(len(found), 0.05)


def test_the_better_model_wins_although_it_is_narrower(closer_of):
    found = closer_of["a better and a wider model"]
    assert np.mean([closer.eq("good").mean() for closer in found]) > 0.5


def test_a_model_does_not_win_by_ten_units_of_noise():
    rng = np.random.default_rng(4)
    n, wins = n_draws(6), 0
    for draw in range(n):
        z = latents(rng, 60)
        x = population(rng, 60, 30, z)
        narrow = z[:, :5] + 0.5 * rng.standard_normal((60, 5))
        models = {"narrow": narrow, "wide": np.hstack([narrow, rng.standard_normal((60, 10))])}
        (row,) = compared(x, models, ["linreg"], draw).to_dict("records")
        assert row["other_score"] > row["score"]
        wins += row["closer"] == "wide"
    assert wins <= most_by_chance(n, 0.05)
