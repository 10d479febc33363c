"""Differentiable subspaces and singular vectors: what canonical correlations are made of."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.closed_form import first_derivative_only
from scorebounds.measures.products import product

# A gap between squared singular values, as a share of the largest, below which the two directions
# are one and the same to rounding: what would divide by it is left out.
SMALLEST_GAP = 1e-12


def _inverse_gaps(kept: Tensor, dropped: Tensor) -> Tensor:
    """Return 1/(kept² − dropped²) for each pair of singular values, 0 where they agree."""
    gaps = kept.square()[..., :, None] - dropped.square()[..., None, :]
    largest = kept.square().amax(-1)[..., None, None]
    sound = gaps.abs() > SMALLEST_GAP * largest
    return torch.where(sound, 1 / gaps.masked_fill(~sound, 1), 0)


class _PrincipalSubspace(Function):
    """Left singular vectors of Y that hold a share of its variance; the others are set to zero.

    The gradient is that of a function of the subspace, which no rotation within it may change.
    """

    @staticmethod
    def forward(ctx: Any, y: Tensor, share: float, cutoff: Tensor) -> tuple[Tensor, Tensor]:
        u, s, vh = torch.linalg.svd(y, full_matrices=False)
        rounding = s[..., :1] * (max(y.shape[-2:]) * torch.finfo(s.dtype).eps)
        kept = s > torch.maximum(rounding, cutoff[..., None])
        if share < 1:
            variance = s.square()
            before = variance.cumsum(-1) - variance
            kept = kept & (before < share * variance.sum(-1, keepdim=True))
        basis = u * kept[..., None, :]
        ctx.save_for_backward(u, s, vh, kept)
        rank = kept.sum(-1)
        ctx.mark_non_differentiable(rank)
        return basis, rank

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor, _: None) -> tuple[Tensor, None, None]:
        u, s, vh, kept = ctx.saved_tensors
        grad = grad * kept[..., None, :]
        inverse = torch.where(kept, 1 / s.masked_fill(~kept, 1), 0)
        along = product(u.mT, grad)
        # Directions that no column of Y has.
        outside = (grad - product(u, along)) * inverse[..., None, :]
        # Kept i and dropped j turn into each other at the rate 1/(s_i² − s_j²).
        turned = along.mT * _inverse_gaps(s, s) * (kept[..., :, None] & ~kept[..., None, :])
        into_u = (turned * s[..., :, None]).mT
        into_v = turned * s[..., None, :]
        within = product(u, into_u + into_v)
        return product(outside + within, vh), None, None


class _LeftSingularVectors(Function):
    """Singular values of M and its left singular vectors, as many as M has columns or rows."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> tuple[Tensor, Tensor]:
        u, s, vh = torch.linalg.svd(matrix, full_matrices=True)
        ctx.save_for_backward(matrix, u, s, vh)
        return u[..., : s.shape[-1]].contiguous(), s

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad_u: Tensor, grad_s: Tensor) -> Tensor:
        matrix, u, s, vh = ctx.saved_tensors
        k = s.shape[-1]
        all_values = torch.nn.functional.pad(s, (0, u.shape[-1] - k))
        # u_i are the eigenvectors of MMᵀ: they turn by u_jᵀ d(MMᵀ) u_i / (s_i² − s_j²).
        turned = (u.mT @ grad_u) * _inverse_gaps(s, all_values).mT
        of_square = u @ turned @ u[..., :k].mT
        from_values = (u[..., :k] * grad_s[..., None, :]) @ vh[..., :k, :]
        result: Tensor = from_values + (of_square + of_square.mT) @ matrix
        return result


def principal_subspace(
    y: Tensor, share: float = 1.0, cutoff: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return an orthonormal basis of the leading principal components of centred `y`.

    Parameters
    ----------
    y : Tensor, shape (..., n_samples, n_y)
    share : float
        Of the variance that the components have to hold; 1 for all down to the numerical rank.
    cutoff : Tensor, shape (...), optional
        The largest singular value that is rounding of the source (`rank_cutoff`).

    Returns
    -------
    tuple of Tensor, shapes (..., n_samples, min(n_samples, n_y)) and (...)
        The basis, with zeros beyond its rank, and that rank. Functions of the basis that no
        rotation within it changes have exact derivatives in `y` as long as the rank stays.
    """
    found: tuple[Tensor, Tensor] = _PrincipalSubspace.apply(
        y, share, y.new_zeros(y.shape[:-2]) if cutoff is None else cutoff
    )  # type: ignore[no-untyped-call]
    return found


def left_singular_vectors(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return left singular vectors, (..., m, k), and the k = min(m, l) values of (..., m, l).

    Differentiable; between vectors of equal singular values the derivative, which is not defined,
    is taken to be zero.
    """
    found: tuple[Tensor, Tensor] = _LeftSingularVectors.apply(matrix)  # type: ignore[no-untyped-call]
    return found
