"""Cross-validated least squares from one decomposition equals one regression per fold."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from scorebounds.measures import cross_validation, registry
from scorebounds.measures.folds import grouped_folds

GROUPS = np.arange(60) % 7


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 5))
    noise = rng.standard_normal((60, 20))
    return torch.from_numpy(x), torch.from_numpy(x @ rng.standard_normal((5, 20)) + noise)


def score_and_gradient(x, y, groups):
    moving = y.clone().requires_grad_()
    score = registry.load("linreg_cv").score(x, moving, groups)
    (gradient,) = torch.autograd.grad(score.sum(), moving)
    return score.detach(), gradient


def regression_per_fold(x, y, groups):
    """Return the score by NumPy's least squares."""
    fold_of = np.arange(60) // 12 if groups is None else fold_of_samples(groups)
    scores = []
    for fold in np.unique(fold_of):
        test, train = fold_of == fold, fold_of != fold
        mean_x, mean_y = x[train].mean(0), y[train].mean(0)
        weights = np.linalg.lstsq(y[train] - mean_y, x[train] - mean_x, rcond=None)[0]
        residual = x[test] - mean_x - (y[test] - mean_y) @ weights
        scores.append(1 - (residual**2).sum() / ((x[test] - mean_x) ** 2).sum())
    return np.mean(scores)


def fold_of_samples(groups):
    found = grouped_folds(groups)
    arranged = found.arrange(torch.arange(len(groups))[:, None])[:, 0].numpy()
    folds = np.empty(len(groups), dtype=int)
    for number, (start, stop) in enumerate(found.bounds):
        folds[arranged[start:stop]] = number
    return folds


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_score_is_that_of_one_regression_per_fold(sides, groups):
    score, _ = score_and_gradient(*sides, groups)
    expected = regression_per_fold(*(side.numpy() for side in sides), groups)
    assert score.item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_both_forms_have_the_same_score_and_gradient(sides, groups, monkeypatch):
    x, y = sides
    batch = torch.stack([y, y.flip(0)])
    score, gradient = score_and_gradient(x, batch, groups)
    monkeypatch.setattr(cross_validation, "held_out_r2_by_qr", lambda pair: None)
    by_fold, gradient_by_fold = score_and_gradient(x, batch, groups)
    assert_close(score, by_fold, rtol=0, atol=1e-12)
    assert_close(gradient, gradient_by_fold, rtol=1e-9, atol=1e-13)


def test_what_is_near_a_lower_rank_is_regressed_per_fold(sides):
    x, y = sides
    found = []
    for columns in (y, torch.cat([y, y[:, :1] * (1 + 1e-9)], 1), y.repeat(1, 3)):
        score = registry.load("linreg_cv").score(x, columns)
        found.append(score.item())
    assert found == pytest.approx([found[0]] * 3, abs=1e-6)
