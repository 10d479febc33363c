"""Which principal components of the reference does a linear map of Y recover?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from scorebounds.measures.pair import Pair, centre
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


def principal_components(x: Tensor) -> PrincipalComponents:
    """Return the PCs of `x` (n_samples, n_x) down to its numerical rank.

    Values that were stored in single precision carry rounding, which is no component.
    """
    u, s, _ = torch.linalg.svd(centre(x), full_matrices=False)
    cutoff = s[0] * max(x.shape) * torch.finfo(x.dtype).eps
    cutoff = torch.maximum(cutoff, rank_cutoff(x, source_precision(x)))
    rank = int((s > cutoff).sum())
    return PrincipalComponents(u[:, :rank] * s[:rank], s[:rank].square())


def captured_variance(pair: Pair, components: PrincipalComponents) -> Tensor:
    """Return the R² of each PC of X under least squares from Y, ‖Qᵀuᵢ‖².

    Parameters
    ----------
    pair : Pair
        Y against a reference that is given in PC coordinates, `components.scores`.
    components : PrincipalComponents

    Returns
    -------
    Tensor, shape (..., n_components)
        In [0, 1]; not differentiable. Cloos et al. 2025, section 3.
    """
    with torch.no_grad():
        return (pair.explained.detach() / components.eigenvalues).clamp(max=1)
