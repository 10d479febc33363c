"""Differentiable pieces whose gradients are written out, so that they are fast and never NaN.

But for centring, they can be differentiated once; asking for second derivatives raises.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


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
        result: Tensor = (2 * grad)[..., None] * y
        return result


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


def safe_arccos(cosine: Tensor) -> Tensor:
    """Return the angle in [0, π]; at a cosine of ±1 the slope is large but finite."""
    return apply(_Arccos, cosine)


def angular(cosine: Tensor) -> Tensor:
    """Return a cosine on an angular scale, 1 − arccos(cosine)/(π/2); cosines in [0, 1] to [0, 1].

    Cosines beyond ±1, by rounding, are clipped. Differentiable, with a finite slope at ±1.
    """
    return 1 - safe_arccos(cosine) / (math.pi / 2)
