"""No data crosses the outer bounds: random, adversarial and searched."""

import numpy as np
import pytest
import torch

from helpers.adversaries import adversaries, reference
from scorebounds.core.angular import from_angular, to_angular
from scorebounds.measures import registry
from scorebounds.ranges.bounds import outer_range
from scorebounds.ranges.nbs_bounds import lower_nbs, participation_window

PAIRS = [("cka", "nbs"), ("linreg", "procrustes_angular"), ("linreg", "cka")]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("decay", [0.4, 1.0])
def test_no_pair_of_scores_violates_the_bounds(pair, decay):
    x = reference(decay=decay)
    a, b = (registry.load(name) for name in pair)
    scores = np.array([(a.score(x, y).item(), b.score(x, y).item()) for y in adversaries(x)])
    spectrum = torch.linalg.svdvals(x).square().numpy()
    lower, upper = outer_range(*pair, scores[:, 0], spectrum, 6)
    assert (lower <= scores[:, 1] + 1e-6).all()
    assert (scores[:, 1] <= upper + 1e-6).all()
    back, forth = outer_range(*pair[::-1], scores[:, 1], spectrum, 6)
    assert (back <= scores[:, 0] + 1e-6).all()
    assert (scores[:, 0] <= forth + 1e-6).all()


def test_lower_and_upper_bound_are_equal_at_a_score_of_one():
    lower, upper = outer_range("cka", "nbs", np.array([0.0, 1.0]), np.array([5.0, 2, 1]), 3)
    # A CKA that is computed as 1 can be 3e-15 less, and the bound there is 6e-6 lower.
    assert lower == pytest.approx([0, 1], abs=1e-5)
    assert upper == pytest.approx([0, 1], abs=1e-7)
    assert lower_nbs(1.0, np.array([5.0, 2, 1]) / 8, 3) == pytest.approx(1, abs=1e-7)


def test_fuchs_van_de_graaf_is_never_beaten_from_outside():
    spectrum = np.array([0.5, 0.3, 0.15, 0.05])
    cka = np.linspace(0.05, 1, 20)
    _, upper = outer_range("cka", "nbs", cka, spectrum, 4)
    # With PR(Y) free, min(PR(X), PR(Y)) is at most PR(X).
    participation = 1 / (spectrum**2).sum()
    assert (upper**2 <= 1 - (1 - cka**2) / (2 * participation) + 1e-7).all()


def test_linear_regression_bounds_are_the_best_possible():
    spectrum = np.array([0.6, 0.3, 0.1])
    lower, upper = outer_range("linreg", "nbs", np.array([0.9, 0.95, 1.0]), spectrum, 3)
    assert upper == pytest.approx(np.sqrt([0.9, 0.95, 1]))
    assert lower == pytest.approx(np.sqrt([0, 0.05, 0.1]), abs=1e-7)
    _, upper = outer_range("linreg", "cka", np.array([0.3, 0.6, 0.75]), spectrum, 3)
    norm = np.linalg.norm(spectrum)
    assert upper == pytest.approx([0.3 / norm, 0.6 / norm, np.hypot(0.6, 0.15) / norm])
    # A dimension to spare takes all energy out of X.
    assert outer_range("linreg", "nbs", np.array([1.0]), spectrum, 4)[0] == [0]


def test_unknown_pairs_have_no_bounds():
    for pair in (("ridge_cv_100", "procrustes_angular"), ("rsa_euclidean_pearson", "cka")):
        lower, upper = outer_range(*pair, np.linspace(0, 1, 3), np.array([2.0, 1]), 2)
        assert np.isnan([lower, upper]).all()


def test_window_of_participation_holds_the_spectrum_itself():
    spectrum = np.array([0.7, 0.2, 0.1])
    low, high = participation_window(1.0, spectrum, 3)
    assert low == pytest.approx(np.linalg.norm(spectrum))
    assert high == pytest.approx(np.linalg.norm(spectrum))
    assert participation_window(0.0, spectrum, 5)[0] == pytest.approx(1 / np.sqrt(5))
    assert lower_nbs(0.0, spectrum, 3) == 0


def test_angular_forms_go_there_and_back():
    score = np.linspace(0, 1, 11)
    assert to_angular(from_angular(score)) == pytest.approx(score)
