"""Products of matrices, by whatever computes them fastest, and those that scores are made of.

On one thread of a processor that is NumPy: on processors of AMD its library takes 0.6 to 1.0 of
the time of PyTorch's, and it computes only one triangle of YᵀY (benchmarks/products.py). Several
threads of it wait for each other where other programs run, ten times as long as they compute;
PyTorch's do not.
"""

import os
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.closed_form import apply, first_derivative_only


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return `a` (..., m, k) times `b` (..., k, l), without gradient."""
    a, b = a.detach(), b.detach()
    by_numpy = a.device.type == "cpu" and numpy_has_one_thread()
    return product_by_numpy(a, b) if by_numpy else a @ b


def symmetric_product(y: Tensor) -> Tensor:
    """Return YᵀY of `y` (..., n, q), without gradient."""
    y = _in_order(y.detach())
    return product(y.mT, y)


@cache
def numpy_has_one_thread() -> bool:
    """Return whether the environment says so, as that of a job of Snakemake does."""
    return "1" in map(os.environ.get, ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"))


def product_by_numpy(a: Tensor, b: Tensor) -> Tensor:
    """Return the product of tensors of the host; of YᵀY, NumPy computes one of the triangles."""
    return torch.from_numpy(_in_order(a).numpy() @ _in_order(b).numpy())


def _in_order(y: Tensor) -> Tensor:
    """Return `y` with rows or columns that are contiguous: all else NumPy multiplies slowly."""
    n, q = y.shape[-2:]
    of_rows, of_columns = y.stride()[-2:]
    in_order = (of_columns == 1 and of_rows >= q) or (of_rows == 1 and of_columns >= n)
    return y if in_order else y.contiguous()


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
        return product(y, grad + grad.mT)


class _Cross(Function):
    """XᵀY as a function of Y, which may be differentiated twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return product(x.mT, y)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor]:
        (x,) = ctx.saved_tensors
        return None, x @ grad if torch.is_grad_enabled() else product(x, grad)


def gram(y: Tensor) -> Tensor:
    """Return YᵀY, shape (..., n_y, n_y), of `y` (..., n_samples, n_y)."""
    return apply(_Gram, y)


def cross_product(x: Tensor, y: Tensor) -> Tensor:
    """Return XᵀY, (..., n_x, n_y), of `x` and `y`, (..., n_samples, n_x) and (..., n_samples, n_y).

    Differentiable; in `y` without a second product.
    """
    return x.mT @ y if x.requires_grad else apply(_Cross, x, y)
