"""Small convolutional networks that differ only in their random seed."""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from scorebounds.networks.architectures import STANDARD, Convolution, convolutions_of
from scorebounds.networks.images import Images
from scorebounds.networks.trials import PRECISION

logger = logging.getLogger(__name__)

MOMENTUM = 0.9
N_POINTS = 20
EVALUATION_BATCH = 500


class ConvNet(nn.Module):
    """Convolutions, the mean over the image, and a dense layer.

    Parameters
    ----------
    plan : sequence of Convolution
    n_colours, n_classes : int
        Channels of the image and number of classes.
    """

    def __init__(self, plan: Sequence[Convolution], n_colours: int, n_classes: int):
        super().__init__()
        self.plan = tuple(plan)
        blocks, n_before = [], n_colours
        for layer in plan:
            convolution = nn.Conv2d(
                n_before,
                layer.n_channels,
                layer.size,
                stride=layer.stride,
                padding=layer.size // 2 if layer.padded else 0,
                bias=False,
                dtype=PRECISION,
            )
            norm = nn.BatchNorm2d(layer.n_channels, dtype=PRECISION)
            last = nn.Identity() if layer.shortcut else nn.ReLU()
            blocks.append(nn.Sequential(convolution, norm, last))
            n_before = layer.n_channels
        self.blocks = nn.ModuleList(blocks)
        self.readout = nn.Linear(n_before, n_classes, dtype=PRECISION)

    def layers(self, pixels: Tensor) -> list[Tensor]:
        """Return every convolution after its rectifier, and the mean of the last over positions."""
        activations: list[Tensor] = []
        before = pixels
        for layer, block in zip(self.plan, self.blocks, strict=True):
            entered, pixels = pixels, block(pixels)
            if layer.shortcut:
                pixels = nn.functional.relu(pixels + _shortcut(before, pixels))
            activations.append(pixels)
            before = entered
        return [*activations, pixels.mean((-2, -1))]

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the logits, shape (n, n_classes)."""
        logits: Tensor = self.readout(self.layers(pixels)[-1])
        return logits


def _shortcut(start: Tensor, end: Tensor) -> Tensor:
    """Return the input of a block in the shape of its output, with zeros for more channels."""
    stride = -(-start.shape[-1] // end.shape[-1])
    missing = end.shape[1] - start.shape[1]
    return nn.functional.pad(start[..., ::stride, ::stride], (0, 0, 0, 0, 0, missing))


def make_network(name: str, train: Images, seed: int, variant: str = STANDARD) -> ConvNet:
    """Make an untrained network for the images of this name, its weights drawn from `seed`.

    `variant` is a name of `architectures.variant_names`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        n_classes = int(train.classes.max()) + 1
        network = ConvNet(convolutions_of(name, variant), train.pixels.shape[1], n_classes)
    # With channels last, PyTorch's convolutions in double precision take 0.6 of the time.
    nn.utils.convert_conv2d_weight_memory_format(network, torch.channels_last)
    return network


def train_network(
    network: ConvNet,
    train: Images,
    held_out: Images,
    *,
    seed: int,
    n_steps: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    largest_shift: int,
    device: torch.device,
) -> np.ndarray:
    """Train by stochastic gradient descent with momentum.

    The learning rate falls to zero along half a cosine. Every batch is drawn at random and shifted
    by up to `largest_shift` pixels in both directions.

    Parameters
    ----------
    seed : int
        Of the batches and shifts.

    Returns
    -------
    ndarray, shape (N_POINTS + 1, 3)
        Step, mean training loss since the last point (NaN at the first), accuracy on the held-out
        images.
    """
    network.to(device)
    draw = torch.Generator().manual_seed(seed)
    pixels, classes = _tensors(train, device)
    padded = nn.functional.pad(pixels, (largest_shift,) * 4, value=pixels.min().item())
    sgd = torch.optim.SGD(
        network.parameters(),
        lr=learning_rate,
        momentum=MOMENTUM,
        nesterov=True,
        weight_decay=weight_decay,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, n_steps)
    rows, columns = pixels.shape[-2:]
    points = {round(n_steps * point / N_POINTS) for point in range(1, N_POINTS + 1)}
    curve, losses = [(0.0, float("nan"), accuracy(network, held_out, device))], []
    for step in range(1, n_steps + 1):
        network.train()
        chosen = torch.randint(len(classes), (batch_size,), generator=draw).to(device)
        down, right = torch.randint(2 * largest_shift + 1, (2,), generator=draw).tolist()
        batch = padded[chosen, :, down : down + rows, right : right + columns]
        loss = nn.functional.cross_entropy(network(batch), classes[chosen])
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        schedule.step()
        losses.append(loss.detach())
        if step in points:
            mean_loss = torch.stack(losses).mean().item()
            curve.append((float(step), mean_loss, accuracy(network, held_out, device)))
            losses = []
            logger.info(
                "step %d of %d: loss %.4f, held-out accuracy %.3f", step, n_steps, *curve[-1][1:]
            )
    return np.array(curve)


@torch.no_grad()
def accuracy(network: ConvNet, images: Images, device: torch.device) -> float:
    """Return the share of images that the network classifies correctly."""
    network.to(device).eval()
    pixels, classes = _tensors(images, device)
    guesses = torch.cat([network(part).argmax(-1) for part in pixels.split(EVALUATION_BATCH)])
    return (guesses == classes).double().mean().item()


@torch.no_grad()
def activations(network: ConvNet, images: Images, device: torch.device) -> list[np.ndarray]:
    """Return the activations of every layer but the dense one, each (n_images, n_units).

    A unit is a channel at a place; its values are of single precision.
    """
    network.to(device).eval()
    pixels, _ = _tensors(images, device)
    parts = [
        [layer.flatten(1).float().cpu() for layer in network.layers(part)]
        for part in pixels.split(EVALUATION_BATCH)
    ]
    return [torch.cat(of_layer).numpy() for of_layer in zip(*parts, strict=True)]


def _tensors(images: Images, device: torch.device) -> tuple[Tensor, Tensor]:
    return (
        torch.from_numpy(images.pixels).to(device, PRECISION),
        torch.from_numpy(images.classes).to(device, torch.int64),
    )
