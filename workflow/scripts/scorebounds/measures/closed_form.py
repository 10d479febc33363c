"""Differentiable pieces whose gradients are written out, so that they are fast and never NaN.

They can be differentiated once; asking for second derivatives raises.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


def first_derivative_only(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse a backward pass that is to be differentiated again.

    torch's own `once_differentiable` lets it pass as a constant, which beside terms that have a
    second derivative gives a wrong one.
    """

    @wraps(backward)
    def checked(*args: Any) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError("measures have first derivatives only: call without create_graph")
        return backward(*args)

    return checked


class _Gram(Function):
    """YᵀY with one product in the backward pass instead of autograd's two."""

    @staticmethod
    def forward(ctx, y):
        ctx.save_for_backward(y)
        return y.mT @ y

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return y @ (grad + grad.mT)


class _Narrow(Function):
    """Y times a fixed rotation into the row space that holds all of its gradient."""

    @staticmethod
    def forward(ctx, y, basis):
        ctx.save_for_backward(basis)
        return y @ basis

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        (basis,) = ctx.saved_tensors
        return grad @ basis.mT, None


class _FoldProducts(Function):
    """X_fᵀY_f, Y_fᵀY_f and the sum of Y_f's rows for contiguous folds f of the samples."""

    @staticmethod
    def forward(ctx, x, y, bounds):
        ctx.save_for_backward(x, y)
        ctx.bounds = bounds
        rows = [(x[start:stop], y[..., start:stop, :]) for start, stop in bounds]
        cross = torch.stack([x_fold.mT @ y_fold for x_fold, y_fold in rows])
        gram_y = torch.stack([y_fold.mT @ y_fold for _, y_fold in rows])
        return cross, gram_y, torch.stack([y_fold.sum(-2) for _, y_fold in rows])

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad_cross, grad_gram, grad_sum):
        x, y = ctx.saved_tensors
        grad = torch.empty_like(y)
        for fold, (start, stop) in enumerate(ctx.bounds):
            both_sides = grad_gram[fold] + grad_gram[fold].mT
            part = grad[..., start:stop, :]
            torch.matmul(y[..., start:stop, :], both_sides, out=part)
            part += x[start:stop] @ grad_cross[fold]
            part += grad_sum[fold][..., None, :]
        return None, grad, None


class _NuclearNorm(Function):
    """Sum of singular values; its gradient is UVᵀ, also where singular values repeat."""

    @staticmethod
    def forward(ctx, matrix):
        if not ctx.needs_input_grad[0]:
            return torch.linalg.svdvals(matrix).sum(-1)
        u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
        # Beyond the numerical rank, any contraction is a subgradient: take zero.
        cutoff = s[..., :1] * (max(matrix.shape[-2:]) * torch.finfo(s.dtype).eps)
        ctx.save_for_backward(u * (s > cutoff)[..., None, :], vh)
        return s.sum(-1)

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        u, vh = ctx.saved_tensors
        return grad[..., None, None] * (u @ vh)


class _RotationDistance(Function):
    """min ‖X − YQ‖_F from its own residual, which keeps its digits where X and Y nearly agree."""

    @staticmethod
    def forward(ctx, x, y, cross):
        u, _, vh = torch.linalg.svd(cross, full_matrices=False)
        rotation = u @ vh
        wider = x.shape[-1] > y.shape[-1]
        residual = x - y @ rotation.mT if wider else y - x @ rotation
        distance = torch.linalg.matrix_norm(residual)
        ctx.wider = wider
        ctx.save_for_backward(residual, rotation, distance)
        return distance

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        residual, rotation, distance = ctx.saved_tensors
        # At distance zero any direction of norm up to 1 is a subgradient: take zero.
        slope = torch.where(distance > 0, grad / distance, 0)[..., None, None]
        towards_x = -residual @ rotation if ctx.wider else residual
        return None, slope * towards_x, None


class _Arccos(Function):
    """arccos that clips rounding beyond ±1 and keeps a finite slope at the ends."""

    @staticmethod
    def forward(ctx, cosine):
        cosine = cosine.clamp(-1, 1)
        ctx.save_for_backward(cosine)
        return torch.arccos(cosine)

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        (cosine,) = ctx.saved_tensors
        sine_squared = (1 - cosine) * (1 + cosine)
        return -grad / sine_squared.clamp_min(torch.finfo(cosine.dtype).eps).sqrt()


class _ExplainedEnergy(Function):
    """‖Qᵀxⱼ‖² per column xⱼ, from XᵀY, YᵀY and its Cholesky factor, for Y of full rank."""

    @staticmethod
    def forward(ctx, cross, _gram_y, factor):
        whitened = torch.linalg.solve_triangular(factor, cross.mT, upper=False)
        ctx.save_for_backward(whitened, factor)
        return whitened.square().sum(-2)

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        whitened, factor = ctx.saved_tensors
        coefficients = torch.linalg.solve_triangular(factor.mT, whitened, upper=True)
        weighted = coefficients * grad[..., None, :]
        return 2 * weighted.mT, -weighted @ coefficients.mT, None


