"""What does a score lose when one principal component of the reference is replaced or dropped?

Component i of X = Σ √λⱼ uⱼ wⱼᵀ becomes √λᵢ v wᵢᵀ with a random v. Cloos et al. 2025, section 4.3
and figure 6.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.core.intervals import mean_with_interval
from scorebounds.measures.base import at_most_one
from scorebounds.measures.closed_form import angular, centre
from scorebounds.measures.components import PrincipalComponents, principal_components

# Entries outside the diagonal that are smaller, relative to the trace, are rounding.
NEGLIGIBLE = 1e-12
# Of the quadrature over the overlap of a direction with the component that it replaces.
N_NODES = 200
COLUMNS = [
    "dataset",
    "measure",
    "target",
    "variance_ratio",
    "theory",
    "simulated_mean",
    "simulated_low",
    "simulated_high",
    "overlap_theory",
    "overlap_mean",
    "overlap_low",
    "overlap_high",
    "dropped_theory",
    "dropped",
]


class NoDirectionError(ValueError):
    """Data that fill all dimensions have no direction to replace a component by."""


def _share_of_squares(eigenvalues: Tensor) -> Tensor:
    return eigenvalues.square() / eigenvalues.square().sum()


def _share(eigenvalues: Tensor) -> Tensor:
    return eigenvalues / eigenvalues.sum()


# What a component weighs in a measure, and what is done to the similarity in the end.
_THEORY: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "cka": (_share_of_squares, lambda score: score),
    "cka_angular": (_share_of_squares, angular),
    "nbs": (_share, lambda score: score),
    "procrustes_angular": (_share, angular),
}
MEASURES = tuple(_THEORY)


def replaced_score(measure: str, eigenvalues: Tensor) -> Tensor:
    """Return the score of X with itself after each component in turn is replaced.

    cka = 1 − λᵢ²/Σλ² and nbs = 1 − λᵢ/Σλ, since XᵀY loses one entry of its diagonal and ‖Y‖ and
    ‖YᵀY‖ are those of X; the angular forms follow. Cloos et al. 2025, section 4.3.

    Parameters
    ----------
    measure : str
        One of `MEASURES`.
    eigenvalues : Tensor, shape (n_components,)
        λ, in any unit.

    Returns
    -------
    Tensor, shape (n_components,)
        In [0, 1].
    """
    weight, finish = _THEORY[measure]
    return finish(1 - weight(eigenvalues))


def dropped_score(measure: str, eigenvalues: Tensor) -> Tensor:
    """Return the score of X with itself after each component in turn is left out.

    cka = √(1 − λᵢ²/Σλ²), nbs = √(1 − λᵢ/Σλ): higher than after a replacement, since Y is smaller
    as well. Parameters and result as of `replaced_score`.
    """
    weight, finish = _THEORY[measure]
    return finish((1 - weight(eigenvalues)).clamp(min=0).sqrt())


def overlapping_score(measure: str, eigenvalues: Tensor, n_samples: int) -> Tensor:
    """Return the expected score after each component is replaced by a direction that overlaps it.

    A random direction v that is orthogonal to the *other* components keeps c = uᵢᵀv of the replaced
    one: cka = 1 − (1 − c²)·λᵢ²/Σλ² and nbs = 1 − (1 − |c|)·λᵢ/Σλ, where c is a coordinate of a
    random unit vector in d = n − r dimensions, with mean square 1/d.

    Parameters
    ----------
    measure : str
        One of `MEASURES`.
    eigenvalues : Tensor, shape (r,)
        λ, in any unit.
    n_samples : int
        n, at least r + 2.

    Returns
    -------
    Tensor, shape (r,)
        In [0, 1], above `replaced_score`.
    """
    weight, finish = _THEORY[measure]
    n_dims = n_samples - len(eigenvalues)
    # c = sin θ has the density cos^(d − 2) θ, which is negligible beyond ten standard deviations.
    largest = min(math.pi / 2, 10 / n_dims**0.5)
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    angles = torch.from_numpy((nodes + 1) * largest / 2).to(eigenvalues)
    density = torch.from_numpy(weights).to(eigenvalues) * angles.cos() ** (n_dims - 2)
    kept = angles.sin() if weight is _share else angles.sin().square()
    scores = finish(1 - (1 - kept[:, None]) * weight(eigenvalues))
    return density @ scores / density.sum()


def random_directions(
    components: PrincipalComponents, generator: torch.Generator, *, overlapping: bool = False
) -> Tensor:
    """Draw a direction for each component to be replaced by.

    "Orthogonal to all others" is taken to include the component itself, so that nothing of it is
    left: that is what `replaced_score` holds for exactly. With `overlapping`, the direction is
    orthogonal to the other components only, as in the simulation of Cloos et al. 2025, figure 6;
    `overlapping_score` is the expectation.

    Returns
    -------
    Tensor, shape (n_samples, n_components)
        Unit columns of mean zero, orthogonal to all left singular vectors of X, or to all but the
        one of the same column.

    Raises
    ------
    NoDirectionError
        If the components fill all n − 1 dimensions.
    """
    n_samples, rank = components.scores.shape
    if rank >= n_samples - 1:
        raise NoDirectionError(
            f"expected at most {n_samples - 2} principal components in {n_samples} samples, so "
            f"that a direction is left to replace one by, got {rank}"
        )
    left = components.scores / components.eigenvalues.sqrt()
    drawn = torch.randn(left.shape, generator=generator, dtype=left.dtype).to(left)
    # Twice, since one projection leaves rounding where few dimensions are left.
    for _ in range(2):
        inside = left.mT @ drawn
        if overlapping:
            inside.fill_diagonal_(0)
        drawn = centre(drawn - left @ inside)
        drawn = drawn / torch.linalg.vector_norm(drawn, dim=0)
    return drawn


def perturbed_scores(
    components: PrincipalComponents, names: Sequence[str], directions: Tensor | None
) -> dict[str, Tensor]:
    """Score X with X after each component in turn is replaced, or dropped where there is none.

    In the coordinates of the components, each change is one of rank one: a column of XᵀY, and a row
    and a column of YᵀY, are exchanged. The scores follow from these products without Y.

    Parameters
    ----------
    components : PrincipalComponents
        Of X.
    names : sequence of str
        Measures, of `MEASURES`.
    directions : Tensor, shape (n_samples, n_components), or None
        Unit columns of mean zero, such as those from `random_directions`.

    Returns
    -------
    dict of str to Tensor, shape (n_components,)
    """
    scores = components.scores
    gram = scores.mT @ scores
    columns, size = torch.zeros_like(gram), torch.zeros_like(components.eigenvalues)
    if directions is not None:
        replacements = directions * components.eigenvalues.sqrt()
        columns, size = scores.mT @ replacements, replacements.square().sum(0)
    own, overlap = gram.diagonal(), columns.diagonal()
    of_old, of_new = gram.square().sum(0), columns.square().sum(0)
    whole = gram.square().sum()
    shared = whole - of_old + of_new
    squared_gram = whole - 2 * of_old + own.square() + 2 * (of_new - overlap.square()) + size**2
    squared_norm = own.sum() - own + size
    cosines = {
        "cka": shared / (whole * squared_gram).sqrt(),
        "nbs": _nuclear_norms(gram, columns) / (own.sum() * squared_norm).sqrt(),
    }
    found = {name: at_most_one(cosine) for name, cosine in cosines.items()}
    found |= {"cka_angular": angular(found["cka"]), "procrustes_angular": angular(found["nbs"])}
    return {name: found[name] for name in names}


def _nuclear_norms(gram: Tensor, columns: Tensor) -> Tensor:
    """Return ‖M‖_* for M = `gram` with each of its columns in turn replaced by that of `columns`.

    Up to entries outside the diagonal M is diagonal. They change ‖M‖_* by at most their own nuclear
    norm; singular values are computed where that may show.
    """
    own = gram.diagonal()
    norms = own.sum() - own + columns.diagonal().abs()
    outside = (columns - torch.diag(columns.diagonal())).square().sum(0).sqrt()
    for index in torch.nonzero(outside > NEGLIGIBLE * own.sum())[:, 0].tolist():
        matrix = torch.diag(own)
        matrix[:, index] = columns[:, index]
        norms[index] = torch.linalg.svdvals(matrix).sum()
    return norms


def perturb_components(
    x: Tensor, dataset: str, names: Sequence[str], seeds: Sequence[int]
) -> pd.DataFrame:
    """Compare theory and simulation for every principal component.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
    dataset : str
    names : sequence of str
        Measures, of `MEASURES`.
    seeds : sequence of int
        One draw of directions each.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, a row per measure and component: the score after it is replaced, by
        theory and by simulation (mean and 95 % interval over the draws), the same with a direction
        that may overlap it (`overlap_…`), and the score after it is dropped.
    """
    components = principal_components(x)
    n_samples = len(components.scores)

    def simulate(*, overlapping: bool) -> list[dict[str, Tensor]]:
        # Directions are as large as the data: those of one draw are in memory at a time.
        scores = []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            directions = random_directions(components, generator, overlapping=overlapping)
            scores.append(perturbed_scores(components, names, directions))
            del directions
        return scores

    draws, overlapping = simulate(overlapping=False), simulate(overlapping=True)
    dropped = perturbed_scores(components, names, None) if len(components.eigenvalues) > 1 else {}
    rows = []
    for name in names:
        theory = replaced_score(name, components.eigenvalues)
        expected = overlapping_score(name, components.eigenvalues, n_samples)
        without = dropped_score(name, components.eigenvalues)
        for index, share in enumerate(components.variance_ratio.tolist()):
            simulated = mean_with_interval([draw[name][index].item() for draw in draws])
            overlap = mean_with_interval([draw[name][index].item() for draw in overlapping])
            left = dropped[name][index].item() if dropped else float("nan")
            place = (dataset, name, index + 1, share)
            replaced = (theory[index].item(), *simulated, expected[index].item(), *overlap)
            rows.append((*place, *replaced, without[index].item(), left))
    return pd.DataFrame(rows, columns=COLUMNS)
