"""Held-out R² of least squares from one QR decomposition for all folds, where that is stable.

The identity of `ridge_folds` without a penalty: with Q an orthonormal basis of Y and
H = 11ᵀ/n + QQᵀ, the residuals of a held-out fold are (I − H_ff)⁻¹ (X_f − x̂_f).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from scorebounds.measures.factored_folds import (
    held_out_r2,
    mean_held_out_r2,
    solve_held_out,
)
from scorebounds.measures.pair import Pair, Reference

# Pivots below which another form is taken: of the triangular factor of Y, relative to the largest,
# and of I − H_ff, whose inverse multiplies the rounding.
LEAST_OF_Y, LEAST_LEFT = 1e-5, 1e-4


def held_out_r2_by_qr(pair: Pair) -> Tensor | None:
    """Return the mean held-out R² over the folds, or None where Y is too ill-conditioned for it.

    Parameters
    ----------
    pair : Pair
        In double precision.

    Returns
    -------
    Tensor, shape (...), or None
        Differentiable in Y. None where Y, or Y without a fold, is near a lower rank.
    """
    decomposed = _decomposed(pair.y.detach(), pair.reference.folds.bounds, pair.cutoff)
    if decomposed is None:
        return None
    return held_out_r2(pair, decomposed.upper.mT, decomposed.basis.mT, 0.0)


def kept_held_out_r2_by_qr(reference: Reference, other: Reference) -> Tensor | None:
    """Return the same without a gradient; the decomposition of Y is computed once per `other`."""
    decomposed = other.once(_decomposed_reference)
    if decomposed is None:
        return None
    basis, x = decomposed.basis, reference.x
    residual = x - basis @ (basis.mT @ x)
    left = solve_held_out(residual, decomposed.left, other.folds.bounds)
    return mean_held_out_r2(reference, left)


class _Decomposed(NamedTuple):
    """Y = `basis` @ `upper`, and the Cholesky factors of I − H_ff of the folds."""

    basis: Tensor
    upper: Tensor
    left: list[Tensor]


def _decomposed_reference(reference: Reference) -> _Decomposed | None:
    return _decomposed(reference.x, reference.folds.bounds, reference.cutoff)


def _decomposed(y: Tensor, bounds: list[tuple[int, int]], cutoff: Tensor) -> _Decomposed | None:
    n, k = y.shape[-2:]
    if k + max(stop - start for start, stop in bounds) >= n:
        return None
    basis, upper = torch.linalg.qr(y)
    pivots = upper.diagonal(dim1=-2, dim2=-1).abs()
    least = torch.maximum(LEAST_OF_Y * pivots.amax(-1), 1 / LEAST_OF_Y * cutoff)
    if not (pivots.amin(-1) > least).all():
        return None
    left = []
    for start, stop in bounds:
        rows = basis[..., start:stop, :]
        identity = torch.eye(stop - start, dtype=y.dtype, device=y.device)
        factor, failed = torch.linalg.cholesky_ex(identity - 1 / n - rows @ rows.mT)
        smallest = factor.diagonal(dim1=-2, dim2=-1).square().amin(-1)
        if failed.any() or not (smallest > LEAST_LEFT).all():
            return None
        left.append(factor)
    return _Decomposed(basis, upper, left)
