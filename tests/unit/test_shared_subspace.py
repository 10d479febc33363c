"""Components that two layers share, and maps of trained and untrained networks."""

import numpy as np
import pytest
import torch

from scorebounds.figures.networks import components_figure, states_figure
from scorebounds.measures import registry
from scorebounds.measures.components import principal_components
from scorebounds.networks.shared_subspace import compare_components, components_table, state_maps


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.fixture(scope="module")
def networks():
    """Three networks of two layers that share a strong component."""
    shared = 3 * drawn(40, 1)
    return [
        [drawn(40, width, seed=10 * network + width) + shared for width in (5, 35)]
        for network in range(1, 4)
    ]


def test_shares_are_those_of_the_cka(networks):
    (x, *_), (y, *_) = networks[:2]
    rows, cka = compare_components(principal_components(x), principal_components(y))
    assert cka == pytest.approx(float(registry.load("cka").between([x], [y])[0, 0]))
    assert rows[:, 2].sum() == pytest.approx(1)
    # By hand, from the eigenvectors of the kernels of centred activations.
    x, y = ((layer - layer.mean(0)).numpy() for layer in (x, y))
    values, vectors = np.linalg.eigh(x @ x.T)
    first = vectors[:, -1]
    along = float(first @ y @ y.T @ first)
    assert rows[0, 1] == pytest.approx(along / np.linalg.eigvalsh(y @ y.T)[-1])
    assert rows[0, 2] == pytest.approx(values[-1] * along / np.sum((x.T @ y) ** 2))


def test_rotated_layer_has_all_components(networks):
    x = networks[0][0]
    rotation = torch.linalg.qr(drawn(5, 5, seed=3))[0]
    rows, cka = compare_components(principal_components(x), principal_components(2 * x @ rotation))
    assert cka == pytest.approx(1)
    assert np.allclose(rows[:, 0], rows[:, 1])


def test_table_has_the_mean_over_ordered_pairs(networks):
    table = components_table(networks)
    assert set(table.n_pairs) == {6}
    assert table.groupby("layer").size().tolist() == [5, 30]
    assert (table.groupby("layer").cumulative_share.last() <= 1 + 1e-12).all()
    assert table.cumulative_share[4] == pytest.approx(1)
    measure = registry.load("cka")
    firsts = [network[0] for network in networks]
    scores = measure.between(firsts).numpy()
    assert table.cka[0] == pytest.approx(scores[~np.eye(3, dtype=bool)].mean())
    figure, _ = components_figure(table)
    assert [axis.get_title()[:7] for axis in figure.axes] == ["layer 1", "layer 2"]


def test_maps_compare_different_networks_only(networks):
    measure = registry.load("cka")
    maps = state_maps(networks, networks[:2], measure)
    pairs = maps.groupby("networks", sort=False).n_pairs.first().to_dict()
    assert pairs == {"trained, trained": 6, "trained, untrained": 4, "untrained, untrained": 2}
    row = maps.query("networks == 'untrained, untrained' and layer == 1 and other_layer == 2")
    one, other = networks[:2]
    expected = [
        float(measure.between([a[0]], [b[1]])[0, 0]) for a, b in ((one, other), (other, one))
    ]
    assert row.score.item() == pytest.approx(np.mean(expected))
    figure, _ = states_figure(maps)
    assert len([axis for axis in figure.axes if axis.get_ylabel().startswith("layer")]) == 3
    without = state_maps(networks, [], measure)
    assert set(without.networks) == {"trained, trained"}
