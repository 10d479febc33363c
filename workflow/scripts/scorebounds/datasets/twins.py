"""Gaussian twins: data with the means and covariances of a recording's neurons and nothing else."""

import numpy as np
import xarray as xr

from scorebounds.core.recording import recording, samples_by_neurons

KEPT_ATTRIBUTES = ("reduced", "licence", "citation")


def gaussian_twin(rng: np.random.Generator, array: xr.DataArray, original: str) -> xr.DataArray:
    """Draw Gaussian data with the covariance of the neurons of a recording.

    The left singular vectors of the centred activity, which hold times, conditions and labels, are
    replaced by orthonormal Gaussian ones. Singular values and right singular vectors stay as they
    are, so that the sample covariance and the spectrum are exact.

    Parameters
    ----------
    rng : Generator
    array : DataArray
        A recording.
    original : str
        Its name, for the history.

    Returns
    -------
    DataArray, dims (sample, neuron)
        As many samples as the recording, times and conditions flattened, without labels.
    """
    activity = samples_by_neurons(array)
    mean = activity.mean(0)
    _, values, right = np.linalg.svd(activity - mean, full_matrices=False)
    # Centring takes one dimension; what is left there is rounding.
    n_components = min(len(values), len(activity) - 1)
    gaussian = rng.standard_normal((len(activity), n_components))
    left = np.linalg.svd(gaussian - gaussian.mean(0), full_matrices=False)[0]
    drawn = left * values[:n_components] @ right[:n_components] + mean
    done = f"drew Gaussian data with the means and covariances of the neurons of {original}"
    twin = recording(drawn, units=array.attrs["units"], done=[done])
    return twin.assign_attrs(
        {name: array.attrs[name] for name in KEPT_ATTRIBUTES if name in array.attrs}
    )
