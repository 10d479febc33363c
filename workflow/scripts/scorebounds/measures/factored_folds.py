"""Held-out R² of all folds from one factorisation of Y, and its gradient, in two forms.

Given are L and Z = L⁻¹Yᵀ: with a penalty LLᵀ = YᵀY + λI, without one Y = ZᵀLᵀ is a QR
decomposition. With P = ZᵀZ and N = I − P, the fit to all samples is PX, its residuals are R = NX,
and those of a fold f that is held out are e_f = A_f R_f, where A_f = (N_ff − 11ᵀ/n)⁻¹.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.closed_form import apply, first_derivative_only
from scorebounds.measures.pair import Pair, Reference
from scorebounds.measures.products import symmetric_product
from scorebounds.measures.projections import cholesky_factor


def held_out_r2(pair: Pair, factor: Tensor, whitened: Tensor, penalty: float) -> Tensor:
    """Return the mean held-out R² over the folds of a pair from L and Z, differentiable in Y."""
    x, folds = pair.reference.x, pair.reference.folds
    given = factor, whitened, held_out_squared_norms(pair.reference), folds.bounds, penalty
    needs_gradient = pair.y.requires_grad
    if needs_gradient and kernels_are_faster(len(x), x.shape[-1], pair.y.shape[-1]):
        return apply(_ByKernels, pair.y, pair.reference.per_pair(_kernel_of), *given)
    if needs_gradient and penalty:
        # An optimisation needs XᵀY for the capture of components as well.
        cross = pair.cross.detach().mT
        shared = torch.linalg.solve_triangular(factor, cross, upper=False)
    else:
        shared = whitened @ x
    return apply(_ByColumns, pair.y, x, shared, *given)


def kernels_are_faster(n_samples: int, n_x: int, n_y: int) -> bool:
    """Return which form needs fewer operations with five folds, counted in multiplications."""
    n, p, q, k = n_samples, n_x, n_y, n_samples / 5
    by_columns = 5 * n * p * q + 2 * n * q**2 + n * k * (3 * p + 2 * q)
    return n**3 + n**2 * (2 * k + 2.5 * q) + 15 * k**3 < by_columns


def held_out_squared_norms(reference: Reference) -> Tensor:
    """Return ‖X_f‖² of each fold, centred by the mean of the other samples, (n_folds, ...)."""
    sums, squared_norms = reference.fold_sums
    sizes = [stop - start for start, stop in reference.folds.bounds]
    n_test = torch.tensor(sizes, dtype=sums.dtype, device=sums.device)
    n_test = n_test.reshape(-1, *[1] * (sums.ndim - 2))
    n_train = n_test.sum() - n_test
    return squared_norms + (2 / n_train + n_test / n_train**2) * sums.square().sum(-1)


def solve_held_out(
    residual: Tensor, factors: Sequence[Tensor], bounds: list[tuple[int, int]]
) -> list[Tensor]:
    """Return the residuals of held-out folds from those of the fit to all samples.

    `factors` are Cholesky factors of I − H_ff (`leverage_factor`).
    """
    return [
        torch.cholesky_solve(residual[..., start:stop, :], factor)
        for (start, stop), factor in zip(bounds, factors, strict=True)
    ]


def mean_held_out_r2(reference: Reference, residuals: Sequence[Tensor]) -> Tensor:
    """Return the mean R² of held-out folds from their residuals."""
    errors = torch.stack([fold.square().sum((-2, -1)) for fold in residuals])
    return (1 - errors / held_out_squared_norms(reference)).mean(0)


def leverage_factor(whitened: Tensor, n_samples: int, penalty: float) -> Tensor:
    """Return the Cholesky factor of I − H_ff, H_ff = 11ᵀ/n + ZᵀZ, of Z (..., n_y, n_held_out)."""
    identity = torch.eye(whitened.shape[-1], dtype=whitened.dtype, device=whitened.device)
    return cholesky_factor(identity - 1 / n_samples - symmetric_product(whitened), penalty)


class _ByColumns(Function):
    """Mean held-out R² over folds, and its gradient, in products with the columns of X.

    With C = ZX, the residuals of the fit are R = X − ZᵀC. The derivative of the score in P is
    W = −GXᵀ + Σ_f g_f e_fᵀ, where g_f = −2/(n_folds ‖X_f‖²) A_f e_f are the rows of G; the
    derivative in Y is N(W + Wᵀ)Zᵀ L⁻¹, in which NX = R.
    """

    @staticmethod
    def forward(
        ctx: Any,
        _y: Tensor,
        x: Tensor,
        shared: Tensor,
        factor: Tensor,
        whitened: Tensor,
        squared_norms: Tensor,
        bounds: list[tuple[int, int]],
        penalty: float,
    ) -> Tensor:
        residual = whitened.mT @ shared
        torch.sub(x, residual, out=residual)
        needs_gradient = ctx.needs_input_grad[0]
        left, solved, scores = [], [], []
        for (start, stop), size in zip(bounds, squared_norms, strict=True):
            inverse = _inverse(leverage_factor(whitened[..., start:stop], len(x), penalty))
            of_fold = inverse @ residual[..., start:stop, :]
            scores.append(1 - of_fold.square().sum((-2, -1)) / size)
            if needs_gradient:
                left.append(of_fold)
                solved.append(inverse.mul_(-2 / (len(bounds) * size)) @ of_fold)
        if needs_gradient:
            ctx.bounds = bounds
            ctx.save_for_backward(factor, whitened, shared, residual, *left, *solved)
        return torch.stack(scores).mean(0)

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        factor, whitened, shared, residual, *folds = ctx.saved_tensors
        left, solved = folds[: len(ctx.bounds)], torch.cat(folds[len(ctx.bounds) :], -2)
        total = (whitened @ solved).mT
        along = -solved @ shared.mT
        for (start, stop), of_left in zip(ctx.bounds, left, strict=True):
            # n_held_out × n_held_out products, which are smaller than those with Z.
            of_fold = solved[..., start:stop, :] @ of_left.mT
            along[..., start:stop, :] += (of_fold + of_fold.mT) @ whitened[..., start:stop].mT
        along -= whitened.mT @ (whitened @ along)
        along -= residual @ total
        slope = torch.linalg.solve_triangular(factor, along, upper=False, left=False)
        return grad[..., None, None] * slope, *[None] * 7


class _ByKernels(Function):
    """The same in products of samples by samples, with K = XXᵀ; fewer for few samples per neuron.

    With M = NK, the squared norm of e_f is the trace of A_f² (MN)_ff. The derivative of the score
    in P is V/n_folds and its transpose, where the rows of V are A_f² M_f/‖X_f‖², less
    A_f² (MN)_ff A_f/‖X_f‖² at the samples of the fold itself. The derivative in Y is
    2/n_folds N(V + Vᵀ)Zᵀ L⁻¹.
    """

    @staticmethod
    def forward(
        ctx: Any,
        _y: Tensor,
        kernel: Tensor,
        factor: Tensor,
        whitened: Tensor,
        squared_norms: Tensor,
        bounds: list[tuple[int, int]],
        penalty: float,
    ) -> Tensor:
        unexplained = symmetric_product(whitened).neg_()
        unexplained.diagonal(dim1=-2, dim2=-1).add_(1)
        residual = unexplained @ kernel
        slope, scores = torch.empty_like(residual), []
        for (start, stop), size in zip(bounds, squared_norms, strict=True):
            fold = slice(start, stop)
            left = unexplained[..., fold, fold] - 1 / len(kernel)
            inverse = _inverse(cholesky_factor(left, penalty))
            rows = slope[..., fold, :]
            torch.matmul(inverse @ inverse / size, residual[..., fold, :], out=rows)
            squared = rows @ unexplained[..., fold]
            scores.append(1 - squared.diagonal(dim1=-2, dim2=-1).sum(-1))
            slope[..., fold, fold] -= squared @ inverse
        ctx.n_folds = len(bounds)
        ctx.save_for_backward(factor, whitened, unexplained, slope)
        return torch.stack(scores).mean(0)

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        factor, whitened, unexplained, slope = ctx.saved_tensors
        along = unexplained @ ((slope + slope.mT) @ whitened.mT)
        along *= grad[..., None, None] * (2 / ctx.n_folds)
        return torch.linalg.solve_triangular(factor, along, upper=False, left=False), *[None] * 6


def _kernel_of(reference: Reference) -> Tensor:
    return symmetric_product(reference.x.mT)


def _inverse(factor: Tensor) -> Tensor:
    """Return (LLᵀ)⁻¹, with which many columns are multiplied faster than solved for."""
    result: Tensor = torch.cholesky_inverse(factor)
    return result
