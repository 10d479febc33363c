"""Ridge regression with a nested choice of λ: one eigendecomposition per outer training set.

The centred training Y of an outer fold is rotated to T = Y V with TᵀT = diag(w). For each λ the
ridge regression without an inner fold g then follows from the one with it. With H the projection
of the training samples, 11ᵀ/n + T (w + λ)⁻¹ Tᵀ, held-out residuals are (I − H_gg)⁻¹ (x_g − x̂_g);
where a fold has more samples than T has columns, the training products without it are formed
instead. None of it depends on X, so that it serves X in any order.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from scorebounds.measures.folds import Folds
from scorebounds.measures.pair import Reference

# Penalties to choose from, in units of the mean squared norm of a dimension of Y.
TUNING_GRID = [10.0**exponent for exponent in range(-6, 3)]


class _InnerFold(NamedTuple):
    """What the held-out residuals of an inner fold need of Y, for all penalties at once."""

    held_out: Tensor  # places among the training samples
    rotated: Tensor  # rows of T, centred by the inner training mean where `by_samples` is false
    # (n_penalties, m, m): inverses of I − H_gg where `by_samples` is true, else Cholesky factors of
    # the products of the inner training samples
    matrices: Tensor
    by_samples: bool


class OuterFold(NamedTuple):
    """What the regressions of an outer fold need of Y."""

    train: Tensor
    test: Tensor
    rotated: Tensor  # T, (n_train, r)
    shrunk: Tensor  # 1 / (w + λ), (n_penalties, r)
    predictors: Tensor  # test rows of Y in the coordinates of `rotated`, (n_test, r)
    inner: list[_InnerFold]


def outer_folds(reference: Reference) -> Iterator[OuterFold]:
    """Yield what each outer fold needs of the Y that `reference` holds."""
    folds = reference.folds
    for number, (start, stop) in enumerate(folds.bounds):
        yield _outer_fold(reference.x, start, stop, folds.of_training_samples(number))


def kept_outer_folds(reference: Reference) -> list[OuterFold]:
    """Return `outer_folds` as a list, to be used for many X."""
    return list(outer_folds(reference))


def _outer_fold(y: Tensor, start: int, stop: int, inner: Folds) -> OuterFold:
    places = torch.arange(len(y), device=y.device)
    train, test = torch.cat([places[:start], places[stop:]]), places[start:stop]
    mean = y[train].mean(0)
    centred, held_out = y[train] - mean, y[test] - mean
    if centred.shape[1] <= len(train):
        weights, basis = torch.linalg.eigh(centred.mT @ centred)
        rotated, predictors = centred @ basis, held_out @ basis
    else:
        # Of wide data the samples are decomposed: T = U √w, and Y_test V = Y_test Yᵀ U / √w.
        weights, basis = torch.linalg.eigh(centred @ centred.mT)
        sound = weights > weights[-1] * len(train) * torch.finfo(y.dtype).eps
        weights, basis = weights[sound], basis[:, sound]
        rotated = basis * weights.sqrt()
        predictors = held_out @ (centred.mT @ basis) / weights.sqrt()
    level = centred.square().sum() / min(centred.shape)
    penalties = level * torch.tensor(TUNING_GRID, dtype=y.dtype, device=y.device)
    shrunk = 1 / (weights.clamp_min(0) + penalties[:, None])
    order = torch.arange(len(train)) if inner.order is None else inner.order
    parts = [order[first:last].to(y.device) for first, last in inner.bounds]
    by_samples = max(len(part) for part in parts) <= rotated.shape[1]
    prepare = _inner_fold_by_samples if by_samples else _inner_fold_by_neurons
    found = [prepare(rotated, weights, penalties, part) for part in parts]
    return OuterFold(train, test, rotated, shrunk, predictors, found)


def _inner_fold_by_samples(
    rotated: Tensor, weights: Tensor, penalties: Tensor, part: Tensor
) -> _InnerFold:
    rows = rotated[part]
    shrunk = 1 / (weights.clamp_min(0) + penalties[:, None])
    leverage = 1 / len(rotated) + (rows * shrunk[:, None, :]) @ rows.mT
    identity = torch.eye(len(part), dtype=rows.dtype, device=rows.device)
    inverses = torch.cholesky_inverse(torch.linalg.cholesky(identity - leverage))
    return _InnerFold(part, rows, inverses, by_samples=True)


def _inner_fold_by_neurons(
    rotated: Tensor, weights: Tensor, penalties: Tensor, part: Tensor
) -> _InnerFold:
    n, rows = len(rotated), rotated[part]
    # The other training rows sum to minus those of the fold.
    total = rows.sum(0)
    products = torch.diag(weights) - rows.mT @ rows - torch.outer(total, total) / (n - len(part))
    identity = torch.eye(len(weights), dtype=rows.dtype, device=rows.device)
    factors = torch.linalg.cholesky(products + penalties[:, None, None] * identity)
    return _InnerFold(part, rows + total / (n - len(part)), factors, by_samples=False)


def nested_r2(x: Tensor, outer: OuterFold) -> Tensor:
    """Return R² of the test samples of an outer fold under the λ of the highest inner R²."""
    train = x[outer.train]
    mean = train.mean(0)
    centred, test = train - mean, x[outer.test] - mean
    cross = outer.rotated.mT @ centred
    residuals = None
    if outer.inner[0].by_samples:
        # One product for all penalties and inner folds.
        columns = (outer.shrunk[:, :, None] * cross).permute(1, 0, 2).flatten(1)
        fitted = (outer.rotated @ columns).unflatten(1, (len(outer.shrunk), -1))
        residuals = centred[:, None] - fitted
    inner = torch.stack([_inner_r2(centred, cross, residuals, outer, f) for f in outer.inner])
    best = inner.mean(0).argmax()
    predicted = outer.predictors @ (outer.shrunk[best][:, None] * cross)
    return 1 - (test - predicted).square().sum() / test.square().sum()


def _inner_r2(
    x: Tensor, cross: Tensor, residuals: Tensor | None, outer: OuterFold, fold: _InnerFold
) -> Tensor:
    """Return R² of an inner fold for every penalty, shape (n_penalties,)."""
    part, total = x[fold.held_out], x[fold.held_out].sum(0)
    n_train = len(x) - len(fold.held_out)
    test = part + total / n_train
    size = test.square().sum()
    if residuals is not None:
        left = fold.matrices @ residuals[fold.held_out].transpose(0, 1)
        return 1 - left.square().sum((-2, -1)) / size
    rows = outer.rotated[fold.held_out]
    inner_cross = cross - rows.mT @ part - torch.outer(rows.sum(0), total) / n_train
    coefficients = torch.cholesky_solve(
        inner_cross.expand(len(fold.matrices), -1, -1), fold.matrices
    )
    # ‖test − T B‖² from products of the fold.
    across, within = fold.rotated.mT @ test, fold.rotated.mT @ fold.rotated
    explained = (coefficients * (2 * across - within @ coefficients)).sum((-2, -1))
    return explained / size
