"""Reduce a recording to its leading principal components."""

from dataclasses import replace

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.population import Population

# Relative size of singular values that are rounding.
ROUNDING = 1e-10


def reduce_to_components(population: Population, components: float) -> tuple[Population, str]:
    """Project activity on its leading principal components, which then take the place of neurons.

    Recordings with as many neurons as samples have a defined capture of components then. Halves of
    trials are projected on the components of the whole.

    Parameters
    ----------
    population : Population
        After averaging.
    components : float
        From 1 on their number; below 1 the share of the variance that they hold at least.

    Returns
    -------
    Population
    str
        What was done, in words.

    Raises
    ------
    UnusableError
        If values are missing, the recording has fewer components, or it has several subjects.
    """
    if population.subjects is not None:
        raise UnusableError(
            "expected either `components` or `subjects`, got both: components are of no single "
            "subject; leave one of them out"
        )
    n_neurons = population.activity.shape[-1]
    flat = population.activity.reshape(-1, n_neurons).astype(np.float64)
    if not np.isfinite(flat).all():
        raise UnusableError(
            "expected finite values to compute `components` from, got NaN or infinity; leave out "
            "what is missing (drop: [missing_neurons] or [missing_trials])"
        )
    mean = flat.mean(axis=0)
    _, values, axes = np.linalg.svd(flat - mean, full_matrices=False)
    rank = int((values > ROUNDING * values[0]).sum()) if values[0] > 0 else 0
    shares = np.cumsum(values**2) / max(float(np.sum(values**2)), np.finfo(float).tiny)
    number = int(components)
    if 0 < components < 1:
        number = int(np.searchsorted(shares[:rank], components - ROUNDING)) + 1
    if not 1 <= number <= rank:
        raise UnusableError(
            f"expected `components` of at most {rank}, the dimensions of the recording, got "
            f"{components:g}"
        )
    basis = axes[:number].T
    said = (
        f"{n_neurons} neurons were reduced to {number} leading principal components, which hold "
        f"{shares[number - 1]:.1%} of the variance"
    )
    reduced = replace(
        population,
        activity=(population.activity - mean) @ basis,
        halves=tuple((half - mean) @ basis for half in population.halves),
        done=(*population.done, said),
    )
    return reduced, said
