"""Errors for input that cannot be scored, and warnings for scores that are 1 for any data."""

import math

import numpy as np
import pytest
import torch

from helpers.measures import NAMES, draw, load
from scorebounds.measures import inputs, registry, transport


@pytest.fixture(params=NAMES)
def measure(request):
    return load(request.param)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (draw(10, 3), draw(9, 3), "equal n_samples, got (10, 3) and (9, 3)"),
        (draw(10), draw(10, 3), "expected x (n_samples, n_x), got shape (10,)"),
        (draw(2, 3), draw(2, 3), "at least 3 samples, got 2"),
        (draw(10, 3) + 1j, draw(10, 3), "expected real numbers, got torch.complex128"),
        (draw(10, 3), draw(10, 3) * 1j, "expected real numbers, got torch.complex128"),
        (draw(10, 3), draw(10, 3).float(), "one dtype and device"),
        (draw(10, 3) * math.nan, draw(10, 3), "NaN or infinity in x"),
        (draw(10, 3), draw(10, 3) / 0, "NaN or infinity in y"),
        (draw(10, 3), torch.full((10, 3), 0.1, dtype=torch.float64), "constant matrix"),
        (torch.full((10, 3), 7.0, dtype=torch.float64), draw(10, 3), "constant matrix"),
        (draw(10, 3), torch.stack([draw(10, 2), draw(10, 2) * 0]), "constant matrix"),
        (draw(10, 3), draw(10, 0), "at least one neuron"),
    ],
)
def test_refuses_what_cannot_be_scored(measure, x, y, message):
    with pytest.raises(ValueError) as error:
        measure.score(x, y)
    assert message in str(error.value)


def test_cross_validation_needs_a_sample_per_fold():
    with pytest.raises(ValueError, match="at least 5 samples for 5 folds, got 4"):
        registry.load("ridge_cv_100").score(draw(4, 2), draw(4, 2, seed=1))


def test_nested_cross_validation_needs_a_sample_per_inner_fold():
    x, measure = draw(7, 2), registry.load("ridge_cv_tuned")
    assert measure.score(x, x).isfinite()
    for n_samples in (5, 6):
        with pytest.raises(ValueError, match=f"7 samples for nested folds, got {n_samples}"):
            measure.score(x[:n_samples], x[:n_samples])


def test_error_for_an_unknown_name_lists_the_known_names():
    with pytest.raises(ValueError) as error:
        registry.load("procrustes_angulr")
    assert "did you mean 'procrustes_angular'?" in str(error.value)
    assert "ridge_cv_<λ>" in str(error.value)
    with pytest.raises(ValueError, match="unknown measure 'ridge_cv_0'"):
        registry.load("ridge_cv_0")


