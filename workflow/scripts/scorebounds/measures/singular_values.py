"""Sums of singular values and best rotations, whose gradients stay finite at low rank."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.closed_form import apply, first_derivative_only
from scorebounds.measures.polar import orthogonal_factor
from scorebounds.measures.products import product, symmetric_product

# Rounding of a sum of singular values, relative to it, up to which a Gram matrix gives them.
ROUNDING_OF_SUM = 1e-12


def _rotation_by_products(matrix: Tensor) -> Tensor | None:
    """Return UVᵀ where products give it faster than a decomposition: on a GPU, at full rank."""
    return orthogonal_factor(matrix) if matrix.is_cuda else None


def _sum_of_singular_values(matrix: Tensor) -> Tensor:
    """Return the sum; from the eigenvalues of a Gram matrix, which is faster, where they suffice.

    An eigenvalue is rounded by about ε times the largest one, its root s by that over 2s.
    """
    if (rotation := _rotation_by_products(matrix)) is not None:
        return (rotation * matrix).sum((-2, -1))
    rows = matrix if matrix.shape[-2] <= matrix.shape[-1] else matrix.mT
    squares = torch.linalg.eigvalsh(symmetric_product(rows.mT))
    values = squares.clamp_min(0).sqrt()
    total: Tensor = values.sum(-1)
    rounding = torch.finfo(matrix.dtype).eps * squares[..., -1] * (0.5 / values).sum(-1)
    if (rounding <= ROUNDING_OF_SUM * total).all():
        return total
    of_svd: Tensor = torch.linalg.svdvals(matrix)
    return of_svd.sum(-1)


class _NuclearNorm(Function):
    """Sum of singular values; its gradient is UVᵀ, also where singular values repeat."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        if not ctx.needs_input_grad[0]:
            return _sum_of_singular_values(matrix)
        if (rotation := _rotation_by_products(matrix)) is not None:
            ctx.save_for_backward(rotation)
            return (rotation * matrix).sum((-2, -1))
        u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
        # Beyond the numerical rank, any contraction is a subgradient: take zero.
        cutoff = s[..., :1] * (max(matrix.shape[-2:]) * torch.finfo(s.dtype).eps)
        ctx.save_for_backward((u * (s > cutoff)[..., None, :]) @ vh)
        result: Tensor = s.sum(-1)
        return result

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (rotation,) = ctx.saved_tensors
        result: Tensor = grad[..., None, None] * rotation
        return result


class _RotationDistance(Function):
    """min ‖X − YQ‖_F from its own residual, which keeps its digits where X and Y nearly agree."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, cross: Tensor) -> Tensor:
        rotation = _rotation_by_products(cross)
        if rotation is None:
            u, _, vh = torch.linalg.svd(cross, full_matrices=False)
            rotation = u @ vh
        wider = x.shape[-1] > y.shape[-1]
        residual = x - product(y, rotation.mT) if wider else y - product(x, rotation)
        distance = torch.linalg.matrix_norm(residual)
        ctx.wider = wider
        ctx.save_for_backward(residual, rotation, distance)
        result: Tensor = distance
        return result

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, None]:
        residual, rotation, distance = ctx.saved_tensors
        # At distance zero any direction of norm up to 1 is a subgradient: take zero.
        slope = torch.where(distance > 0, grad / distance, 0)[..., None, None]
        towards_x = -product(residual, rotation) if ctx.wider else residual
        return None, slope * towards_x, None


def nuclear_norm(matrix: Tensor) -> Tensor:
    """Return the sum of singular values, shape (...), of `matrix` (..., m, k)."""
    return apply(_NuclearNorm, matrix)


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
    return apply(_RotationDistance, x, y, cross.detach())
