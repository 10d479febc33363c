"""Bounds of measures that are tied to CKA, NBS or linear regression: no data crosses them."""

import functools
import warnings

import numpy as np
import pytest
import torch

from helpers.adversaries import adversaries, reference
from scorebounds.measures import registry
from scorebounds.ranges.bounds import outer_range
from scorebounds.ranges.linked_bounds import samples_of

WITH_HUB = {
    "rsa_euclidean_pearson": "cka",
    "cka_debiased": "cka",
    "svcca": "nbs",
    "svcca_r2": "nbs",
    "svcca_0.8": "nbs",
    "svcca_r2_0.3": "nbs",
    "cca": "nbs",
    "cca_r2": "nbs",
    "ridge_1": "linreg",
}
# Pairs that are bounded through two measures.
CHAINED = [("rsa_euclidean_pearson", "nbs"), ("cka_debiased", "procrustes_angular")]
CHAINED += [("rsa_euclidean_pearson", "cka_debiased"), ("svcca", "cka"), ("ridge_1", "cka")]
CHAINED += [("svcca_0.8", "cka")]
# Every so many of the adversarial Y.
STEP = 14


def uneven(decay):
    """Return data of rows of different sizes."""
    x = reference(decay=decay) * torch.linspace(0.2, 2, 30)[:, None]
    return x - x.mean(0)


DATA = {"even": functools.partial(reference, decay=0.4), "uneven": functools.partial(uneven, 0.8)}


@functools.cache
def scores(kind):
    """Return X and the scores of many Y by each measure, NaN where a measure is not defined."""
    x = DATA[kind]()
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        others = list(adversaries(x))[::STEP]
        for name in (*WITH_HUB, "cka", "nbs", "procrustes_angular", "linreg"):
            measure = registry.load(name)
            found[name] = np.array([score_or_nan(measure, x, y) for y in others])
    return x, found


def score_or_nan(measure, x, y):
    try:
        return measure.score(x, y).item()
    except ValueError:
        return np.nan


def bounded(kind, a, b, at=None):
    """Return bounds of b at scores of a, or at given values."""
    x, found = scores(kind)
    values = found[a] if at is None else np.array(at)
    spectrum = torch.linalg.svdvals(x).square().numpy()
    return outer_range(a, b, values, spectrum, 6, quick=True, samples=samples_of(x.numpy()))


@pytest.mark.parametrize("kind", DATA)
def test_no_data_cross_a_bound_in_either_direction(kind):
    _, found = scores(kind)
    for pair in (*WITH_HUB.items(), *CHAINED):
        for a, b in (pair, pair[::-1]):
            defined = np.isfinite(found[a] + found[b])
            lower, upper = (end[defined] for end in bounded(kind, a, b))
            values = found[b][defined]
            assert not (lower > values + 1e-9).any(), (a, b)
            assert not (upper < values - 1e-9).any(), (a, b)


def test_bounds_that_data_come_near_to():
    _, found = scores("uneven")
    for a, b, end in (
        ("cka", "cka_debiased", 0),
        ("cka", "rsa_euclidean_pearson", 1),
        ("rsa_euclidean_pearson", "cka", 0),
        ("nbs", "cca", 0),
        ("linreg", "ridge_1", 1),
    ):
        distance = np.abs(bounded("uneven", a, b)[end] - found[b])
        assert np.nanmin(distance) < 0.05, (a, b)


def test_what_each_pair_says_and_what_stays_empty():
    lower, upper = bounded("uneven", "rsa_euclidean_pearson", "cka", [0.3, 0.9, 1.0])
    assert np.isnan(lower[0])
    assert 0.5 < lower[1] < lower[2] <= 1
    assert np.isnan(upper).all()
    lower, upper = bounded("uneven", "cka", "cka_debiased", [0.1, 0.9])
    assert np.isnan(lower[0])
    assert 0.5 < lower[1] < 0.9
    assert np.isnan(upper).all()
    _, upper = bounded("uneven", "cka_debiased", "nbs", [0.0])
    assert upper[0] < 1
    # The scale of Y is free: ridge regression can be anything between 0 and linear regression.
    lower, upper = bounded("uneven", "linreg", "ridge_1", [0.7])
    assert np.isnan(lower[0])
    assert upper[0] == 0.7


@pytest.mark.parametrize("share", ["0.2", "0.6", "0.9", "0.99"])
def test_bound_of_svcca_holds_for_all_that_y_may_keep(share):
    """The largest NBS is that of docs/bounds.md over all shares of Y; the other end inverts it."""
    spectrum = 0.7 ** np.arange(12)
    spectrum /= spectrum.sum()
    found = np.linspace(0.05, 1, 30)
    _, high = outer_range(f"svcca_{share}", "nbs", found, spectrum, 12)
    held = np.append(0, np.cumsum(spectrum))
    k = np.searchsorted(held, float(share))
    of_x = np.interp(found * k, np.arange(13), held)[:, None]
    of_y = np.linspace(float(share), 1, 2001)
    largest = np.sqrt(of_x * of_y) + np.sqrt(held[k] * (1 - of_y)) + np.sqrt(1 - held[k])
    assert np.nan_to_num(high, nan=1) == pytest.approx(np.minimum(largest.max(1), 1), abs=1e-5)
    inside = high < 1
    assert inside.any() == (share in {"0.9", "0.99"})
    low, _ = outer_range("nbs", f"svcca_{share}", high[inside], spectrum, 12)
    assert low == pytest.approx(found[inside], abs=1e-3)


@pytest.mark.parametrize("name", ["rsa_euclidean_pearson", "cka_debiased"])
def test_nothing_is_claimed_without_samples(name):
    found = outer_range("cka", name, np.array([0.5, 0.9]), np.array([3.0, 2, 1]), 3)
    assert np.isnan(found).all()
    flat = np.ones(9)
    sampled = samples_of(np.eye(10) - 0.1)
    assert np.isnan(outer_range("cka", name, np.array([0.9]), flat, 9, samples=sampled)).all()


def test_unevenness_is_the_squared_variation_of_row_norms():
    x = np.array([[1.0, 0], [-1, 0], [0, 2], [0, -2]])
    assert samples_of(x) == (4, pytest.approx(np.var([1, 1, 4, 4]) / 2.5**2))
