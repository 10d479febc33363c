"""Least squares and projections onto the span of Y, with closed-form first derivatives."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.closed_form import apply, first_derivative_only
from scorebounds.measures.products import product

# The smallest pivot of a Cholesky factor may exceed the smallest singular value by such a factor.
UNCERTAIN = 1e3


class _Explained(Function):
    """‖Qᵀxⱼ‖² per column xⱼ, from XᵀY, YᵀY and its Cholesky factor, for Y of full rank."""

    @staticmethod
    def forward(ctx: Any, cross: Tensor, _gram_y: Tensor, factor: Tensor) -> Tensor:
        whitened = torch.linalg.solve_triangular(factor, cross.mT, upper=False)
        ctx.save_for_backward(whitened, factor)
        result: Tensor = whitened.square().sum(-2)
        return result

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        whitened, factor = ctx.saved_tensors
        coefficients = torch.linalg.solve_triangular(factor.mT, whitened, upper=True)
        weighted = coefficients * grad[..., None, :]
        return 2 * weighted.mT, -product(weighted, coefficients.mT), None


class _ExplainedBySVD(Function):
    """The same from X and Y themselves, for Y of any rank or condition."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, cutoff: Tensor) -> Tensor:
        u, s, vh = torch.linalg.svd(y, full_matrices=False)
        rounding = s[..., :1] * (max(y.shape[-2:]) * torch.finfo(s.dtype).eps)
        kept = s > torch.maximum(rounding, cutoff[..., None])
        u = u * kept[..., None, :]
        projected = u.mT @ x
        inverse = torch.where(kept, 1 / s.masked_fill(~kept, 1), 0)
        coefficients = vh.mT @ (inverse[..., :, None] * projected)
        ctx.save_for_backward(x, u, projected, coefficients)
        result: Tensor = projected.square().sum(-2)
        return result

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, None]:
        x, u, projected, coefficients = ctx.saved_tensors
        residual = x - u @ projected
        return None, 2 * residual @ (coefficients * grad[..., None, :]).mT, None


class _LeastSquares(Function):
    """Y⁺X by SVD; its gradient is that of the pseudo-inverse as long as the rank stays."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, precision: float, cutoff: Tensor) -> Tensor:
        u, s, vh = torch.linalg.svd(y, full_matrices=False)
        rounding = s[..., :1] * (max(y.shape[-2:]) * precision)
        kept = s > torch.maximum(rounding, cutoff[..., None])
        inverse = torch.where(kept, 1 / s.masked_fill(~kept, 1), 0)
        weights = vh.mT @ (inverse[..., :, None] * (u.mT @ x))
        ctx.save_for_backward(x, y, u, inverse, vh, weights)
        result: Tensor = weights
        return result

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, None, None]:
        x, y, u, inverse, vh, weights = ctx.saved_tensors
        left, right = u * inverse[..., None, :], vh * (inverse > 0)[..., :, None]
        along = vh @ grad
        outside = grad - right.mT @ (right @ grad)
        residual = x - y @ weights
        change = left @ along @ weights.mT
        change = residual @ (inverse.square()[..., :, None] * along).mT @ vh - change
        change = change + left @ (vh @ weights) @ outside.mT
        return None, change, None, None


def least_squares(x: Tensor, y: Tensor, precision: float, cutoff: Tensor) -> Tensor:
    """Return the weights B of least norm among those that minimise ‖X − YB‖.

    Parameters
    ----------
    x, y : Tensor, shapes (n_samples, n_x) and (..., n_samples, n_y)
    precision : float
        Relative rounding of `y`: directions below it, times the larger side, count as none.
    cutoff : Tensor, shape (...)
        The largest singular value that is rounding of the source (`rank_cutoff`).

    Returns
    -------
    Tensor, shape (..., n_y, n_x)
        Differentiable in `y`.
    """
    return apply(_LeastSquares, x, y, precision, cutoff)


def explained_squared_norm(
    x: Tensor, y: Tensor, cross: Tensor, gram_y: Tensor, cutoff: Tensor
) -> Tensor:
    """Return how much of each column of X a linear map of Y explains: ‖Qᵀxⱼ‖².

    Parameters
    ----------
    x, y : Tensor, shapes (n_samples, n_x) and (..., n_samples, n_y)
        Centred; read only where Y is too ill-conditioned for its Gram matrix.
    cross, gram_y : Tensor, shapes (..., n_x, n_y) and (..., n_y, n_y)
        XᵀY and YᵀY.
    cutoff : Tensor, shape (...)
        The largest singular value that is rounding of the source (`rank_cutoff`).

    Returns
    -------
    Tensor, shape (..., n_x)
        Between 0 and ‖xⱼ‖²; differentiable in `cross` and `gram_y`, or in `y`.
    """
    factor = sound_factor(gram_y, cutoff)
    if factor is None:
        return apply(_ExplainedBySVD, x, y, cutoff)
    return explained_by_products(cross, gram_y, factor)


@torch.no_grad()
def sound_factor(gram_y: Tensor, cutoff: Tensor) -> Tensor | None:
    """Return the Cholesky factor of YᵀY, or None where Y is too ill-conditioned for it."""
    factor, failed = torch.linalg.cholesky_ex(gram_y)
    pivots = factor.diagonal(dim1=-2, dim2=-1)
    # A Gram matrix squares the condition number: beyond this, its rounding shows.
    limit = torch.finfo(gram_y.dtype).eps ** 0.25
    limits = torch.maximum(limit * pivots.amax(-1), UNCERTAIN * cutoff)
    sound = (failed == 0).all() and (pivots.amin(-1) > limits).all()
    return factor if sound else None


def explained_by_products(cross: Tensor, gram_y: Tensor, factor: Tensor) -> Tensor:
    """Return `explained_squared_norm` from XᵀY, YᵀY and its Cholesky factor."""
    return apply(_Explained, cross, gram_y, factor)


def penalised_factor(gram: Tensor, penalty: float) -> Tensor:
    """Return the Cholesky factor of YᵀY + λI, where double precision suffices for it."""
    penalised = gram.clone()
    penalised.diagonal(dim1=-2, dim2=-1).add_(penalty)
    return cholesky_factor(penalised, penalty)


def cholesky_factor(matrix: Tensor, penalty: float) -> Tensor:
    """Return the Cholesky factor of a matrix that λ keeps from being singular.

    Raises
    ------
    ValueError
        If λ is lost in the rounding of the matrix.
    """
    factor, failed = torch.linalg.cholesky_ex(matrix)
    pivots = factor.diagonal(dim1=-2, dim2=-1).square()
    rounding = matrix.shape[-1] * torch.finfo(matrix.dtype).eps * pivots.amax(-1)
    if failed.any() or (pivots.amin(-1) <= rounding).any():
        raise ValueError(
            f"ridge regression with λ = {penalty:g} is beyond double precision for y of this "
            "scale; scale y down or take a larger λ"
        )
    result: Tensor = factor
    return result


def numerical_rank(y: Tensor, cutoff: Tensor) -> int:
    """Return the largest rank of matrices (..., n, q), without singular values up to `cutoff`."""
    values = torch.linalg.svdvals(y)
    rounding = values[..., :1] * (max(y.shape[-2:]) * torch.finfo(y.dtype).eps)
    return int((values > torch.maximum(rounding, cutoff[..., None])).sum(-1).max())
