"""Linear probes: how well do the activations of a layer tell the classes of images apart?"""

import numpy as np
import torch

from scorebounds.networks.architectures import MOST_PROBED
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
        Of which the first `MOST_PROBED` are used.
    device : torch.device
    """
    used = [Images(*(part[:MOST_PROBED] for part in images)) for images in (train, held_out)]
    recorded = [activations(network, images, device) for images in used]
    return [
        probe_accuracy(of_train, used[0].classes, of_held_out, used[1].classes)
        for of_train, of_held_out in zip(*recorded, strict=True)
    ]


def probe_accuracy(
    x: np.ndarray, classes: np.ndarray, x_held_out: np.ndarray, classes_held_out: np.ndarray
) -> float:
    """Return the held-out accuracy of one linear probe; arguments as of `probe_accuracies`."""
    # Most networks are not probed.
    from sklearn.linear_model import Ridge

    x = x.astype(np.float64)
    penalty = PENALTY * np.square(x - x.mean(0)).sum() / len(x) + np.finfo(np.float64).tiny
    targets = np.eye(int(classes.max()) + 1)[classes]
    probe = Ridge(alpha=penalty, solver="cholesky").fit(x, targets)
    return float((probe.predict(x_held_out).argmax(1) == classes_held_out).mean())
