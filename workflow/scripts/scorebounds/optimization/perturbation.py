"""What does a score lose when one principal component of the reference is replaced or dropped?

Component i of X = Σ √λⱼ uⱼ wⱼᵀ becomes √λᵢ v wᵢᵀ with a random v. Cloos et al. 2025, section 4.3
and figure 6.
"""

from collections.abc import Callable, Sequence

import pandas as pd
import torch
from torch import Tensor

from scorebounds.core.intervals import mean_with_interval
from scorebounds.measures import registry
from scorebounds.measures.closed_form import angular
from scorebounds.measures.pair import Pair, Reference, centre, of_order_one
from scorebounds.optimization.capture import PrincipalComponents, principal_components

BATCH_ELEMENTS = 4_000_000
COLUMNS = [
    "dataset",
    "measure",
    "target",
    "variance_ratio",
    "theory",
    "simulated_mean",
    "simulated_low",
    "simulated_high",
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


def random_directions(components: PrincipalComponents, generator: torch.Generator) -> Tensor:
    """Draw a direction for each component to be replaced by.

    "Orthogonal to all others" is taken to include the component itself, so that nothing of it is
    left: that is what the formulas hold for exactly. Without this, v would keep an overlap c = uᵢᵀv
    with it by chance, of mean square 1/(n − r); cka would be higher by c²·λᵢ²/Σλ² and nbs by
    |c|·λᵢ/Σλ, which shows where samples are few.

    Returns
    -------
    Tensor, shape (n_samples, n_components)
        Unit columns of mean zero, orthogonal to all left singular vectors of X.

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
        drawn = centre(drawn - left @ (left.mT @ drawn))
        drawn = drawn / torch.linalg.vector_norm(drawn, dim=0)
    return drawn


def perturbed_scores(
    components: PrincipalComponents, names: Sequence[str], directions: Tensor | None
) -> dict[str, Tensor]:
    """Score X with X after each component in turn is replaced, or dropped where there is none.

    The measures score whole matrices, but in an orthonormal basis of what X and the directions
    span, which leaves XᵀX, XᵀY and YᵀY, and so these measures, as they are.

    Parameters
    ----------
    components : PrincipalComponents
        Of X.
    names : sequence of str
        Measures, of `MEASURES`.
    directions : Tensor, shape (n_samples, n_components), or None
        From `random_directions`.

    Returns
    -------
    dict of str to Tensor, shape (n_components,)
    """
    rank = len(components.eigenvalues)
    new = torch.zeros_like(components.scores) if directions is None else directions
    spanned = torch.linalg.qr(torch.cat([components.scores, new], dim=1)).R
    # Rows orthogonal to the constant vector, so that centring changes nothing.
    n_rows = len(spanned) + 1
    basis = torch.eye(n_rows, dtype=spanned.dtype, device=spanned.device) - 1 / n_rows
    embedded = torch.linalg.qr(basis[:, :-1]).Q @ spanned
    # All of `MEASURES` ignore the unit, and take their products from one pair.
    embedded[:, rank:] *= components.eigenvalues.sqrt()
    embedded = of_order_one(embedded)
    x, replacements = embedded[:, :rank], embedded[:, rank:]
    scores: dict[str, list[Tensor]] = {name: [] for name in names}
    reference = Reference(x)
    size = max(1, BATCH_ELEMENTS // x.numel())
    for start in range(0, rank, size):
        chosen = torch.arange(start, min(start + size, rank), device=x.device)
        y = x.repeat(len(chosen), 1, 1)
        y[torch.arange(len(chosen), device=x.device), :, chosen] = replacements[:, chosen].mT
        pair = Pair(reference, y)
        for name in names:
            scores[name].append(registry.load(name).compare(pair))
    return {name: torch.cat(parts) for name, parts in scores.items()}


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
        theory and by simulation (mean and 95 % interval over the draws), and after it is dropped.
    """
    components = principal_components(x)
    draws = [
        perturbed_scores(
            components,
            names,
            random_directions(components, torch.Generator().manual_seed(seed)),
        )
        for seed in seeds
    ]
    dropped = perturbed_scores(components, names, None) if len(components.eigenvalues) > 1 else {}
    rows = []
    for name in names:
        theory = replaced_score(name, components.eigenvalues)
        without = dropped_score(name, components.eigenvalues)
        for index, share in enumerate(components.variance_ratio.tolist()):
            simulated = mean_with_interval([draw[name][index].item() for draw in draws])
            left = dropped[name][index].item() if dropped else float("nan")
            row = (dataset, name, index + 1, share, theory[index].item(), *simulated)
            rows.append((*row, without[index].item(), left))
    return pd.DataFrame(rows, columns=COLUMNS)
