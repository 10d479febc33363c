"""Intervals cover the score of the whole population of conditions and neurons."""

import numpy as np
import pytest
import torch

from helpers.worlds import fewest_by_chance, latents, matched_pair, n_draws
from scorebounds.measures import registry
from scorebounds.scorecards.inference import ResamplingSettings, has_valid_interval, score_model

N_POPULATION = 1000  # neurons
MEASURES = ["cka", "cka_debiased", "linreg", "rsa_correlation_pearson", "nbs", "procrustes_angular"]


class World:
    """A recording and a model that share a part of their latents."""

    def __init__(self, seed, shared):
        self.rng = np.random.default_rng(seed)
        self.shared = shared
        n_latents = latents(self.rng, 2).shape[1]
        self.readout = self.rng.standard_normal((n_latents, N_POPULATION))
        self.private = self.rng.standard_normal((n_latents, N_POPULATION))
        self.model = self.rng.standard_normal((n_latents, 40))
        self.own = self.rng.standard_normal((n_latents, 40))

    def draw(self, n, neurons=slice(None)):
        z, of_x, of_y = (latents(self.rng, n) for _ in range(3))
        a = self.shared
        x = np.sqrt(a) * z @ self.readout + np.sqrt(1 - a) * of_x @ self.private
        y = np.sqrt(a) * z @ self.model + np.sqrt(1 - a) * of_y @ self.own
        return x[:, neurons], y

    def truth(self, measures):
        x, y = (torch.from_numpy(side) for side in self.draw(4000))
        return {name: registry.load(name).score(x, y).item() for name in measures}


@pytest.mark.parametrize("shared", [0.0, 0.6, 0.97])
def test_intervals_cover_the_population(shared):
    world = World(int(10 * shared), shared)
    truth = world.truth(MEASURES)
    n, covered, given = n_draws(12), dict.fromkeys(MEASURES, 0), dict.fromkeys(MEASURES, 0)
    for draw in range(n):
        neurons = world.rng.permutation(N_POPULATION)[:40]
        x, y = world.draw(72, neurons)
        settings = ResamplingSettings(19, 10, draw)
        scores, _ = score_model(matched_pair(x, y), MEASURES, settings)
        for row in scores.itertuples():
            given[row.measure] += np.isfinite(row.score_low)
            covered[row.measure] += row.score_low <= truth[row.measure] <= row.score_high
    always = ["cka", "cka_debiased", "linreg", "rsa_correlation_pearson"]
    assert all(given[name] == n for name in always)
    for name in MEASURES:
        tolerated = fewest_by_chance(given[name], 0.92) if given[name] else 0
        assert covered[name] >= tolerated, (name, covered[name], given[name])


def test_no_interval_is_given_where_the_bias_cannot_be_removed():
    assert not has_valid_interval(registry.load("nbs"), 0.3)
    assert has_valid_interval(registry.load("nbs"), 0.8)
    assert not has_valid_interval(registry.load("svcca"), 0.9)
    assert has_valid_interval(registry.load("cka"), 0.0)
