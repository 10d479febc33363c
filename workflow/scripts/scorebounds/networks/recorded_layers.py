"""Train a convolutional network and record the activations of its layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import xarray as xr

from scorebounds.core.random import derived_seed
from scorebounds.networks import convnets
from scorebounds.networks.architectures import HALVES, STANDARD
from scorebounds.networks.images import Images, half_of
from scorebounds.networks.probes import probe_accuracies


def trained_layers(
    images: str,
    number: int,
    train: Images,
    held_out: Images,
    shown: Images,
    *,
    seed: int,
    device: torch.device,
    training: Mapping[str, Any],
    untrained: bool,
    variant: str = STANDARD,
    probes: bool = False,
) -> xr.Dataset:
    """Train the network of this number and return the activations of its layers.

    Parameters
    ----------
    images : str
        `digits` or `cifar10`.
    number : int
        Of the network; it decides the weights and the batches.
    train, held_out, shown : Images
        To train on, to find the accuracy with, and to record the activations for; a network of
        `HALVES` is trained and tested on its half of the classes only.
    seed : int
        The root of all random streams.
    device : torch.device
    training : mapping
        Settings of `convnets.train_network`.
    untrained : bool
        Whether to record the activations before training as well.
    variant : str
        Of `architectures.variant_names`.
    probes : bool
        Whether to find the accuracy of a linear probe of each layer.

    Returns
    -------
    Dataset
        `trained_1`, …, each (image, unit_1), and `untrained_1`, … likewise; `class` of each image;
        `curve` of step, loss and accuracy; with `probes`, `probe` of each layer. Attributes images,
        network, n_layers.
    """
    if variant in HALVES:
        train, held_out = (half_of(part, HALVES.index(variant)) for part in (train, held_out))
    # The standard network keeps the streams that it has where there is no other.
    names = (images, str(number)) if variant == STANDARD else (images, variant, str(number))
    network = convnets.make_network(images, train, derived_seed(seed, "network", *names), variant)
    before = convnets.activations(network, shown, device) if untrained else []
    stream = derived_seed(seed, "batches", *names)
    curve = convnets.train_network(network, train, held_out, seed=stream, device=device, **training)
    after = convnets.activations(network, shown, device)
    layers = {
        f"{state}_{layer}": (("image", f"unit_{layer}"), values)
        for state, activations in (("trained", after), ("untrained", before))
        for layer, values in enumerate(activations, 1)
    }
    learning: dict[str, Any] = {
        "class": ("image", shown.classes.astype(np.int64)),
        "curve": (("point", "quantity"), curve),
    }
    if probes:
        accuracies = probe_accuracies(network, train, held_out, device)
        learning["probe"] = ("layer", np.array(accuracies))
    attrs = {"images": images, "network": number, "n_layers": len(after)}
    quantities = {"quantity": ["step", "loss", "accuracy"]}
    return xr.Dataset({**layers, **learning}, coords=quantities, attrs=attrs)
