"""CKA corrected for few samples and neurons: its definition, and populations of known CKA."""

import numpy as np
import pytest
import torch

from helpers.measures import draw
from scorebounds.measures import base, registry
from scorebounds.measures.sampled import shared_among_neurons

NAMES = ["cka_corrected", "cka_corrected_x"]


def u_centred(kernel):
    n, kernel = len(kernel), kernel - np.diag(np.diag(kernel))
    rows = kernel.sum(1) / (n - 2)
    centred = kernel - rows[:, None] - rows + kernel.sum() / ((n - 1) * (n - 2))
    return centred - np.diag(np.diag(centred))


def textbook(x, y, *, both):
    """Mean inner product of the u-centred kernels of single neurons, pair by pair."""
    of_x, of_y = ([u_centred(np.outer(unit, unit)) for unit in side.T] for side in (x, y))

    def mean(first, second, *, differ):
        pairs = [(i, j) for i in range(len(first)) for j in range(len(second))]
        return np.mean([np.sum(first[i] * second[j]) for i, j in pairs if not differ or i != j])

    norms = mean(of_x, of_x, differ=True) * mean(of_y, of_y, differ=both)
    return mean(of_x, of_y, differ=False) / np.sqrt(norms)


def related(n, p, q, seed=0):
    """Draw two sides of which the neurons mix three sources of unequal size."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 3)) * [3, 2, 1]
    sides = [shared @ rng.normal(size=(3, m)) + rng.normal(size=(n, m)) for m in (p, q)]
    return [torch.from_numpy(side) for side in sides]


@pytest.mark.parametrize("shape", [(20, 6, 4), (12, 15, 20)])
@pytest.mark.parametrize("name", NAMES)
def test_equals_the_mean_over_pairs_of_neurons(name, shape, monkeypatch):
    x, y = related(*shape)
    expected = textbook(x.numpy(), y.numpy(), both=name == "cka_corrected")
    measure = registry.load(name)
    assert measure.score(x, y).item() == pytest.approx(expected, rel=1e-9)
    assert measure.score(x.float(), y.float()).item() == pytest.approx(expected, rel=1e-4)
    batch = measure.score(x, torch.stack([y, y.flip(1), 2 * y + 1]))
    assert batch.tolist() == pytest.approx([expected] * 3, rel=1e-9)
    orders = [torch.from_numpy(np.random.default_rng(seed).permutation(len(y))) for seed in (0, 1)]
    expected = [measure.score(x, y[order]).item() for order in orders]
    for at_once in (1, 2):
        monkeypatch.setattr(base, "orders_at_once", lambda *sides, number=at_once: number)
        assert measure.reordered(x, y, orders).tolist() == pytest.approx(expected, rel=1e-9)
    assert measure.between([x], [y, x[:, :3]])[0, 0].item() == pytest.approx(batch[0].item())


def test_is_symmetric_where_both_sides_are_samples_of_neurons():
    x, y = related(30, 5, 7)
    both, of_x = map(registry.load, NAMES)
    assert both.score(x, y).item() == pytest.approx(both.score(y, x).item(), rel=1e-12)
    assert of_x.score(x, y).item() != pytest.approx(of_x.score(y, x).item(), rel=1e-3)


def test_few_neurons_of_a_population_score_as_the_population_does():
    """Where debiased CKA is too low, as its entry says."""
    rng = np.random.default_rng(0)
    n, n_sources, population = 60, 30, 800
    deviations = 1 / np.sqrt(np.arange(1, n_sources + 1))
    weights = rng.normal(size=(2, n_sources, population)) * deviations[:, None]

    def responses(n_samples):
        shared, own = rng.normal(size=(2, n_samples, n_sources))
        return (torch.from_numpy((shared + 0.3 * own) @ weights[0]), shared @ weights[1][:, :50])

    x, y = responses(4000)
    truth = registry.load("cka_debiased").score(x, torch.from_numpy(y)).item()
    found = {name: [] for name in ("cka_debiased", "cka_corrected_x")}
    for _ in range(60):
        x, y = responses(n)
        x = x[:, rng.choice(population, 15, replace=False)]
        for name, scores in found.items():
            scores.append(registry.load(name).score(x, torch.from_numpy(y)).item())
    error = np.std(found["cka_corrected_x"]) / np.sqrt(60)
    assert np.mean(found["cka_corrected_x"]) == pytest.approx(truth, abs=3 * error)
    assert np.mean(found["cka_debiased"]) < truth - 10 * error


def test_independent_neurons_have_no_score():
    with pytest.raises(ValueError, match=r"different neurons of [xy] share no structure"):
        registry.load("cka_corrected").score(draw(30, 6), draw(30, 4, seed=1))


@pytest.mark.parametrize(("n_samples", "n_neurons"), [(20, 5), (60, 40)])
def test_denominator_of_independent_neurons_counts_as_noise(n_samples, n_neurons):
    # Their own structure is a random number around 0, so that copies would score anything above 1.
    rng = np.random.default_rng(n_neurons)
    measure = registry.load("cka_corrected")
    n_scored = 0
    for _ in range(200):
        x = torch.as_tensor(rng.normal(size=(n_samples, n_neurons)) * rng.lognormal(size=n_neurons))
        try:
            measure.score(x, x + 0.01 * torch.as_tensor(rng.normal(size=x.shape)))
        except ValueError:
            continue
        n_scored += 1
    assert n_scored <= 6


def test_share_among_neurons_is_that_of_the_pairs_of_different_neurons():
    rng = np.random.default_rng(12)
    x = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 7)) + rng.normal(size=(20, 7))
    centred = x - x.mean(0)

    def hsic(kernel):
        return (u_centred(kernel) ** 2).sum()

    alone = sum(hsic(np.outer(neuron, neuron)) for neuron in centred.T)
    whole = hsic(centred @ centred.T)
    expected = (whole - alone) / 42 / (whole / 49)
    assert shared_among_neurons(torch.from_numpy(x)) == pytest.approx(expected, rel=1e-12)
    assert shared_among_neurons(torch.from_numpy(1e200 * x)) == pytest.approx(expected, rel=1e-12)


def test_share_among_neurons_is_1_for_equal_neurons_and_0_for_independent_ones():
    rng = np.random.default_rng(13)
    one = torch.from_numpy(rng.normal(size=(40, 1)))
    assert shared_among_neurons(one.repeat(1, 5)) == pytest.approx(1)
    independent = torch.from_numpy(rng.normal(size=(4000, 10)))
    assert abs(shared_among_neurons(independent)) < 0.01
    for undefined in (one, one[:3].repeat(1, 5), torch.ones(9, 3)):
        assert np.isnan(shared_among_neurons(undefined))
