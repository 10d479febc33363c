"""The principal components of a recording."""

from dataclasses import dataclass

import torch
from torch import Tensor

from scorebounds.measures.closed_form import centre
from scorebounds.measures.precision import rank_cutoff, source_precision


@dataclass(frozen=True)
class PrincipalComponents:
    """The principal components (PCs) of a reference X, in order of falling variance.

    Attributes
    ----------
    scores : Tensor, shape (n_samples, n_components)
        X in its PC coordinates: a rotation of centred X without the directions of no variance.
    eigenvalues : Tensor, shape (n_components,)
        Sum of squares along each PC, in squared units of X.
    """

    scores: Tensor
    eigenvalues: Tensor

    @property
    def variance_ratio(self) -> Tensor:
        """Share of the total variance that each PC carries; sums to 1."""
        return self.eigenvalues / self.eigenvalues.sum()

    @property
    def eigenvectors(self) -> Tensor:
        """Orthonormal eigenvectors of X Xᵀ, (n_samples, n_components)."""
        return self.scores / self.eigenvalues.sqrt()


def principal_components(x: Tensor) -> PrincipalComponents:
    """Return the PCs of `x` (n_samples, n_x) down to its numerical rank.

    Values that were stored in single precision carry rounding, which is no component.
    """
    u, s, _ = torch.linalg.svd(centre(x), full_matrices=False)
    cutoff = s[0] * max(x.shape) * torch.finfo(x.dtype).eps
    cutoff = torch.maximum(cutoff, rank_cutoff(x, source_precision(x)))
    rank = int((s > cutoff).sum())
    return PrincipalComponents(u[:, :rank] * s[:rank], s[:rank].square())
