"""In which precision values are computed, and to which precision they were stored.

Scores are computed in single or double precision. Values that were stored in fewer digits than they
are computed in carry rounding that would count as further dimensions of the data, so the rank of a
matrix is cut at the precision of its source.
"""

import torch
from torch import Tensor

_HALF = (torch.float16, torch.bfloat16)
# So many values are looked at before all of them are.
_FEW = 64


def to_working_precision(values: Tensor) -> Tensor:
    """Return integers and booleans in double precision, half precision in single precision."""
    if not isinstance(values, Tensor):
        raise TypeError(
            f"expected a tensor, got {type(values).__name__}; use scorebounds.score, which takes "
            "NumPy, xarray and pandas too, or torch.as_tensor"
        )
    if values.is_complex():
        raise ValueError(f"expected real numbers, got {values.dtype}")
    if not values.is_floating_point():
        return values.double()
    return values.float() if values.dtype in _HALF else values


def source_precision(values: Tensor) -> float:
    """Return the relative rounding of values beyond that of the type they are computed in, or 0.

    Half precision is known by its type. Values in double precision that single precision holds
    exactly were stored in single precision, unless they are whole numbers, which have no rounding.
    """
    values = values.detach()
    if values.dtype in _HALF:
        return 0.0 if are_whole(values) else torch.finfo(values.dtype).eps
    if values.dtype != torch.float64 or not are_single(values.flatten()[:_FEW]):
        return 0.0
    return torch.finfo(torch.float32).eps if are_single(values) and not are_whole(values) else 0.0


def rank_cutoff(values: Tensor, precision: float) -> Tensor:
    """Return the largest singular value of the rounding of `values` (..., n, q), shape (...).

    Rounding of relative size ε gives each value an error of at most ε/2 times itself; errors that
    are independent have singular values up to (√n + √q) times their standard deviation.
    """
    n_samples, n_neurons = values.shape[-2:]
    if precision == 0:
        return values.new_zeros(values.shape[:-2])
    size = values.detach().square().mean((-2, -1)).sqrt()
    return rounding_cutoff(size, (n_samples, n_neurons), precision)


def rounding_cutoff(size: Tensor, shape: tuple[int, int], precision: float) -> Tensor:
    """Return `rank_cutoff` of a matrix of this shape whose values have this root mean square."""
    n_samples, n_neurons = shape
    largest: Tensor = size * (precision / 2 * (n_samples**0.5 + n_neurons**0.5))
    return largest


def are_single(values: Tensor) -> bool:
    """Return whether single precision holds all values."""
    return bool((values.float().double() == values).all())


def are_whole(values: Tensor) -> bool:
    """Return whether all values are whole numbers."""
    return bool((values == values.round()).all())
