"""The orthogonal factor of a matrix from matrix products alone, for a GPU.

There the singular value decomposition of a matrix of more than 32 columns is hundreds of small
kernels, one matrix after the other. Here odd polynomials bring all singular values to one, for a
whole batch: first those of Muon to between 0.6 and 1.2 (Jordan et al. 2024), then those of Newton
and Schulz, of third order (Higham 2008, Functions of Matrices, chapter 8).
"""

import torch
from torch import Tensor

# Coefficients of x, x³, x⁵. The first multiplies a small singular value by 3.44.
LIFT = (3.4445, -4.7750, 2.0315)
REFINE = (15 / 8, -10 / 8, 3 / 8)
# From 10⁻¹⁰ of the largest singular value, or from 10⁻⁵ in single precision.
N_LIFTS = {torch.float64: 20, torch.float32: 10}
N_REFINEMENTS = 5
# Norm that QᵀQ − I may have, in roundings per column.
ROUNDINGS = 10


def orthogonal_factor(matrix: Tensor) -> Tensor | None:
    """Return UVᵀ of M = USVᵀ, or None where a singular value is small.

    Parameters
    ----------
    matrix : Tensor, shape (..., m, k)

    Returns
    -------
    Tensor, shape (..., m, k), or None
        None if for any matrix of the batch a singular value is below about 10⁻¹⁰ of the largest, or
        10⁻⁵ in single precision: where one is zero, UVᵀ is not unique.
    """
    if matrix.shape[-2] < matrix.shape[-1]:
        transposed = orthogonal_factor(matrix.mT)
        return None if transposed is None else transposed.mT
    sizes = matrix.abs()
    # At least the largest singular value (Higham 2002, equation 6.19).
    bound = (sizes.sum(-1).amax(-1) * sizes.sum(-2).amax(-1)).sqrt()
    if not (bound > 0).all():
        return None
    q = matrix / bound[..., None, None]
    for a, b, c in [LIFT] * N_LIFTS[q.dtype] + [REFINE] * N_REFINEMENTS:
        gram = q.mT @ q
        polynomial = b * gram + c * (gram @ gram)
        polynomial.diagonal(dim1=-2, dim2=-1).add_(a)
        q = q @ polynomial
    rest = q.mT @ q
    rest.diagonal(dim1=-2, dim2=-1).sub_(1)
    tolerance = ROUNDINGS * q.shape[-1] * torch.finfo(q.dtype).eps
    return q if bool((torch.linalg.matrix_norm(rest) <= tolerance).all()) else None
