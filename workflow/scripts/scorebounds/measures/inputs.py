"""Checks of the tensors that a measure gets."""

import psutil
import torch
from torch import Tensor

from scorebounds.core.checks import FEW_SAMPLES, MIN_SAMPLES


def require_pair(x: Tensor, y: Tensor) -> None:
    """Raise ValueError unless `x` and `y` can be compared.

    Expected are `x` (n_samples, n_x) and `y` (..., n_samples, n_y): floating point, of one dtype
    and device, finite, with at least three samples, and neither constant over samples.
    """
    require_matrix(x)
    require_other(x, y)


def require_other(x: Tensor, y: Tensor) -> None:
    """Raise ValueError unless `y` can be compared with `x`, a usable matrix."""
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
        raise ValueError(f"expected at least {MIN_SAMPLES} samples, got {x.shape[0]}{FEW_SAMPLES}")
    _require_content(x.detach(), "x")


def require_samples(n_samples: int, least: int, what: str) -> None:
    """Raise ValueError where there are fewer than `least` samples for `what`."""
    if n_samples < least:
        raise ValueError(f"expected at least {least} samples for {what}, got {n_samples}")


def require_memory(y: Tensor, n_matrices: int, what: str) -> None:
    """Raise ValueError unless `n_matrices` n × n matrices fit into the memory that is free."""
    n = y.shape[-2]
    needed = n_matrices * n * n * y.element_size()
    if y.is_cuda:
        free, _ = torch.cuda.mem_get_info(y.device)
    else:
        free = psutil.virtual_memory().available
    if needed > free:
        raise ValueError(
            f"{what} of {n} samples needs n × n matrices of {needed / 1e9:.1f} GB in all, and only "
            f"{free / 1e9:.1f} GB of memory are free; take fewer samples or a larger machine"
        )


def require_varying_neurons(centred: Tensor, activity: Tensor, name: str, what: str) -> None:
    """Raise ValueError unless every neuron varies over samples."""
    spread, scale = centred.abs().amax(-2), activity.abs().amax(-2)
    constant = spread <= 8 * torch.finfo(activity.dtype).eps * scale
    if constant.any():
        neuron = int(constant.flatten().nonzero()[0]) % activity.shape[-1]
        raise ValueError(
            f"{what} is not defined for constant neurons: neuron {neuron} of {name} has the same "
            "value in all samples; leave it out"
        )


def _require_content(values: Tensor, name: str) -> None:
    if values.shape[-1] == 0:
        raise ValueError(f"expected {name} with at least one neuron, got none")
    largest, smallest = values.amax(-2), values.amin(-2)
    scale = torch.maximum(largest, -smallest).amax(-1)
    if not torch.isfinite(scale).all():
        raise ValueError(f"expected finite values, got NaN or infinity in {name}")
    # A constant may have rounding in it, so "constant" is judged against the scale.
    spread = (largest / 2 - smallest / 2).amax(-1)
    if (spread <= 8 * torch.finfo(values.dtype).eps * scale).any():
        raise ValueError(f"expected {name} that varies over samples, got a constant matrix")
