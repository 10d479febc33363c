"""Differentiable pieces whose gradients are written out, so that they are fast and never NaN.

They can be differentiated once; asking for second derivatives raises.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.polar import orthogonal_factor


def first_derivative_only(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse a backward pass that is to be differentiated again.

    torch's own `once_differentiable` lets it pass as a constant, which next to terms that have a
    second derivative gives a wrong one.
    """

    @wraps(backward)
    def checked(*args: Any) -> Any:
        if torch.is_grad_enabled():
            raise RuntimeError("measures have first derivatives only: call without create_graph")
        return backward(*args)

    return checked


def apply(function: type[Function], *arguments: Any) -> Tensor:
    """Call a differentiable function that returns one tensor."""
    result: Tensor = function.apply(*arguments)
    return result


def symmetric_product(y: Tensor) -> Tensor:
    """Return YᵀY of `y` (..., n, q), without gradient."""
    y = y.detach()
    return product_by_numpy(y) if y.device.type == "cpu" else y.mT @ y


def product_by_numpy(y: Tensor) -> Tensor:
    """Return YᵀY; NumPy recognises that it is symmetric, and computes one of its triangles."""
    n, q = y.shape[-2:]
    of_rows, of_columns = y.stride()[-2:]
    if not ((of_columns == 1 and of_rows >= q) or (of_rows == 1 and of_columns >= n)):
        y = y.contiguous()  # of any other layout, NumPy's product is slow
    values = y.numpy()
    return torch.from_numpy(values.swapaxes(-1, -2) @ values)


class _Centred(Function):
    """Y minus its columns' means; autograd's own backward pass goes over Y four times."""

    @staticmethod
    def forward(_ctx: Any, y: Tensor) -> Tensor:
        return y - y.mean(-2, keepdim=True)

    @staticmethod
    def backward(_ctx: Any, grad: Tensor) -> Tensor:
        return grad - grad.mean(-2, keepdim=True)


class _SquaredRows(Function):
    """The squared length of each row, without a matrix of squares."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        ctx.save_for_backward(y)
        lengths: Tensor = torch.linalg.vector_norm(y, dim=-1)
        return lengths.square()

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return (2 * grad)[..., None] * y


class _UnitRows(Function):
    """Rows minus their means, divided by their lengths, in few passes over the data."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        rows = y - y.mean(-1, keepdim=True)
        lengths = torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
        rows /= lengths
        ctx.save_for_backward(rows, lengths)
        return rows

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        rows, lengths = ctx.saved_tensors
        along = (grad * rows).sum(-1, keepdim=True)
        across = torch.addcmul(grad, rows, along, value=-1)
        across -= grad.mean(-1, keepdim=True)
        across /= lengths
        return across


class _Gram(Function):
    """YᵀY with one product in the backward pass instead of autograd's two."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        ctx.save_for_backward(y)
        return symmetric_product(y)

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        result: Tensor = y @ (grad + grad.mT)
        return result


class _Narrow(Function):
    """Y times a fixed rotation into the row space that holds all of its gradient."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, basis: Tensor) -> Tensor:
        ctx.save_for_backward(basis)
        return y @ basis

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (basis,) = ctx.saved_tensors
        return grad @ basis.mT, None


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
    squares = torch.linalg.eigvalsh(rows @ rows.mT)
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
        residual = x - y @ rotation.mT if wider else y - x @ rotation
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
        towards_x = -residual @ rotation if ctx.wider else residual
        return None, slope * towards_x, None


class _Arccos(Function):
    """arccos that clips rounding beyond ±1 and keeps a finite slope at the ends."""

    @staticmethod
    def forward(ctx: Any, cosine: Tensor) -> Tensor:
        cosine = cosine.clamp(-1, 1)
        ctx.save_for_backward(cosine)
        return torch.arccos(cosine)

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (cosine,) = ctx.saved_tensors
        sine_squared = (1 - cosine) * (1 + cosine)
        result: Tensor = -grad / sine_squared.clamp_min(torch.finfo(cosine.dtype).eps).sqrt()
        return result


def centre(y: Tensor) -> Tensor:
    """Subtract each neuron's mean over samples; shape (..., n_samples, n_neurons) is kept."""
    return apply(_Centred, y)


def squared_rows(y: Tensor) -> Tensor:
    """Return the squared length of each row, shape (..., n), of `y` (..., n, q)."""
    return apply(_SquaredRows, y)


def unit_rows(y: Tensor) -> Tensor:
    """Centre each row of `y` (..., n, q), none of which is constant, and scale it to length 1."""
    return apply(_UnitRows, y)


def narrow(y: Tensor) -> Tensor:
    """Rotate `y` (..., n, q) with q > n into the n dimensions that it spans.

    A function that is invariant to rotations of Y has all its gradient in Y's row space, so the
    rotation may be held constant and first derivatives stay exact.
    """
    if y.shape[-1] <= y.shape[-2]:
        return y
    basis = torch.linalg.qr(y.detach().mT).Q
    return apply(_Narrow, y, basis)


def gram(y: Tensor) -> Tensor:
    """Return YᵀY, shape (..., n_y, n_y), of `y` (..., n_samples, n_y)."""
    return apply(_Gram, y)


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


def safe_arccos(cosine: Tensor) -> Tensor:
    """Return the angle in [0, π]; at a cosine of ±1 the slope is large but finite."""
    return apply(_Arccos, cosine)


def angular(cosine: Tensor) -> Tensor:
    """Return a cosine on an angular scale, 1 − arccos(cosine)/(π/2); cosines in [0, 1] to [0, 1].

    Cosines beyond ±1, by rounding, are clipped. Differentiable, with a finite slope at ±1.
    """
    return 1 - safe_arccos(cosine) / (math.pi / 2)
