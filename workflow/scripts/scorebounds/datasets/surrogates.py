"""Gaussian data with the spectrum of a recording: what is left of it when all else is random."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from scorebounds.core.recording import recording

# Samples of the recordings behind the published spectra (times × conditions or stimuli).
PUBLISHED_SAMPLES = {
    "ultrametric": 100,
    "FreemanZiemba2013": 2 * 135,
    "Hatsopoulos2007": 3950,
    "MajajHong2015": 3200,
    "Mante2013": 15 * 72,
    "siegel15-FEF-stim_period-var99": 473,
}


def spectrum_surrogate(
    rng: np.random.Generator, variance_ratio: np.ndarray, n_samples: int
) -> np.ndarray:
    """Draw Gaussian data with an exact spectrum.

    Parameters
    ----------
    rng : Generator
    variance_ratio : ndarray, shape (n_neurons,)
        Share of the variance of each principal component; sums to 1.
    n_samples : int
        More than n_neurons, since centring takes one dimension away.

    Returns
    -------
    ndarray, shape (n_samples, n_neurons)
        Centred, of unit variance per neuron on average.
    """
    n_neurons = len(variance_ratio)
    if n_samples <= n_neurons:
        raise ValueError(
            f"expected more samples than the {n_neurons} components of the spectrum, "
            f"got {n_samples}"
        )
    gaussian = rng.standard_normal((n_samples, n_neurons))
    left = np.linalg.svd(gaussian - gaussian.mean(0), full_matrices=False)[0]
    right = np.linalg.qr(rng.standard_normal((n_neurons, n_neurons)))[0]
    return np.asarray(left * np.sqrt(variance_ratio * n_samples * n_neurons) @ right.T)


def published_spectrum(path: Path) -> np.ndarray:
    """Read the variance share of each PC from a published `scores_at_threshold.csv`.

    The paper drew new ultrametric data for every measure, so that the file holds a spectrum
    per measure; their mean is taken. Those of the recordings agree.
    """
    table = pd.read_csv(path)
    spectra = [group.pc_explained_variance.to_numpy() for _, group in table.groupby("measure")]
    if len({len(spectrum) for spectrum in spectra}) != 1:
        raise ValueError(f"{path}: expected equally many components for every measure")
    totals = np.array([spectrum.sum() for spectrum in spectra])
    if (abs(totals - 1) > 1e-3).any():
        raise ValueError(f"{path}: expected pc_explained_variance to sum to 1, got {totals}")
    mean = np.mean(spectra, axis=0)
    return np.asarray(mean / mean.sum())


def load(name: str, files: list[Path], rng: np.random.Generator) -> xr.DataArray:
    """Make the surrogate of a published dataset from its `scores_at_threshold.csv`."""
    path = next(file for file in files if file.name == "scores_at_threshold.csv")
    activity = spectrum_surrogate(rng, published_spectrum(path), PUBLISHED_SAMPLES[name])
    return recording(activity, units="1", done=["drew Gaussian data with the published spectrum"])
