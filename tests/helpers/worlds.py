"""Simulated worlds with known answers: models and recordings that share a known part."""

import os

import numpy as np
import pandas as pd

from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.verdicts import interpret

# Draws of each world: SCOREBOUNDS_TRUTH=10 takes ten times as many.
SCALE = float(os.environ.get("SCOREBOUNDS_TRUTH", "1"))
N_LATENTS = 20
NO_COMPONENTS = pd.DataFrame({"r2": [np.nan], "total_r2": [np.nan]})
NO_THRESHOLDS = pd.DataFrame(columns=["measure", "kind", "target", "variance_ratio", "score_mean"])


def n_draws(least):
    return max(least, int(least * SCALE))


def latents(rng, n):
    """Return n samples of independent latents with the variances 1, 1/2, 1/3, …"""
    return rng.standard_normal((n, N_LATENTS)) * np.sqrt(1 / np.arange(1, N_LATENTS + 1))


def population(rng, n, width, known=None):
    """Return n samples × width neurons that read known latents, or latents of their own."""
    source = latents(rng, n) if known is None else known
    return source @ rng.standard_normal((N_LATENTS, width))


def unrelated(rng, n, n_x, n_y):
    return population(rng, n, n_x), population(rng, n, n_y)


def matched_pair(x, y, condition=None):
    x, y = (side if side.ndim == 3 else side[None] for side in (x, y))
    return Matched(x, y, np.arange(x.shape[1]) if condition is None else condition)


def card_of(matched, measures, seed=0, n_permutations=99, halves=None, n_groups=10):
    settings = ResamplingSettings(n_permutations, n_groups, seed)
    scores, _ = score_model(matched, measures, settings, halves)
    return interpret(scores, NO_COMPONENTS, NO_THRESHOLDS).set_index("measure")


def halves_with_signal(rng, n, n_x, share, n_times=1):
    """Return noise-free activity and two halves whose average has this share of signal."""
    truth = population(rng, n, n_x)[None].repeat(n_times, 0)
    if n_times > 1:
        course = np.cos(np.linspace(0, 3, n_times)[:, None, None] * rng.random(n_x))
        truth = truth * course
    truth = truth / truth.std()

    def noise():
        steps = rng.standard_normal(truth.shape)
        # Noise of a condition goes on over time.
        return np.cumsum(steps, axis=0) / np.sqrt(np.arange(1, n_times + 1))[:, None, None]

    level = np.sqrt(2 * (1 / share - 1)) if share else np.sqrt(2)
    halves = [truth * bool(share) + level * noise() for _ in range(2)]
    return truth, halves


def most_by_chance(n, rate, tail=0.001):
    """Return the count that a binomial variable of this rate exceeds in `tail` of the cases."""
    from scipy.stats import binom

    return int(binom.isf(tail, n, rate))


def fewest_by_chance(n, rate, tail=0.001):
    from scipy.stats import binom

    return int(binom.ppf(tail, n, rate))
