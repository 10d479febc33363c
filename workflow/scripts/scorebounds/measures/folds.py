"""Folds of the samples for cross-validation: contiguous, or of whole groups; never shuffled."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.closed_form import first_derivative_only
from scorebounds.measures.products import product, symmetric_product

N_FOLDS = 5
# In formulas of measures.
FOLDS = f"{N_FOLDS} folds (contiguous, or of whole groups)"
# The fewest samples of which five are left outside each of five folds.
LEAST_NESTED = 7
Groups = Sequence[Any] | np.ndarray | Tensor


def fold_bounds(n_samples: int, n_folds: int = N_FOLDS) -> list[tuple[int, int]]:
    """Return (start, stop) of contiguous folds; the first n mod k have one sample more."""
    if n_samples < n_folds:
        raise ValueError(
            f"expected at least {n_folds} samples for {n_folds} folds, got {n_samples}"
        )
    size, extra = divmod(n_samples, n_folds)
    starts = [fold * size + min(fold, extra) for fold in range(n_folds + 1)]
    return list(itertools.pairwise(starts))


@dataclass(frozen=True)
class Folds:
    """Which samples are held out together.

    Attributes
    ----------
    bounds : list of (start, stop)
        The folds, as places in `order`.
    order : Tensor of int, shape (n_samples,), or None
        The samples fold after fold; None where they are in that order already.
    groups : ndarray of int, shape (n_samples,), or None
        The group of each sample, in that order; a fold holds whole groups.
    """

    bounds: list[tuple[int, int]]
    order: Tensor | None = None
    groups: np.ndarray | None = None

    def arrange(self, values: Tensor) -> Tensor:
        """Return the rows of `values` (..., n_samples, n_columns) fold after fold."""
        return values if self.order is None else values[..., self.order.to(values.device), :]

    def arrange_order(self, order: Tensor) -> Tensor:
        """Return an order of the samples as one of the arranged samples."""
        if self.order is None:
            return order
        arranged = self.order.to(order.device)
        return torch.argsort(arranged)[order[arranged]]

    def of_training_samples(self, fold: int) -> "Folds":
        """Return the folds, for nested cross-validation, of the samples outside one fold."""
        start, stop = self.bounds[fold]
        if self.groups is None:
            n_samples = self.bounds[-1][1]
            if n_samples < LEAST_NESTED:
                raise ValueError(
                    f"expected at least {LEAST_NESTED} samples for nested folds, got {n_samples}"
                )
            return Folds(fold_bounds(n_samples - (stop - start)))
        return grouped_folds(np.delete(self.groups, np.s_[start:stop]))


def contiguous_folds(n_samples: int) -> Folds:
    """Return five folds of neighbouring samples, as Cloos et al. 2025 use them."""
    return Folds(fold_bounds(n_samples))


def grouped_folds(groups: Groups) -> Folds:
    """Return up to five folds of whole groups, balanced in samples, as scikit-learn's GroupKFold.

    The largest groups are distributed first, each to the fold that has the fewest samples. With
    fewer than five groups each of them is a fold.

    Parameters
    ----------
    groups : sequence, shape (n_samples,)
        A label per sample.

    Raises
    ------
    ValueError
        With fewer than two groups.
    """
    number = _numbers(groups)
    sizes = np.bincount(number)
    if len(sizes) < 2:
        raise ValueError(f"expected at least 2 groups for cross-validation, got {len(sizes)}")
    in_fold = np.zeros(min(N_FOLDS, len(sizes)), dtype=int)
    fold_of = np.empty(len(sizes), dtype=int)
    for group in np.argsort(sizes, kind="stable")[::-1]:
        fold_of[group] = in_fold.argmin()
        in_fold[fold_of[group]] += sizes[group]
    order = np.argsort(fold_of[number], kind="stable")
    stops = np.cumsum(in_fold)
    bounds = [(int(stop - size), int(stop)) for stop, size in zip(stops, in_fold, strict=True)]
    return Folds(bounds, torch.from_numpy(order), number[order])


def trajectories(groups: Groups) -> Folds:
    """Return the order in which the rows of each group follow each other; nothing is held out.

    Parameters
    ----------
    groups : sequence, shape (n_samples,)
        The trajectory of each sample. Its samples are in order of time.
    """
    number = _numbers(groups)
    order = np.argsort(number, kind="stable")
    return Folds([], torch.from_numpy(order), number[order])


def _numbers(groups: Groups) -> np.ndarray:
    labels = groups.cpu().numpy() if isinstance(groups, Tensor) else np.asarray(groups)
    return np.asarray(np.unique(labels, return_inverse=True)[1]).ravel()


@dataclass(frozen=True)
class Split:
    """The samples that a regression is fitted to, and those of the fold that is held out."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    def centred(self) -> "Split":
        """Return both sides centred by the means of their training samples."""
        mean_x = self.x_train.mean(-2, keepdim=True)
        mean_y = self.y_train.mean(-2, keepdim=True)
        return Split(
            self.x_train - mean_x,
            self.y_train - mean_y,
            self.x_test - mean_x,
            self.y_test - mean_y,
        )


def train_test_splits(x: Tensor, y: Tensor, bounds: list[tuple[int, int]]) -> Iterator[Split]:
    """Yield the split of each fold of `x` (..., n_samples, n_x) and `y` (..., n_samples, n_y)."""
    for start, stop in bounds:
        held_out = torch.zeros(x.shape[-2], dtype=torch.bool, device=x.device)
        held_out[start:stop] = True
        yield Split(*(z[..., rows, :] for rows in (~held_out, held_out) for z in (x, y)))


class _FoldProducts(Function):
    """X_fᵀY_f, Y_fᵀY_f and the sum of Y_f's rows for contiguous folds f of the samples."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, bounds: list[tuple[int, int]]
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.save_for_backward(x, y)
        ctx.bounds = bounds
        rows = [(x[start:stop], y[..., start:stop, :]) for start, stop in bounds]
        cross = torch.stack([product(x_fold.mT, y_fold) for x_fold, y_fold in rows])
        gram_y = torch.stack([symmetric_product(y_fold) for _, y_fold in rows])
        return cross, gram_y, torch.stack([y_fold.sum(-2) for _, y_fold in rows])

    @staticmethod
    @first_derivative_only
    def backward(
        ctx: Any, grad_cross: Tensor, grad_gram: Tensor, grad_sum: Tensor
    ) -> tuple[None, Tensor, None]:
        x, y = ctx.saved_tensors
        grad = torch.empty_like(y)
        for fold, (start, stop) in enumerate(ctx.bounds):
            both_sides = grad_gram[fold] + grad_gram[fold].mT
            part = grad[..., start:stop, :]
            part[:] = product(y[..., start:stop, :], both_sides)
            part += product(x[start:stop], grad_cross[fold])
            part += grad_sum[fold][..., None, :]
        return None, grad, None


def fold_products(
    x: Tensor, y: Tensor, bounds: list[tuple[int, int]]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the products of each contiguous fold of samples, for cross-validation.

    Parameters
    ----------
    x, y : Tensor, shapes (n_samples, n_x) and (..., n_samples, n_y)
    bounds : list of (start, stop)
        The folds, which together hold every sample once.

    Returns
    -------
    tuple of Tensor, shapes (n_folds, ..., n_x, n_y), (n_folds, ..., n_y, n_y), (n_folds, ..., n_y)
        XᵀY, YᵀY and the sum of Y's rows; differentiable in `y`.
    """
    found: tuple[Tensor, Tensor, Tensor] = _FoldProducts.apply(  # type: ignore[no-untyped-call]
        x, y, bounds
    )
    return found
