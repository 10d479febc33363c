"""Checks of the tensors that a measure gets."""

import torch
from torch import Tensor

from scorebounds.checks import MIN_SAMPLES


def require_pair(x: Tensor, y: Tensor) -> None:
    """Raise ValueError unless `x` and `y` can be compared.

    Expected are `x` (n_samples, n_x) and `y` (..., n_samples, n_y): floating point, of one dtype
    and device, finite, with at least three samples, and neither constant over samples.
    """
    require_matrix(x)
    if y.ndim < 2 or y.shape[-2] != x.shape[0]:
        raise ValueError(
            "expected x (n_samples, n_x) and y (..., n_samples, n_y) with equal n_samples, "
            f"got {tuple(x.shape)} and {tuple(y.shape)}"
        )
    if y.dtype != x.dtype or y.device != x.device:
        raise ValueError(
            "expected x and y of one dtype and device, "
            f"got {x.dtype} on {x.device} and {y.dtype} on {y.device}"
        )
    _require_content(y.detach(), "y")


def require_matrix(x: Tensor) -> None:
    """Raise ValueError unless `x` is a usable (n_samples, n_x) matrix."""
    if x.ndim != 2:
        raise ValueError(f"expected x (n_samples, n_x), got shape {tuple(x.shape)}")
    if not x.is_floating_point():
        raise ValueError(f"expected x of a floating point type, got {x.dtype}")
    if x.shape[0] < MIN_SAMPLES:
        raise ValueError(f"expected at least {MIN_SAMPLES} samples, got {x.shape[0]}")
    _require_content(x.detach(), "x")


def _require_content(values: Tensor, name: str) -> None:
    if values.shape[-1] == 0:
        raise ValueError(f"expected {name} with at least one neuron, got none")
    if not torch.isfinite(values).all():
        raise ValueError(f"expected finite values, got NaN or infinity in {name}")
    # Centring a constant leaves rounding residue, so "constant" is judged against the raw scale.
    spread = (values - values.mean(-2, keepdim=True)).flatten(-2).abs().amax(-1)
    scale = values.flatten(-2).abs().amax(-1)
    if (spread <= 8 * torch.finfo(values.dtype).eps * scale).any():
        raise ValueError(f"expected {name} that varies over samples, got a constant matrix")