class _ExplainedEnergyBySVD(Function):
    """The same from X and Y themselves, for Y of any rank or condition."""

    @staticmethod
    def forward(ctx, x, y):
        u, s, vh = torch.linalg.svd(y, full_matrices=False)
        cutoff = s[..., :1] * (max(y.shape[-2:]) * torch.finfo(s.dtype).eps)
        kept = s > cutoff
        u = u * kept[..., None, :]
        projected = u.mT @ x
        inverse = torch.where(kept, 1 / s.masked_fill(~kept, 1), 0)
        coefficients = vh.mT @ (inverse[..., :, None] * projected)
        ctx.save_for_backward(x, u, projected, coefficients)
        return projected.square().sum(-2)

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        x, u, projected, coefficients = ctx.saved_tensors
        residual = x - u @ projected
        return None, 2 * residual @ (coefficients * grad[..., None, :]).mT


def narrow(y: Tensor) -> Tensor:
    """Rotate `y` (..., n, q) with q > n into the n dimensions that it spans.

    A function that is invariant to rotations of Y has all its gradient in Y's row space, so the
    rotation may be held constant and first derivatives stay exact.
    """
    if y.shape[-1] <= y.shape[-2]:
        return y
    basis = torch.linalg.qr(y.detach().mT).Q
    return _Narrow.apply(y, basis)


class _LeastSquares(Function):
    """Y⁺X by SVD; its gradient is that of the pseudo-inverse as long as the rank stays."""

    @staticmethod
    def forward(ctx, x, y, precision):
        u, s, vh = torch.linalg.svd(y, full_matrices=False)
        kept = s > s[..., :1] * (max(y.shape[-2:]) * precision)
        inverse = torch.where(kept, 1 / s.masked_fill(~kept, 1), 0)
        weights = vh.mT @ (inverse[..., :, None] * (u.mT @ x))
        ctx.save_for_backward(x, y, u, inverse, vh, weights)
        return weights

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        x, y, u, inverse, vh, weights = ctx.saved_tensors
        left, right = u * inverse[..., None, :], vh * (inverse > 0)[..., :, None]
        along = vh @ grad
        beside = grad - right.mT @ (right @ grad)
        residual = x - y @ weights
        change = left @ along @ weights.mT
        change = residual @ (inverse.square()[..., :, None] * along).mT @ vh - change
        change = change + left @ (vh @ weights) @ beside.mT
        return None, change, None


def least_squares(x: Tensor, y: Tensor, precision: float) -> Tensor:
    """Return the weights B of least norm among those that minimise ‖X − YB‖.

    Parameters
    ----------
    x, y : Tensor, shapes (n_samples, n_x) and (..., n_samples, n_y)
    precision : float
        Relative rounding of `y`: directions below it, times the larger side, count as none.

    Returns
    -------
    Tensor, shape (..., n_y, n_x)
        Differentiable in `y`.
    """
    return _LeastSquares.apply(x, y, precision)


def gram(y: Tensor) -> Tensor:
    """Return YᵀY, shape (..., n_y, n_y), of `y` (..., n_samples, n_y)."""
    return _Gram.apply(y)


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
    return _FoldProducts.apply(x, y, bounds)


def nuclear_norm(matrix: Tensor) -> Tensor:
    """Return the sum of singular values, shape (...), of `matrix` (..., m, k)."""
    return _NuclearNorm.apply(matrix)


def rotation_distance(x: Tensor, y: Tensor, cross: Tensor) -> Tensor:
    """Return the distance of X to the best rotation of Y, the narrower one zero-padded.

    Parameters
    ----------
    x, y, cross : Tensor, shapes (n_samples, n_x), (..., n_samples, n_y), (..., n_x, n_y)
        `cross` is XᵀY.

    Returns
    -------
    Tensor, shape (...)
        At least 0; differentiable in `y`, with a finite gradient at 0 as well.
    """
    return _RotationDistance.apply(x, y, cross.detach())


def safe_arccos(cosine: Tensor) -> Tensor:
    """Return the angle in [0, π]; at a cosine of ±1 the slope is large but finite."""
    return _Arccos.apply(cosine)


def explained_energy(x: Tensor, y: Tensor, cross: Tensor, gram_y: Tensor) -> Tensor:
    """Return how much of each column of X a linear map of Y explains: ‖Qᵀxⱼ‖².

    Parameters
    ----------
    x, y : Tensor, shapes (n_samples, n_x) and (..., n_samples, n_y)
        Centred; read only where Y is too ill-conditioned for its Gram matrix.
    cross, gram_y : Tensor, shapes (..., n_x, n_y) and (..., n_y, n_y)
        XᵀY and YᵀY.

    Returns
    -------
    Tensor, shape (..., n_x)
        Between 0 and ‖xⱼ‖²; differentiable in `cross` and `gram_y`, or in `y`.
    """
    with torch.no_grad():
        factor, failed = torch.linalg.cholesky_ex(gram_y)
        pivots = factor.diagonal(dim1=-2, dim2=-1)
        # A Gram matrix squares the condition number: beyond this, its rounding shows.
        limit = torch.finfo(y.dtype).eps ** 0.25
        sound = (failed == 0).all() and (pivots.amin(-1) > limit * pivots.amax(-1)).all()
    if not sound:
        return _ExplainedEnergyBySVD.apply(x, y)
    return _ExplainedEnergy.apply(cross, gram_y, factor)
