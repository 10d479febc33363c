"""Activations of torch models: which layers, in which mode, and what is refused."""

import numpy as np
import psutil
import pytest
import torch
from torch import nn

import scorebounds as sb


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(3 * 16, 4)

    def forward(self, pixels):
        hidden = self.drop(torch.relu(self.norm(self.conv(pixels))))
        return self.head(hidden.flatten(1))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def pixels():
    return torch.randn(10, 1, 6, 6, generator=torch.Generator().manual_seed(1))


def test_layers_are_recorded_as_the_model_computes_them(net, pixels):
    net.eval()
    with torch.no_grad():
        expected = net.conv(pixels).flatten(1).numpy()
        output = net(pixels).numpy()
    found = sb.activations(net, pixels, batch_size=3)
    assert list(found) == ["conv", "norm", "drop", "head"]
    assert found["conv"].dims == ("sample", "neuron")
    np.testing.assert_allclose(found["conv"].values, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["head"].values, output, rtol=1e-5, atol=1e-6)


def test_model_is_left_as_it_was(net, pixels):
    net.train()
    net.norm.eval()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    sb.activations(net, pixels)
    assert net.training
    assert net.drop.training
    assert not net.norm.training
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in state.items())
    assert not net.conv._forward_hooks
    assert all(parameter.grad is None for parameter in net.parameters())


def test_model_is_left_as_it_was_after_an_error(net):
    net.train()
    with pytest.raises(ValueError, match="expected inputs that Net takes"):
        sb.activations(net, torch.ones(5, 2))
    assert net.training
    assert not net.conv._forward_hooks


def test_out_of_memory_is_not_blamed_on_the_inputs(net, pixels, monkeypatch):
    monkeypatch.setattr(net, "forward", lambda _: torch.empty(10**15))
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        sb.activations(net, pixels)


def test_patterns_and_pooling(net, pixels):
    assert list(sb.activations(net, pixels, layers=["head", "co*"])) == ["conv", "head"]
    pooled = sb.activations(net, pixels, layers="conv", pool="mean")["conv"]
    whole = sb.activations(net, pixels, layers="conv")["conv"].values.reshape(10, 3, 16)
    np.testing.assert_allclose(pooled.values, whole.mean(-1), rtol=1e-5)
    with pytest.raises(ValueError, match="a layer named 'block'"):
        sb.activations(net, pixels, layers=["block"])
    with pytest.raises(ValueError, match="pool"):
        sb.activations(net, pixels, pool="median")


def test_batches_of_a_loader_and_names(net, pixels):
    data = torch.utils.data.TensorDataset(pixels, torch.arange(10))
    loader = torch.utils.data.DataLoader(data, batch_size=4)
    names = [f"image {number}" for number in range(10)]
    found = sb.activations(net, loader, layers="head", names=names)["head"]
    expected = sb.activations(net, pixels, layers="head")["head"]
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(2))
    shuffled = sb.activations(
        net, pixels[order], layers="head", names=[names[number] for number in order]
    )
    scores = sb.scores(found, shuffled, ["cka"], match="names")
    assert scores.score.item() == pytest.approx(1)
    with pytest.raises(ValueError, match="a name for each of the 10 samples, got 2"):
        sb.activations(net, pixels, names=["a", "b"])


def test_half_precision_is_stored_in_single(net, pixels):
    found = sb.activations(net.bfloat16(), pixels, layers="head")["head"]
    assert found.dtype == np.float32


def test_a_layer_that_runs_twice_or_gives_no_rows_is_refused(pixels):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Identity()

        def forward(self, pixels):
            return self.layer(self.layer(pixels))

    with pytest.raises(ValueError, match="run once for each batch"):
        sb.activations(Twice(), pixels)


def test_too_large_activations_are_refused_before_they_are_made(net, pixels, monkeypatch):
    class Memory:
        available = 1000

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    with pytest.raises(ValueError, match="of memory are free; choose fewer layers"):
        sb.activations(net, pixels, batch_size=2)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(pixels), batch_size=2)
    with pytest.raises(ValueError, match="of memory are free; choose fewer layers"):
        sb.activations(net, loader)


