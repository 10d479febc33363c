"""Recordings as tensors, as measures and optimisers take them."""

from pathlib import Path

import torch
import xarray as xr

from scorebounds.core.recording import read_recording, samples_by_neurons


def read_samples(
    path: str | Path, device: torch.device | str = "cpu"
) -> tuple[torch.Tensor, xr.DataArray]:
    """Read a recording that `write_recording` wrote, as a tensor.

    Parameters
    ----------
    path : str or Path
    device : torch.device or str
        Where the tensor is put.

    Returns
    -------
    Tensor, shape (n_samples, n_neurons)
        Times and conditions flattened.
    DataArray
        The recording itself, with its labels and attributes.
    """
    recording = read_recording(path)
    return torch.from_numpy(samples_by_neurons(recording)).to(device), recording
