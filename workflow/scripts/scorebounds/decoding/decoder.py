"""Accuracy of decoders of task variables, for many datasets at once."""

import logging
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from scorebounds.decoding.design import Design
from scorebounds.decoding.logistic import NotConvergedError, Problems, fit, logits
from scorebounds.decoding.shuffles import Shuffle, shuffles

logger = logging.getLogger(__name__)

# Neurons per training sample above which reducing them first is faster.
REDUCED_FROM = 3
# Norm of the gradient per training sample; scikit-learn asks 1e-4, and of the largest entry only.
TOLERANCE = 3e-5
CHUNK_BYTES = 2**21  # of features per chunk; small enough to stay in the cache
# Linear predictors of a dataset that are computed at once: folds × targets × classes × samples.
MAX_PREDICTORS = 16_000_000


class Decoder(NamedTuple):
    """Settings of the decoders.

    Attributes
    ----------
    c : float
        Weight of the loss against the penalty, scikit-learn's C.
    standardize : bool
        Whether neurons have unit variance over the training samples.
    """

    c: float
    standardize: bool


def decode(activity: np.ndarray, design: Design, decoder: Decoder) -> dict[str, np.ndarray]:
    """Return the held-out accuracy of every variable in each dataset of a batch.

    Parameters
    ----------
    activity : ndarray, shape (n_datasets, n_samples, n_neurons)
    design : Design
    decoder : Decoder

    Returns
    -------
    dict of str to ndarray, shape (n_datasets, n_decoders)
        Mean over folds, in [0, 1]; one decoder per time.
    """
    together: dict[tuple[int, bytes], list[str]] = {}
    for variable, codes in design.classes.items():
        key = (int(codes.max()) + 1, design.folds[variable].tobytes())
        together.setdefault(key, []).append(variable)
    accuracy: dict[str, np.ndarray] = {}
    for (n_classes, _), variables in together.items():
        classes = np.stack([design.classes[variable] for variable in variables])
        folds = design.folds[variables[0]]
        by_variable = _accuracy(activity, design.samples, classes, n_classes, folds, decoder)
        accuracy |= dict(zip(variables, np.moveaxis(by_variable, -1, 0), strict=True))
    return {variable: accuracy[variable] for variable in design.classes}


def null_accuracy(
    activity: np.ndarray, design: Design, decoder: Decoder, *, n_permutations: int, seed: int
) -> dict[str, np.ndarray]:
    """Return the accuracy for shuffled labels, by variable.

    Parameters
    ----------
    activity : ndarray, shape (n_samples, n_neurons)
    design : Design
    decoder : Decoder
    n_permutations : int
        Number of shuffles; fewer where there are fewer distinct ones (`shuffles`).
    seed : int

    Returns
    -------
    dict of str to ndarray, shape (n_shuffles, n_decoders)
    """
    null = {}
    for variable, codes in design.classes.items():
        n_classes = int(codes.max()) + 1
        together: dict[bytes, list[Shuffle]] = {}
        for shuffle in shuffles(design, variable, n_permutations, seed):
            together.setdefault(shuffle.folds.tobytes(), []).append(shuffle)
        null[variable] = np.concatenate(
            [np.empty((0, len(design.samples)))]
            + [
                _accuracy(
                    activity[None],
                    design.samples,
                    np.stack([shuffle.classes for shuffle in same]),
                    n_classes,
                    same[0].folds,
                    decoder,
                )[0].T
                for same in together.values()
            ]
        )
    return null


def _accuracy(
    activity: np.ndarray,
    samples: np.ndarray,
    classes: np.ndarray,
    n_classes: int,
    folds: np.ndarray,
    decoder: Decoder,
) -> np.ndarray:
    """Decode targets that share their folds.

    Returns
    -------
    ndarray, shape (n_datasets, n_decoders, n_targets)
    """
    n_decoders, n = samples.shape
    size = datasets_per_chunk(n, activity.shape[-1])
    # A dataset and time at a time, many of them in a chunk.
    pairs = np.stack(np.divmod(np.arange(len(activity) * n_decoders), n_decoders))
    accuracies = []
    for start in range(0, pairs.shape[1], size):
        dataset, at = pairs[:, start : start + size]
        chunk = torch.from_numpy(activity[dataset[:, None], samples[at]]).double()
        correct = [
            held_out_correct(chunk, targets, n_classes, torch.from_numpy(folds), decoder)
            for targets in torch.from_numpy(classes).split(_targets_at_once(folds, n_classes))
        ]
        accuracies.append(torch.cat(correct, 1))
    by_decoder: np.ndarray = torch.cat(accuracies).view(len(activity), n_decoders, -1).numpy()
    return by_decoder


