"""Layer correspondence: counting, intervals, networks that learn, images from their archive."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.cifar import cifar_archive
from helpers.measures import draw
from scorebounds.core.measure_table import ENTRIES
from scorebounds.measures import registry
from scorebounds.networks import convnets, images
from scorebounds.networks.architectures import layer_widths, require_distinguishable_layers
from scorebounds.networks.layers import (
    PUBLISHED_CIFAR10,
    closeness_maps,
    drop_constant,
    interval,
    jackknifed,
    match_accuracy,
    scores_table,
    summarize_layers,
    symmetrised,
)
from scorebounds.networks.unrelated import unrelated_scores

CPU = torch.device("cpu")
TRAINING = {
    "n_steps": 150,
    "batch_size": 32,
    "learning_rate": 0.1,
    "weight_decay": 0.005,
    "largest_shift": 1,
}


def cube(n_networks, n_layers, fill):
    scores = np.empty((n_networks, n_layers, n_networks, n_layers))
    for index in np.ndindex(scores.shape):
        scores[index] = fill(*index)
    return scores


def with_interval(shares):
    mean, pseudo = jackknifed(shares)
    return mean, *interval(mean, pseudo)


def test_all_layers_found_and_none():
    right = cube(3, 4, lambda _a, i, _b, j: -abs(i - j))
    shares = match_accuracy(right, higher_is_closer=True)
    assert np.isnan(shares[np.eye(3, dtype=bool)]).all()
    assert with_interval(shares) == (1.0, 1.0, 1.0)
    wrong = match_accuracy(right, higher_is_closer=False)
    assert with_interval(wrong)[0] == 0


def test_a_distance_is_closest_where_it_is_smallest():
    distances = cube(3, 4, lambda _a, i, _b, j: abs(i - j))
    assert np.nanmin(match_accuracy(distances, higher_is_closer=False)) == 1


def test_ties_count_their_share():
    saturated = cube(3, 4, lambda *_: 1.0)
    saturated += 1e-12 * np.random.default_rng(0).standard_normal(saturated.shape)
    assert with_interval(match_accuracy(saturated, higher_is_closer=True))[0] == 0.25


def test_interval_is_that_of_the_jackknife_and_needs_three_networks():
    rng = np.random.default_rng(1)
    shares = rng.integers(0, 2, size=(5, 5, 6)).astype(float)
    shares[np.eye(5, dtype=bool)] = np.nan
    mean, low, high = with_interval(shares)
    left_out = []
    for out in range(5):
        others = [k for k in range(5) if k != out]
        pairs = [shares[a, b].mean() for a in others for b in others if a != b]
        left_out.append(np.mean(pairs))
    pseudo = 5 * mean - 4 * np.array(left_out)
    half = 2.7764451051977987 * pseudo.std(ddof=1) / np.sqrt(5)  # t of 4 degrees of freedom
    assert (low, high) == pytest.approx((mean - half, mean + half))
    assert np.isnan(with_interval(shares[:2, :2])[1:]).all()


def test_summary_and_maps_of_one_measure():
    scores = cube(3, 4, lambda _a, i, _b, j: 1 - 0.1 * abs(i - j))
    table = scores_table(scores, "cka", "trained", higher_is_closer=True)
    assert table.score.iloc[-1] == scores[-1, -1, -1, -1]
    row = summarize_layers(table).iloc[0]
    assert (row.accuracy, row.chance, row.n_networks, row.n_layers) == (1, 0.25, 3, 4)
    assert row.published_cifar10 == PUBLISHED_CIFAR10["cka"] / 100
    maps = closeness_maps(table)
    assert len(maps) == 2 * 16
    assert set(maps[maps.layer == maps.other_layer].closeness) == {1.0}
    assert maps.closeness.min() == 0
    upside_down = closeness_maps(table.assign(higher_is_closer=False))
    assert set(upside_down[upside_down.layer == upside_down.other_layer].closeness) == {0.0}


def test_scores_that_depend_on_the_direction_are_averaged_over_both():
    """Kornblith et al. 2019, caption of table 2."""
    rng = np.random.default_rng(2)
    similarity = cube(3, 4, lambda _a, i, _b, j: -abs(i - j))
    # Deep layers are easy to predict: one direction finds the last layer for every other one.
    easy = cube(3, 4, lambda _a, _i, _b, j: 5.0 * j)
    noise = 1e-3 * rng.standard_normal(similarity.shape)
    scores = similarity + easy + noise - easy.transpose(2, 3, 0, 1)
    row = summarize_layers(scores_table(scores, "linreg", "trained", higher_is_closer=True)).iloc[0]
    assert row.accuracy == 1
    assert row.accuracy_one_direction == 0.25
    both = symmetrised(scores)
    for a, i, b, j in rng.integers(0, 3, size=(20, 4)):
        assert both[a, i, b, j] == (scores[a, i, b, j] + scores[b, j, a, i]) / 2


def test_a_measure_is_tested_against_the_best_one():
    rng = np.random.default_rng(3)
    right = cube(6, 5, lambda _a, i, _b, j: -abs(i - j))
    noisy = {"cka": 0.1, "nbs": 0.1, "hsic": 5.0}
    table = pd.concat(
        scores_table(right + size * noise(rng, right), name, "trained", higher_is_closer=True)
        for name, size in noisy.items()
    )
    p = summarize_layers(table).set_index("measure").p_below_best
    assert p["cka"] == p["nbs"] == 1  # both find every layer, in every network
    assert p["hsic"] < 1e-3


def test_p_against_the_best_is_rarely_small_for_equally_good_measures():
    """Two measures with the same expected accuracy: a difference is found in few draws."""
    rng = np.random.default_rng(4)
    right = cube(6, 5, lambda _a, i, _b, j: -abs(i - j))
    found = 0
    for _ in range(60):
        table = pd.concat(
            scores_table(right + noise(rng, right), name, "trained", higher_is_closer=True)
            for name in ("cka", "nbs")
        )
        found += summarize_layers(table).p_below_best.min() < 0.05
    # One-sided, against the better of two: at most 2 × 5 % expected, 12 of 60 with p < 0.02.
    assert 0 < found < 13


def noise(rng, like):
    """Return noise per pair of layers, the same in both directions."""
    drawn = rng.standard_normal(like.shape)
    return (drawn + drawn.transpose(2, 3, 0, 1)) / 2**0.5


def test_silent_units_are_dropped_and_counted():
    layer = np.random.default_rng(0).standard_normal((10, 4))
    layer[:, 2] = 3
    (kept,), n_silent = drop_constant([layer])
    assert kept.shape == (10, 3)
    assert n_silent == 1


def test_digits_are_split_by_writer_and_scaled():
    train, held_out = images.load("digits", [])
    assert train.pixels.shape == (1000, 1, 8, 8)
    assert held_out.pixels.shape == (797, 1, 8, 8)
    assert train.pixels.dtype == np.float32
    assert train.pixels.mean() == pytest.approx(0, abs=1e-5)
    assert train.pixels.std() == pytest.approx(1, abs=1e-5)
    assert len(images.to_compare(train, held_out, 800, "training").classes) == 800
    with pytest.raises(ValueError, match="at most 797, the number of held_out images, got 798"):
        images.to_compare(train, held_out, 798, "held_out")


@pytest.fixture(scope="module")
def trained():
    train, held_out = images.load("digits", [])
    network = convnets.make_network("digits", train, seed=1)
    before = convnets.activations(network, held_out, CPU)
    curve = convnets.train_network(network, train, held_out, seed=2, device=CPU, **TRAINING)
    return before, curve, convnets.activations(network, held_out, CPU)


def test_network_learns_the_digits(trained):
    before, curve, after = trained
    assert curve[0, 2] < 0.3
    assert curve[-1, 2] > 0.8
    assert curve[-1, 1] < curve[1, 1]
    assert [layer.shape[1] for layer in after] == layer_widths("digits")
    assert layer_widths("digits") == [512, 512, 256, 256, 256, 512, 128, 128, 32]
    for first, last in zip(before, after, strict=True):
        assert (last >= 0).all()
        assert not np.array_equal(first, last)


def test_training_is_reproducible_and_does_not_change_the_global_random_state(trained):
    train, held_out = images.load("digits", [])
    torch.manual_seed(5)
    state = torch.get_rng_state()
    network = convnets.make_network("digits", train, seed=1)
    convnets.train_network(network, train, held_out, seed=2, device=CPU, **TRAINING)
    again = convnets.activations(network, held_out, CPU)
    assert torch.equal(torch.get_rng_state(), state)
    for first, second in zip(trained[2], again, strict=True):
        np.testing.assert_array_equal(first, second)
    other = convnets.activations(convnets.make_network("digits", train, seed=3), held_out, CPU)
    assert not np.array_equal(other[0], trained[0][0])


def test_cifar10_is_read_from_its_archive(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    cifar_archive(path)
    train, held_out = images.load("cifar10", [path])
    assert train.pixels.shape == (200, 3, 32, 32)
    assert held_out.pixels.shape == (40, 3, 32, 32)
    assert held_out.classes.tolist() == [k % 10 for k in range(40)]
    network = convnets.make_network("cifar10", train, seed=0)
    settings = {**TRAINING, "n_steps": 2, "largest_shift": 4}
    convnets.train_network(network, train, held_out, seed=0, device=CPU, **settings)
    layers = convnets.activations(network, held_out, CPU)
    assert [layer.shape[1] for layer in layers] == layer_widths("cifar10")
    # Kornblith et al. 2019, table E.1: 32², 16², 8² and, without padding, 6² positions.
    assert layer_widths("cifar10") == [16384] * 2 + [8192] * 3 + [4096] + [2304] * 2 + [64]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("data_batch_3.bin", "expected data_batch_3.bin to hold records of 3073 bytes"),
        ("no test_batch.bin", "expected a member test_batch.bin"),
    ],
)
def test_error_for_a_damaged_archive_is_one_sentence(tmp_path, damage, sentence):
    cifar_archive(tmp_path / "damaged.tar.gz", damage)
    with pytest.raises(ValueError, match=sentence):
        images.load("cifar10", [tmp_path / "damaged.tar.gz"])


def test_unrelated_data_look_alike_with_few_samples():
    """Kornblith et al. 2019, theorem 1; and the closed form for CKA of unrelated data."""
    x = draw(400, 40)
    names = ("cca", "linreg", "cka", "cka_debiased")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", registry.SaturatedScoreWarning)
        table = unrelated_scores(x, [registry.load(name) for name in names], seeds=[1, 2, 3])
    scores = table.set_index(["measure", "n_samples"]).score_mean
    few, many = table.n_samples.min(), table.n_samples.max()
    assert (few, many) == (30, 400)
    for name in ("cca", "linreg"):
        assert scores[name, few] == pytest.approx(1)
        assert scores[name, many] < 0.5
    # Both have 40 dimensions of equal variance but for sampling: √(PR PR)/(n − 1).
    assert scores["cka", many] == pytest.approx(40 / 399, rel=0.15)
    assert abs(scores["cka_debiased", few]) < 0.1


def test_images_have_to_be_more_than_neurons_for_measures_that_saturate():
    require_distinguishable_layers("digits", 797, ["cca", "linreg"])
    require_distinguishable_layers("cifar10", 2000, [])
    with pytest.raises(ValueError, match="more than 16385 images for cca, got 2000: 8 of 9 layers"):
        require_distinguishable_layers("cifar10", 2000, ["cca"])
    with pytest.raises(
        ValueError, match=r"for linreg, got 513: 3 of 9 layers .* have 512 neurons,"
    ):
        require_distinguishable_layers("digits", 513, ["linreg"])


def test_only_the_measures_that_the_table_names_saturate():
    rng = np.random.default_rng(5)
    # As many independent neurons as samples allow, with most variance in few of them.
    x, y = (torch.from_numpy(rng.standard_normal((40, 44)) * 0.8 ** np.arange(44)) for _ in "xy")
    for entry in ENTRIES:
        for name in entry.names:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                score = score_or_nan(name, x, y)
            assert (abs(score - 1) < 1e-9) == entry.saturates, name


def score_or_nan(name, x, y):
    """Return the score, or NaN where the measure refuses data of this shape."""
    try:
        return registry.load(name).score(x, y).item()
    except ValueError:
        return float("nan")
