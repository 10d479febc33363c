"""Held-out R² of least squares from one QR decomposition for all folds, where that is stable.

The identity of `ridge_folds` without a penalty: with Q an orthonormal basis of Y and
H = 11ᵀ/n + QQᵀ, the residuals of a held-out fold are (I − H_ff)⁻¹ (X_f − x̂_f).
"""

import torch
from torch import Tensor

from scorebounds.measures.factored_folds import held_out_r2
from scorebounds.measures.pair import Pair

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
    reference, y = pair.reference, pair.y.detach()
    n, k = y.shape[-2:]
    bounds = reference.folds.bounds
    if k + max(stop - start for start, stop in bounds) >= n:
        return None
    basis, upper = torch.linalg.qr(y)
    pivots = upper.diagonal(dim1=-2, dim2=-1).abs()
    least = torch.maximum(LEAST_OF_Y * pivots.amax(-1), 1 / LEAST_OF_Y * pair.cutoff)
    if not (pivots.amin(-1) > least).all():
        return None
    for start, stop in bounds:
        rows = basis[..., start:stop, :]
        identity = torch.eye(stop - start, dtype=y.dtype, device=y.device)
        factor, failed = torch.linalg.cholesky_ex(identity - 1 / n - rows @ rows.mT)
        smallest = factor.diagonal(dim1=-2, dim2=-1).square().amin(-1)
        if failed.any() or not (smallest > LEAST_LEFT).all():
            return None
    return held_out_r2(pair, upper.mT, basis.mT, 0.0)
