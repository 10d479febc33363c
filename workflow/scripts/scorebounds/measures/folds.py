"""Folds of the samples for cross-validation: contiguous, not shuffled."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.closed_form import first_derivative_only

N_FOLDS = 5


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


def train_test_splits(x: Tensor, y: Tensor) -> Iterator[Split]:
    """Yield the split of each fold of `x` (n_samples, n_x) and `y` (..., n_samples, n_y)."""
    for start, stop in fold_bounds(x.shape[-2]):
        held_out = torch.zeros(x.shape[-2], dtype=torch.bool, device=x.device)
        held_out[start:stop] = True
        yield Split(x[~held_out], y[..., ~held_out, :], x[held_out], y[..., held_out, :])


class _FoldProducts(Function):
    """X_fᵀY_f, Y_fᵀY_f and the sum of Y_f's rows for contiguous folds f of the samples."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, bounds: list[tuple[int, int]]
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.save_for_backward(x, y)
        ctx.bounds = bounds
        rows = [(x[start:stop], y[..., start:stop, :]) for start, stop in bounds]
        cross = torch.stack([x_fold.mT @ y_fold for x_fold, y_fold in rows])
        gram_y = torch.stack([y_fold.mT @ y_fold for _, y_fold in rows])
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
            torch.matmul(y[..., start:stop, :], both_sides, out=part)
            part += x[start:stop] @ grad_cross[fold]
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