@pytest.mark.parametrize(
    ("name", "x", "y", "message"),
    [
        ("cka_debiased", draw(3, 2), draw(3, 2, seed=1), "at least 4 samples for debiased CKA"),
        ("cka_debiased", draw(8, 2), torch.eye(8).double(), "equally similar"),
        ("cka_corrected", draw(8, 1), draw(8, 2, seed=1), "at least 2 neurons, got 1 in x"),
        ("cka_corrected", draw(3, 2), draw(3, 2), "at least 4 samples for corrected CKA"),
        ("cka_corrected", draw(9, 1) * torch.ones(3), torch.eye(9).double(), "neurons of y share"),
        ("rsa_euclidean_whitened_pearson", draw(6, 3), torch.eye(6).double(), "in y all pairs of"),
        ("cka_rbf_0.4", draw(8, 2), torch.eye(8).double()[:, :1], "half of the samples of y"),
        ("rsa_euclidean_pearson", torch.eye(6).double(), draw(6, 3), "in x all pairs of samples"),
        ("rsa_euclidean_spearman", draw(6, 3), torch.eye(6).double(), "in y all pairs of samples"),
        ("rsa_correlation_cosine", draw(6, 1), draw(6, 3), "at least 2 neurons, got 1 in x"),
        (
            "rsa_correlation_pearson",
            draw(6, 3),
            torch.cat([torch.ones(1, 3), draw(5, 3).float()]).double(),
            "in y, row 0",
        ),
        (
            "soft_matching",
            draw(6, 3),
            torch.cat([draw(6, 1), torch.ones(6, 1)], dim=1).double(),
            "neuron 1 of y has the same value",
        ),
        ("mutual_knn_10", draw(10, 3), draw(10, 3, seed=1), "at least 12 samples for 10 nearest"),
        (
            "mutual_knn_2",
            draw(6, 3),
            torch.cat([torch.zeros(1, 3).double(), draw(5, 3)]),
            "row 0 of y is all zeros",
        ),
        ("pls_cv_pearson_25", draw(40, 3), draw(40, 8), "25 components needs as many"),
        ("ridge_1", draw(20, 3), 1e12 * draw(20, 30, seed=1), "λ = 1 is beyond double precision"),
        (
            "ridge_cv_pearson_1",
            torch.cat([torch.zeros(8, 1).double(), draw(32, 1)]),
            draw(40, 3),
            "neuron 0 of x has the same value in all samples of held-out fold 1",
        ),
    ],
)
def test_says_why_a_score_is_not_defined(name, x, y, message):
    measure = registry.load(name)
    with pytest.raises(ValueError) as error:
        measure.score(x, y)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["cka_rbf_0.4", "rsa_euclidean_spearman", "distance_correlation"])
def test_what_does_not_fit_into_memory_is_refused_with_the_figure(name, monkeypatch):
    class Memory:
        available = 20_000

    monkeypatch.setattr(inputs.psutil, "virtual_memory", Memory)
    with pytest.raises(ValueError, match=r"of 100 samples needs n × n matrices of 0\.0 GB in all"):
        registry.load(name).score(draw(100, 3), draw(100, 3, seed=1))


@pytest.mark.filterwarnings("ignore::scorebounds.measures.base.SaturatedScoreWarning")
def test_a_batch_of_wide_data_is_scored_as_its_members(measure):
    x, y = draw(14, 6), draw(2, 14, 20, seed=1)
    found = measure.score(x, y)
    assert found.tolist() == pytest.approx([measure.score(x, each).item() for each in y], abs=1e-10)


def test_wide_data_of_low_rank_mean_something():
    """No warning (warnings are errors here): what counts is the rank, not the width."""
    x, y = draw(20, 4), draw(20, 2, seed=1) @ draw(2, 30, seed=2)
    for name in ("linreg", "linreg_reverse", "linreg_symmetric", "cca"):
        assert registry.load(name).score(x, y) < 0.9


@pytest.mark.parametrize("name", ["cca", "cca_r2", "pwcca", "linreg", "linreg_reverse"])
def test_says_when_a_score_means_nothing(name):
    with pytest.warns(registry.SaturatedScoreWarning, match="1 regardless of the data"):
        found = registry.load(name).score(draw(10, 9), draw(10, 9, seed=1))
    assert found.item() == pytest.approx(1)


def test_arrays_that_are_no_tensors_are_refused_with_advice():
    x = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(TypeError, match=r"expected a tensor, got ndarray; use scorebounds\.score"):
        load("cka").score(x, x)
    with pytest.raises(TypeError, match="expected a tensor, got ndarray"):
        load("cka").score(torch.as_tensor(x), x)


@pytest.mark.parametrize("name", ["soft_matching", "permutation_matching"])
def test_too_many_neurons_to_match_are_refused_beforehand(monkeypatch, name):
    monkeypatch.setattr(transport, "MOST_MATCHED", 5)
    x, y = torch.randn(2, 20, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with pytest.raises(ValueError, match=r"expected at most 5 neurons to match .* got 6 and 3"):
        registry.load(name).score(x, y[:, :3])