class Block(nn.Module):
    """A residual block, as in ResNet: one ReLU module runs twice, and a shortcut is added."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.downsample = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride=2), nn.BatchNorm2d(n_out))

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + self.downsample(x))


def test_residual_blocks_by_pattern():
    torch.manual_seed(0)
    stages = {"layer1": Block(3, 4), "layer2": Block(4, 8)}
    net = nn.Sequential()
    for name, block in stages.items():
        net.add_module(name, block)
    images = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    found = sb.activations(net, images, layers="layer?", pool="mean")
    assert {name: layer.shape for name, layer in found.items()} == {
        "layer1": (6, 4),
        "layer2": (6, 8),
    }
    net.eval()
    with torch.no_grad():
        expected = net(images).mean((2, 3))
    np.testing.assert_allclose(found["layer2"].values, expected, rtol=1e-5)
    # The inplace ReLU must not change what was recorded of the layer before it.
    normed = sb.activations(net, images, layers="layer1.bn1")["layer1.bn1"]
    assert normed.values.min() < 0
    with pytest.raises(ValueError, match=r"'layer1.relu' to run once"):
        sb.activations(net, images, layers="layer1.relu")


def test_a_single_layer_and_arrays_of_numpy():
    layer = nn.Linear(6, 2)
    values = np.random.default_rng(0).normal(size=(5, 6))
    found = sb.activations(layer, values)
    expected = layer(torch.from_numpy(values).float()).detach()
    assert list(found) == ["Linear"]
    np.testing.assert_allclose(found["Linear"].values, expected, rtol=1e-5)
    with pytest.raises(TypeError, match="expected a torch module, got int"):
        sb.activations(3, values)


def test_scores_of_layers_make_a_profile(net, pixels):
    layers = sb.activations(net, pixels)
    table = sb.scores(layers["conv"], layers, ["cka", "linreg"])
    assert list(dict.fromkeys(table.model)) == ["conv", "norm", "drop", "head"]
    assert table.score.iloc[0] == pytest.approx(1)
    (axis,) = table.plot().axes
    assert [label.get_text() for label in axis.get_xticklabels()] == list(layers)


def test_profile_over_many_layers_stays_readable():
    rng = np.random.default_rng(2)
    layers = {f"features.block{depth}.conv{depth % 2}": depth for depth in range(40)}
    table = sb.scores(
        rng.normal(size=(12, 3)), {name: rng.normal(size=(12, 4)) for name in layers}, ["cka"]
    )
    figure = table.plot()
    (axis,) = figure.axes
    assert figure.get_size_inches()[0] * 25.4 <= 183.1
    assert axis.lines[0].get_linestyle() == "-"
    assert len(axis.lines[0].get_xdata()) == 40
    assert axis.get_xticks().tolist() == list(range(0, 40, 3))
    named = [label.get_text() for label in axis.get_xticklabels()]
    assert all(name in layers for name in named)
    assert named[1] == "features.block3.conv1"


def test_layers_that_do_not_run_once_are_left_out_unless_they_are_named(caplog):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.block, self.unused = Block(3, 4), nn.Linear(2, 2)
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, images):
            tokens = self.block(images).flatten(2).transpose(1, 2)
            return self.attention(tokens, tokens, tokens)[0].mean(1)

    net, images = Odd(), torch.randn(6, 3, 8, 8)
    found = sb.activations(net, images, batch_size=2)
    assert "block.conv1" in found
    assert found["block.conv1"].shape == (6, 4 * 4 * 4)
    assert not {"block.relu", "unused", "attention.out_proj"} & set(found)
    assert "left out 3 layers that do not run once" in caplog.text
    assert "block.relu" not in sb.activations(net, images, layers="block.*")
    for name in ("block.relu", "unused"):
        with pytest.raises(ValueError, match=f"'{name}' to run once"):
            sb.activations(net, images, layers=["block.conv1", name])
    assert sb.activations(net, images, layers="attention")["attention"].shape == (6, 16 * 4)
