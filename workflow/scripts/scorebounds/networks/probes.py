"""Linear probes: how well do the activations of a layer tell the classes of images apart?"""

import numpy as np
import torch

from scorebounds.networks.convnets import ConvNet, activations
from scorebounds.networks.images import Images

# Penalty in units of the mean squared norm of an image's activations.
PENALTY = 1e-3


def probe_accuracies(
    network: ConvNet, train: Images, held_out: Images, device: torch.device
) -> list[float]:
    """Return for each layer the share of held-out images that a linear probe classifies correctly.

    A probe is ridge regression of indicators of the classes on the activations for the training
    images, with an intercept; its guess is the class of the largest prediction.

    Parameters
    ----------
    network : ConvNet
    train, held_out : Images
    device : torch.device
    """
    recorded = [activations(network, images, device) for images in (train, held_out)]
    return [
        probe_accuracy(of_train, train.classes, of_held_out, held_out.classes)
        for of_train, of_held_out in zip(*recorded, strict=True)
    ]


def probe_accuracy(
    x: np.ndarray, classes: np.ndarray, x_held_out: np.ndarray, classes_held_out: np.ndarray
) -> float:
    """Return the held-out accuracy of one linear probe; arguments as of `probe_accuracies`."""
    mean = x.mean(0, dtype=np.float64)
    centred = x - mean
    targets = np.eye(int(classes.max()) + 1)[classes]
    penalty = PENALTY * np.square(centred).sum() / len(x) + np.finfo(np.float64).tiny
    if len(x) <= x.shape[1]:
        gram = centred @ centred.T
        weights = centred.T @ np.linalg.solve(
            gram + penalty * np.eye(len(gram)), targets - targets.mean(0)
        )
    else:
        gram = centred.T @ centred
        weights = np.linalg.solve(
            gram + penalty * np.eye(len(gram)), centred.T @ (targets - targets.mean(0))
        )
    guesses = ((x_held_out - mean) @ weights + targets.mean(0)).argmax(1)
    return float((guesses == classes_held_out).mean())