def datasets_per_chunk(n_samples: int, n_neurons: int) -> int:
    """Return how many datasets (times) of this size are decoded as one batch."""
    return max(1, CHUNK_BYTES // (4 * n_samples * n_neurons))


def _targets_at_once(folds: np.ndarray, n_classes: int) -> int:
    n_rows = 1 if n_classes == 2 else n_classes
    return max(1, MAX_PREDICTORS // ((int(folds.max()) + 1) * n_rows * len(folds)))


def held_out_correct(
    activity: Tensor, classes: Tensor, n_classes: int, folds: Tensor, decoder: Decoder
) -> Tensor:
    """Return the share of right predictions of held-out samples, averaged over folds.

    Parameters
    ----------
    activity : Tensor, shape (n_batch, n, n_neurons)
    classes : Tensor of int, shape (n_targets, n)
    n_classes : int
    folds : Tensor of int, shape (n,)
    decoder : Decoder

    Returns
    -------
    Tensor, shape (n_batch, n_targets)
    """
    predicted = predict(activity, classes, n_classes, folds, decoder)
    held_out = held_out_masks(folds)
    share = held_out / held_out.sum(-1, keepdim=True) / len(held_out)
    right = (predicted == classes).double()
    return torch.einsum("bftn,fn->bt", right, share.double())


def held_out_masks(folds: Tensor) -> Tensor:
    """Return which samples each fold holds out, shape (n_folds, n)."""
    return folds == torch.arange(int(folds.max()) + 1)[:, None]


def predict(
    activity: Tensor, classes: Tensor, n_classes: int, folds: Tensor, decoder: Decoder
) -> Tensor:
    """Return the classes that the decoders of each fold give to all samples.

    Parameters are those of `held_out_correct`.

    Returns
    -------
    Tensor of int, shape (n_batch, n_folds, n_targets, n)
    """
    training = ~held_out_masks(folds)
    reduced = activity.shape[-1] > REDUCED_FROM * int(training.sum(1).max())
    build = _reduced_problems if reduced else _shared_problems
    problems = build(activity, training, decoder)._replace(classes=classes, n_classes=n_classes)
    linear = logits(problems, solve(problems, decoder.c))
    if reduced:
        # A fold of a dataset is a member of the batch of its own.
        linear = linear.view(len(activity), len(training), *linear.shape[1:]).squeeze(2)
    return (linear > 0).long().squeeze(3) if n_classes == 2 else linear.argmax(3)


def solve(problems: Problems, c: float) -> Tensor:
    """Fit in single precision, or in double where rounding is in the way of the tolerance."""
    # A loss of small weight leaves the intercept a small gradient however far off it is.
    tolerance = TOLERANCE * min(c, 1) * float(problems.training.sum(-1).mean())
    try:
        return fit(problems.to(torch.float32), c, tolerance).double()
    except NotConvergedError as error:
        logger.info("in single precision: %s; in double precision now", error)
        return fit(problems, c, tolerance)


def _moments(activity: Tensor, training: Tensor, decoder: Decoder) -> tuple[Tensor, Tensor]:
    """Return mean and scale of each neuron over each training set, (n_batch, n_folds, n_neurons).

    A neuron that is constant there keeps its scale.
    """
    weights = training.to(activity.dtype)
    weights /= weights.sum(1, keepdim=True)
    mean = weights @ activity
    if not decoder.standardize:
        return mean, torch.ones_like(mean)
    centred = activity - activity.mean(1, keepdim=True)
    shift = weights @ centred
    variance = weights @ centred.square() - shift.square()
    largest = centred.square().amax(1, keepdim=True)
    varies = variance > 1e-12 * largest
    return mean, torch.where(varies, variance, 1).sqrt()


def _shared_problems(activity: Tensor, training: Tensor, decoder: Decoder) -> Problems:
    """Regress all folds on the same features; each has a centre and scale of its own."""
    mean, scale = _moments(activity, training, decoder)
    centre = activity.mean(1, keepdim=True)
    deviation = activity.std(1, correction=0, keepdim=True)
    deviation = torch.where(deviation > 0, deviation, 1)
    return Problems(
        (activity - centre) / deviation,
        torch.empty(0),
        0,
        training.to(activity.dtype).expand(len(activity), -1, -1),
        (mean - centre) / deviation,
        deviation / scale,
    )


def _reduced_problems(activity: Tensor, training: Tensor, decoder: Decoder) -> Problems:
    """Rotate each training set to as many features as it has samples; nothing is lost.

    With Zᵀ = QR, the optimal weights lie in the span of Z's rows, w = Qu with ‖w‖ = ‖u‖, so that
    regression on ZQ has the same optimum.
    """
    mean, scale = _moments(activity, training, decoder)
    features = activity.new_zeros(
        len(activity), len(training), activity.shape[1], int(training.sum(1).max())
    )
    for fold, chosen in enumerate(training):
        scaled = (activity - mean[:, fold, None]) / scale[:, fold, None]
        basis = torch.linalg.qr(scaled[:, chosen].mT).Q
        features[:, fold, :, : basis.shape[-1]] = scaled @ basis
    features = features.flatten(0, 1)
    unit = features.new_ones(len(features), 1, features.shape[-1])
    masks = training.to(activity.dtype).repeat(len(activity), 1)[:, None]
    return Problems(features, torch.empty(0), 0, masks, torch.zeros_like(unit), unit)
