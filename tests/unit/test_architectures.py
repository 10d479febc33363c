"""Networks of several widths and depths, with shortcuts, their linear probes and their figures."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import RidgeClassifier

from scorebounds.figures.architectures import (
    depth_figure,
    other_data_figure,
    residual_figure,
    width_figure,
)
from scorebounds.measures import registry
from scorebounds.networks import convnets
from scorebounds.networks.architectures import (
    HALVES,
    convolutions_of,
    layer_widths,
    variant_names,
)
from scorebounds.networks.comparisons import (
    SAME_WIDTH,
    WIDEST,
    comparison_maps,
    maps_to_make,
    other_data_table,
    width_table,
)
from scorebounds.networks.images import Images, half_of
from scorebounds.networks.probes import PENALTY, probe_accuracy
from scorebounds.networks.recorded_layers import trained_layers

CPU = torch.device("cpu")
SETTINGS = {"widths": [0.5, 1, 2], "depths": [1, 2], "residual_blocks": [1]}
TRAINING = {
    "n_steps": 2,
    "batch_size": 8,
    "learning_rate": 0.1,
    "weight_decay": 0.0,
    "largest_shift": 1,
}


def images(n=30, seed=0):
    rng = np.random.default_rng(seed)
    return Images(rng.standard_normal((n, 1, 8, 8)).astype(np.float32), np.arange(n) % 3)


def test_each_network_is_trained_once():
    names = variant_names(SETTINGS)
    sizes = ["tiny-1x1", "tiny-0.5x1", "tiny-2x1", "tiny-1x2", "plain-1", "residual-1"]
    assert names == [*sizes, *HALVES]


@pytest.mark.parametrize("variant", [*variant_names(SETTINGS), "residual-2", "tiny-1x8"])
def test_layers_have_the_sizes_of_the_plan(variant):
    network = convnets.make_network("digits", images(), 0, variant)
    layers = convnets.activations(network, images(4), CPU)
    plan = convolutions_of("digits", variant)
    assert len(layers) == len(plan) + 1
    assert layers[-1].shape == (4, plan[-1].n_channels)
    first = convolutions_of("digits", "tiny-1x1")[0].n_channels
    assert [layer.shape[1] for layer in layers] == layer_widths("digits", variant)
    if variant == "tiny-2x1":
        assert layers[0].shape == (4, 2 * first * 64)
    if variant == "tiny-1x8":
        assert len(plan) == 64
    if variant.startswith("residual"):
        assert len(plan) == 1 + 6 * int(variant[-1])


def test_shortcut_adds_the_input_of_the_block():
    network = convnets.make_network("digits", images(), 0, "residual-1").eval()
    pixels = torch.from_numpy(images(5).pixels).double()
    layers = network.layers(pixels)
    blocks = network.blocks
    # The first block keeps the shape; the second has half the positions and twice the channels.
    assert torch.allclose(layers[2], torch.relu(blocks[2](layers[1]) + layers[0]))
    before = torch.zeros_like(layers[4])
    before[:, : layers[2].shape[1]] = layers[2][..., ::2, ::2]
    assert torch.allclose(layers[4], torch.relu(blocks[4](layers[3]) + before))


def test_plain_network_has_the_same_weights_without_shortcuts():
    plain, residual = (
        convnets.make_network("digits", images(), 0, f"{kind}-1") for kind in ("plain", "residual")
    )
    for one, other in zip(plain.parameters(), residual.parameters(), strict=True):
        assert torch.equal(one, other)
    first, second = (convnets.activations(each, images(5), CPU) for each in (plain, residual))
    assert np.array_equal(first[1], second[1])
    assert not np.allclose(first[2], second[2])


@pytest.mark.parametrize("width", [5, 60])
def test_probe_is_ridge_regression_of_indicators(width):
    rng = np.random.default_rng(width)
    centres = rng.standard_normal((3, width))
    classes, held_out = np.arange(40) % 3, np.arange(90) % 3
    x, z = (centres[y] + 1.5 * rng.standard_normal((len(y), width)) for y in (classes, held_out))
    penalty = PENALTY * np.square(x - x.mean(0)).sum() / len(x)
    expected = RidgeClassifier(alpha=penalty).fit(x, classes).score(z, held_out)
    assert probe_accuracy(x, classes, z, held_out) == pytest.approx(expected)
    assert 1 / 3 < expected < 1


def test_record_has_a_probe_for_each_layer():
    stored = trained_layers(
        "digits",
        1,
        images(),
        images(seed=1),
        images(seed=1),
        seed=0,
        device=CPU,
        training=TRAINING,
        untrained=False,
        variant="tiny-0.5x1",
        probes=True,
    )
    assert stored.sizes["layer"] == stored.attrs["n_layers"] == 9
    assert ((stored.probe >= 0) & (stored.probe <= 1)).all()
    assert stored["class"].values.tolist() == images(seed=1).classes.tolist()


def drawn(*widths, seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(20, width, generator=generator, dtype=torch.float64) for width in widths]


@pytest.fixture(scope="module")
def networks():
    return {
        name: [drawn(*[3] * n_layers, seed=10 * number + copy) for copy in range(2)]
        for number, (name, n_layers) in enumerate(
            {
                "tiny-1x1": 3,
                "tiny-0.5x1": 3,
                "tiny-2x1": 3,
                "tiny-1x2": 5,
                "plain-1": 4,
                "residual-1": 4,
            }.items()
        )
    }


def test_maps_are_those_of_the_measure(networks):
    measure = registry.load("cka")
    assert maps_to_make(list(networks)) == [
        ("tiny-1x1", "tiny-1x1"),
        ("tiny-1x2", "tiny-1x2"),
        ("plain-1", "plain-1"),
        ("residual-1", "residual-1"),
        ("tiny-1x1", "residual-1"),
        ("plain-1", "residual-1"),
    ]
    table = comparison_maps(networks, measure)
    row = table[(table.network == "tiny-1x1") & (table.other_network == "residual-1")]
    assert len(row) == 12
    one = row[(row.layer == 2) & (row.other_layer == 4)].score.item()
    expected = measure.score(networks["tiny-1x1"][0][1], networks["residual-1"][0][3])
    assert one == pytest.approx(expected.item())


def test_widths_are_compared_with_the_widest_and_with_the_same(networks):
    measure = registry.load("cka")
    table = width_table(networks, measure)
    assert sorted(set(table.width)) == [0.5, 1, 2]
    counts = table.groupby(["width", "compared_with"]).n_pairs.first()
    assert counts[0.5, WIDEST] == 4
    assert counts[0.5, SAME_WIDTH] == counts[2, WIDEST] == counts[2, SAME_WIDTH] == 1
    first, second = (network[2] for network in networks["tiny-0.5x1"])
    rows = table[(table.width == 0.5) & (table.compared_with == SAME_WIDTH) & (table.layer == 3)]
    assert rows.score_mean.item() == pytest.approx(measure.score(first, second).item())


def test_figures_show_the_tables(networks):
    measure = registry.load("cka")
    maps, widths = comparison_maps(networks, measure), width_table(networks, measure)
    probes = pd.concat(
        pd.DataFrame(
            {
                "network": name,
                "number": number,
                "layer": np.arange(1, len(layers) + 1),
                "probe_accuracy": np.linspace(0.5, 0.9, len(layers)),
                "network_accuracy": 0.95,
            }
        )
        for name, copies in networks.items()
        for number, layers in enumerate(copies, 1)
    )
    figure, shown = depth_figure(maps, probes)
    assert set(shown.network) == {"tiny-1x1", "tiny-1x2"}
    assert [axis.get_title() for axis in figure.axes[:2]] == ["3 layers", "5 layers"]
    curves = [list(line.get_ydata()) for line in figure.axes[3].lines]
    assert any(np.allclose(curve, np.linspace(0.5, 0.9, 5)) for curve in curves if len(curve) == 5)
    figure, shown = residual_figure(maps)
    assert len([axis for axis in figure.axes if axis.images]) == 4
    assert residual_figure(maps[maps.network.str.startswith("tiny-1x2")])[0].texts
    figure, _ = width_figure(widths)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["layer 1", "layer 2", "layer 3"]


@pytest.mark.parametrize(("n_classes", "of_first"), [(10, 5), (3, 2), (2, 1)])
def test_halves_of_the_classes_share_no_image_and_count_from_zero(n_classes, of_first):
    pixels = np.arange(40.0)
    whole = Images(pixels, np.arange(40) % n_classes)
    first, second = (half_of(whole, number) for number in (0, 1))
    assert sorted([*first.pixels, *second.pixels]) == pixels.tolist()
    assert set(first.classes) == set(range(of_first))
    assert set(second.classes) == set(range(n_classes - of_first))
    for half, shift in ((first, 0), (second, of_first)):
        places = half.pixels.astype(int)
        assert np.array_equal(whole.classes[places], half.classes + shift)


def test_network_of_a_half_has_its_classes_only_and_is_shown_all_images():
    digits, others = images(60), images(60, seed=1)
    recorded = trained_layers(
        "digits",
        1,
        digits,
        others,
        others,
        seed=0,
        device=CPU,
        training=TRAINING,
        untrained=True,
        variant=HALVES[1],
    )
    assert recorded["class"].values.tolist() == others.classes.tolist()
    assert recorded.trained_1.shape == recorded.untrained_1.shape == (60, layer_widths("digits")[0])
    # One class is left of three: any network is right.
    assert recorded.curve[-1, -1] == 1


def test_networks_of_other_data_are_compared_for_images_of_either_half():
    measure = registry.load("cka")
    classes = np.arange(20) % 4
    first, second, untrained = (
        [drawn(3, 4, seed=100 * kind + copy) for copy in range(3)] for kind in range(3)
    )
    halves = dict(zip(HALVES, (first, second), strict=True))
    table = other_data_table(halves, untrained, classes, measure)
    counts = table.groupby("networks").n_pairs.unique().map(list).to_dict()
    assert counts == {
        "first and first half": [3],
        "second and second half": [3],
        "first and second half": [9],
        "first half and untrained": [6],
        "second half and untrained": [9],
    }
    row = table[
        (table.images == "second half of the classes")
        & (table.networks == "first half and untrained")
        & (table.layer == 2)
    ]
    expected = [
        measure.score(first[i][1][classes >= 2], untrained[j][1][classes >= 2]).item()
        for i in range(3)
        for j in range(3)
        if i != j
    ]
    assert row.score_mean.item() == pytest.approx(np.mean(expected))
    assert row.score_low.item() == pytest.approx(min(expected))
    assert row.score_high.item() == pytest.approx(max(expected))
    figure, shown = other_data_figure(table)
    assert shown is table
    visible = [axis for axis in figure.axes if axis.get_visible()]
    assert len(visible) == 2
    means = [list(line.get_ydata()) for line in visible[1].lines]
    of_kind = table[(table.networks == "first half and untrained")]
    of_kind = of_kind[of_kind.images == "second half of the classes"]
    assert of_kind.score_mean.tolist() in means
