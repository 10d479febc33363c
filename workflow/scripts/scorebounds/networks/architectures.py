"""Plans of the convolutional networks, after Tiny-10 of Kornblith et al. 2019, table E.1.

Without torch, so that the number of neurons of each layer is known before anything runs.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Convolution(NamedTuple):
    """One convolution, followed by batch normalisation and a rectifier.

    With a shortcut, the input of the convolution before it is added before the rectifier.
    """

    n_channels: int
    stride: int = 1
    size: int = 3
    padded: bool = True
    shortcut: bool = False


class Architecture(NamedTuple):
    """Convolutions, then the mean over positions and a dense layer."""

    rows: int
    convolutions: tuple[Convolution, ...]


def _tiny(n_channels: int, second_stride: int) -> tuple[Convolution, ...]:
    """Return the eight convolutions of Tiny-10, the first with `n_channels` channels."""
    first = Convolution(n_channels)
    second = Convolution(2 * n_channels)
    third = Convolution(4 * n_channels)
    return (
        first,
        first,
        second._replace(stride=2),
        second,
        second,
        third._replace(stride=second_stride),
        third._replace(padded=False),
        third._replace(size=1),
    )


# By image set. Digits of 8 × 8 pixels are too small for a second stride of 2.
ARCHITECTURES = {
    "digits": Architecture(8, _tiny(8, second_stride=1)),
    "cifar10": Architecture(32, _tiny(16, second_stride=2)),
}

# Images of each split of which linear probes use the activations at most.
MOST_PROBED = 5000

STANDARD = "tiny-1x1"
PLAIN, RESIDUAL = "plain", "residual"
# The standard network, trained on the first or on the second half of the classes.
HALVES = ("half-1", "half-2")


def in_first_half(classes: "np.ndarray") -> "np.ndarray":
    """Return which images are of the first half of the classes (of the larger one, if odd)."""
    is_first: np.ndarray = classes < (int(classes.max()) + 2) // 2
    return is_first


def variant_names(settings: Mapping[str, Any]) -> list[str]:
    """List the networks of the section `architectures` of the settings, each once.

    `tiny-<width>x<depth>` is the network of `ARCHITECTURES` with so many times the channels, and
    each convolution so many times; `residual-<n>` has three groups of n blocks of two convolutions
    with a shortcut each, and `plain-<n>` the same convolutions without shortcuts. `HALVES` are
    always among them.
    """
    names = [f"tiny-{width:g}x1" for width in settings["widths"]]
    names += [f"tiny-1x{depth}" for depth in settings["depths"]]
    names += [f"{kind}-{n}" for n in settings["residual_blocks"] for kind in (PLAIN, RESIDUAL)]
    return list(dict.fromkeys([STANDARD, *names, *HALVES]))


def convolutions_of(images: str, variant: str) -> tuple[Convolution, ...]:
    """Return the convolutions of a network that `variant_names` lists."""
    kind, _, size = variant.partition("-")
    first, *_ = ARCHITECTURES[images].convolutions
    if variant in HALVES:
        return ARCHITECTURES[images].convolutions
    if kind != "tiny":
        second_stride = ARCHITECTURES[images].convolutions[5].stride
        return _blocks(first.n_channels, second_stride, int(size), shortcut=kind == RESIDUAL)
    width, depth = size.split("x")
    plan = []
    for layer in ARCHITECTURES[images].convolutions:
        wide = layer._replace(n_channels=max(1, round(float(width) * layer.n_channels)))
        plan += [wide, *[wide._replace(stride=1, padded=True)] * (int(depth) - 1)]
    return tuple(plan)


def _blocks(
    n_channels: int, second_stride: int, n_blocks: int, *, shortcut: bool
) -> tuple[Convolution, ...]:
    """Return a convolution and three groups of blocks, as in table E.3 of Kornblith et al. 2019."""
    plan = [Convolution(n_channels)]
    for group, stride in enumerate((1, 2, second_stride)):
        layer = Convolution(n_channels * 2**group)
        for block in range(n_blocks):
            entry = layer._replace(stride=stride if block == 0 else 1)
            plan += [entry, layer._replace(shortcut=shortcut)]
    return tuple(plan)


def layer_widths(images: str, variant: str = STANDARD) -> list[int]:
    """Return the number of neurons of each layer: the convolutions, then the pooled channels.

    Parameters
    ----------
    images : str
        `digits` or `cifar10`.
    variant : str
        Of `variant_names`.
    """
    plan = convolutions_of(images, variant)
    rows, widths = ARCHITECTURES[images].rows, []
    for layer in plan:
        rows = (rows - (0 if layer.padded else layer.size - 1) - 1) // layer.stride + 1
        widths.append(layer.n_channels * rows * rows)
    return [*widths, plan[-1].n_channels]


def require_distinguishable_layers(images: str, n_images: int, measures: Sequence[str]) -> None:
    """Refuse measures that are 1 for most layers, whatever the networks have learned.

    Parameters
    ----------
    images : str
        `digits` or `cifar10`.
    n_images : int
        Images on which layers are compared.
    measures : sequence of str
        Those that are 1 as soon as a layer has n_images − 1 independent neurons.

    Raises
    ------
    ValueError
        If two layers or more have as many neurons, so that they cannot be distinguished.
    """
    widths = layer_widths(images)
    saturated = [width for width in widths if width >= n_images - 1]
    if measures and len(saturated) > 1:
        sizes = " to ".join(map(str, sorted({min(saturated), max(saturated)})))
        raise ValueError(
            f"expected more than {max(widths) + 1} images for {', '.join(measures)}, got "
            f"{n_images}: {len(saturated)} of {len(widths)} layers of the networks for {images} "
            f"have {sizes} neurons, and these measures are 1 for any two layers of {n_images - 1} "
            "neurons or more; compare on more images, or remove the measures"
        )
