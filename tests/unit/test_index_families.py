"""SVCCA by the variance kept, canonical ridge, first components, and CKA within classes."""

import numpy as np
import pytest
import torch

from scorebounds.figures.layer_indexes import class_figure, families_figure, first_components_figure
from scorebounds.measures import registry
from scorebounds.measures.components import principal_components
from scorebounds.networks.index_families import (
    PENALTIES,
    SHARES,
    canonical_ridge,
    families_table,
    truncated_correlations,
)
from scorebounds.networks.layers import match_accuracy, symmetrised
from scorebounds.networks.single_images import (
    ALL_IMAGES,
    WITHIN_CLASS,
    class_maps,
    first_components,
)

CLASSES = np.repeat([0, 1, 2], 20)


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def layer(seed, width=8):
    """Return activations with a spectrum that decays, in part the same for all seeds."""
    shared = drawn(60, 3, seed=99) @ drawn(3, width, seed=seed)
    return 2 * shared + drawn(60, width, seed=seed + 50) * torch.arange(1, width + 1) ** -1.0


@pytest.fixture(scope="module")
def networks():
    return [
        [layer(10 * network + depth, 4 + 2 * depth) for depth in range(3)] for network in range(3)
    ]


@pytest.fixture(scope="module")
def pair():
    first, second = (principal_components(layer(seed)) for seed in (1, 2))
    return first.eigenvectors.T @ second.eigenvectors, first, second


@pytest.mark.parametrize("share", SHARES)
def test_svcca_is_the_registered_measure_at_each_share(pair, share):
    scores = truncated_correlations(*pair)[:, SHARES.index(share)]
    names = (f"svcca_{share}", f"svcca_r2_{share}")
    expected = [registry.load(name).score(layer(1), layer(2)).item() for name in names]
    assert scores == pytest.approx(expected)


def test_canonical_ridge_is_cka_of_layers_whitened_by_hand(pair):
    x, y = ((values - values.mean(0)).numpy() for values in (layer(1), layer(2)))

    def whitened(values, penalty):
        covariance = values.T @ values
        largest = np.linalg.eigvalsh(covariance)[-1]
        eigenvalues, vectors = np.linalg.eigh(
            covariance + penalty * largest * np.eye(len(covariance))
        )
        return values @ vectors @ np.diag(eigenvalues**-0.5) @ vectors.T

    scores = canonical_ridge(*pair)
    for row, penalty in enumerate(PENALTIES[:-1]):
        for column, other in enumerate(PENALTIES[:-1]):
            a, b = whitened(x, penalty), whitened(y, other)
            cka = np.sum((a.T @ b) ** 2) / np.linalg.norm(a.T @ a) / np.linalg.norm(b.T @ b)
            assert scores[row, column] == pytest.approx(cka)


def test_corners_of_canonical_ridge_are_cca_regression_and_cka(pair):
    x, y = layer(1), layer(2)
    scores = canonical_ridge(*pair)
    width = x.shape[1]
    assert scores[-1, -1] == pytest.approx(registry.load("cka").score(x, y).item())
    # Of equal ranks the factor of R²_CCA is 1.
    assert scores[0, 0] == pytest.approx(registry.load("cca_r2").score(x, y).item())
    values = pair[1].eigenvalues
    factor = values.sum() / values.norm() / width**0.5
    assert scores[-1, 0] == pytest.approx(float(factor * registry.load("linreg").score(x, y)))


def test_table_finds_layers_as_the_measures_do(networks):
    table = families_table(networks)
    layers = [each for network in networks for each in network]
    for name, rows in (
        ("svcca_r2", table[(table["index"] == "svcca_r2") & (table.share == 0.99)]),
        ("cka", table[np.isinf(table.penalty) & np.isinf(table.other_penalty)]),
    ):
        scores = registry.load(name).between(layers).numpy().reshape(3, 3, 3, 3)
        found = np.nanmean(match_accuracy(symmetrised(scores), higher_is_closer=True))
        (row,) = rows.to_dict("records")
        assert row["accuracy"] == pytest.approx(found)
        assert row["low"] <= found <= row["high"]
        assert row["chance"] == pytest.approx(1 / 3)
    assert len(table) == 2 * len(SHARES) + len(PENALTIES) ** 2


def test_families_figure_shows_the_accuracies(networks):
    table = families_table(networks)
    figure, shown = families_figure(table)
    assert shown is table
    lines, image = figure.axes[0].lines, figure.axes[1].images[0]
    of_svcca = table[table["index"] == "svcca"].accuracy.tolist()
    assert any(list(line.get_ydata()) == of_svcca for line in lines)
    ridge = table[table["index"] == "canonical_ridge"].accuracy.to_numpy()
    assert np.array_equal(np.asarray(image.get_array()).ravel(), ridge)
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()][::6] == ["0", "∞"]


def test_components_of_the_second_network_have_the_signs_of_the_first():
    x = drawn(60, 2) * torch.tensor([3.0, 1.0])
    networks = [[x, x, x], [x, -x, x]]
    table = first_components(networks, CLASSES)
    first, second = (table[table.network == number] for number in (1, 2))
    assert set(table.layer) == {2}
    assert first.label.tolist() == CLASSES.tolist()
    for name in ("pc1", "pc2"):
        assert np.allclose(first[name], second[name])
        assert first[name].std(ddof=0) == pytest.approx(1)
    figure, _ = first_components_figure(table)
    points = [axis.collections[0].get_offsets() for axis in figure.axes]
    assert np.allclose(points[0], points[1])
    assert any("1.00, 1.00" in text.get_text() for text in figure.axes[1].texts)


def test_within_classes_only_differences_within_classes_count():
    shift = 10 * drawn(3, 6, seed=5)[CLASSES]
    networks = [[shift + drawn(60, 6, seed=seed)] for seed in (1, 2)]
    networks[0][0][CLASSES == 0, 2] = 1.0  # silent within a class
    table = class_maps(networks, CLASSES, [registry.load("cka_debiased")])
    scores = table.set_index("images").score
    assert scores[ALL_IMAGES] > 0.9
    assert abs(scores[WITHIN_CLASS]) < 0.2
    assert table.set_index("images").n_images.to_dict() == {ALL_IMAGES: 60, WITHIN_CLASS: 20}


def test_class_figure_has_a_map_per_measure_and_set_of_images(networks):
    measures = [registry.load(name) for name in ("cka", "cka_debiased")]
    table = class_maps(networks, CLASSES, measures)
    figure, _ = class_figure(table)
    maps = [axis.images[0] for axis in figure.axes if axis.images]
    assert len(maps) == 4
    first = table[(table.measure == "cka") & (table["images"] == ALL_IMAGES)]
    assert np.allclose(np.asarray(maps[0].get_array()).ravel(), first.score)
