"""Canonical correlations: which directions do the spans of X and Y have in common?"""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from scorebounds.measures.base import (
    INVERTIBLE,
    KORNBLITH_2019,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    SaturatedScoreWarning,
    at_most_one,
    invariance,
)
from scorebounds.measures.pair import Pair, Reference
from scorebounds.measures.registry import declare, family
from scorebounds.measures.singular_values import nuclear_norm
from scorebounds.measures.subspaces import left_singular_vectors

SVCCA_SHARE = 0.99


def mean_correlation(pair: Pair, share: float = 1.0) -> Tensor:
    """Mean canonical correlation over min(rank X, rank Y), in [0, 1].

    With `share` below 1 each side is first cut to the principal components that hold that share of
    its variance (SVCCA). Kornblith et al. 2019, section 4; their divisor min(p, q) is the same at
    full rank.
    """
    overlap, rank = _overlap(pair, share)
    return at_most_one(nuclear_norm(overlap) / rank)


def mean_squared_correlation(pair: Pair, share: float = 1.0) -> Tensor:
    """Mean squared canonical correlation over min(rank X, rank Y), in [0, 1].

    Kornblith et al. 2019, section 4 (R²_CCA); `share` as in `mean_correlation`.
    """
    overlap, rank = _overlap(pair, share)
    return at_most_one(overlap.square().sum((-2, -1)) / rank)


def projection_weighted_correlation(pair: Pair) -> Tensor:
    """Mean canonical correlation weighted by what X's canonical variables hold of X, in [0, 1].

    The weights are Σⱼ |⟨hᵢ, xⱼ⟩|, hᵢ the canonical variables of X and xⱼ its neurons. They, and so
    the score, are not unique where canonical correlations repeat below 1. Kornblith et al. 2019,
    section 4, after Morcos et al. 2018.
    """
    overlap, rank = _overlap(pair, 1.0)
    directions, correlations = left_singular_vectors(overlap)
    weights = (directions.mT @ pair.reference.once(_loadings)).abs().sum(-1)
    real = torch.arange(weights.shape[-1], device=weights.device) < rank[..., None]
    weights = weights * real
    return at_most_one((weights * correlations).sum(-1) / weights.sum(-1))


def _loadings(reference: Reference) -> Tensor:
    return reference.subspace().mT @ reference.centred


def _overlap(pair: Pair, share: float) -> tuple[Tensor, Tensor]:
    """Return QₓᵀQᵧ, whose singular values are the canonical correlations, and their number."""
    overlap, rank_y = pair.overlap(share)
    rank_x = overlap.shape[-2]
    largest, most = max(rank_x, int(rank_y.max())), pair.n_samples - 1
    if largest >= most:
        warnings.warn(
            f"canonical correlations of {largest} independent dimensions with anything are 1 for "
            f"{pair.n_samples} samples: for at least one y the score is 1 regardless of the data",
            SaturatedScoreWarning,
            stacklevel=2,
        )
    return overlap, rank_y.clamp(max=rank_x)


_EITHER = frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION})
_ANY_MAP = _EITHER | {INVERTIBLE}
_NOISE = "the size of a shared direction: noise of tiny variance counts as much as the first PC"
_CUT = "the size of a shared direction among those kept, and all that was cut off"
_COST = "nq² (SVD of Y) + npq"

CCA = declare(
    "cca",
    compare=mean_correlation,
    invariances=_ANY_MAP,
    smooth_at_low_rank=False,
    reference=f"{KORNBLITH_2019}, section 4",
    formula="mean ρᵢ over min(rank X, rank Y)",
    blind_to=_NOISE,
    cost=_COST,
)
CCA_R2 = declare(
    "cca_r2",
    compare=mean_squared_correlation,
    invariances=_ANY_MAP,
    smooth_at_low_rank=False,
    reference=f"{KORNBLITH_2019}, section 4",
    formula="mean ρᵢ² over min(rank X, rank Y)",
    blind_to=_NOISE,
    cost=_COST,
)


def _truncated(
    name: str, index: str, compare: Callable[[Pair, float], Tensor], share: float
) -> Measure:
    """Declare an index of the leading PCs of each side that hold a share of its variance."""
    return declare(
        name,
        compare=lambda pair: compare(pair, share),
        invariances=_EITHER,
        smooth_at_low_rank=False,
        reference=f"{KORNBLITH_2019}, section 4, after Raghu et al. 2017",
        formula=f"{index} of the PCs that hold {100 * share:.12g} % of each side's variance",
        blind_to=_CUT,
        cost=_COST,
    )


SVCCA = _truncated("svcca", "CCA ρ̄", mean_correlation, SVCCA_SHARE)
SVCCA_R2 = _truncated("svcca_r2", "CCA R²", mean_squared_correlation, SVCCA_SHARE)


@family("svcca_<share>")
def svcca(number: str) -> Measure:
    """Declare the mean canonical correlation of the PCs that hold as large a share as `number`."""
    return _truncated(f"svcca_{number}", "CCA ρ̄", mean_correlation, float(number))


@family("svcca_r2_<share>")
def svcca_r2(number: str) -> Measure:
    """Declare the mean squared one of the PCs that hold as large a share as `number` says."""
    return _truncated(f"svcca_r2_{number}", "CCA R²", mean_squared_correlation, float(number))


PWCCA = declare(
    "pwcca",
    compare=projection_weighted_correlation,
    invariances=frozenset(
        {
            invariance(ORTHOGONAL, applies_to="y"),
            SCALING,
            TRANSLATION,
            PERMUTATION,
            invariance(INVERTIBLE, applies_to="y"),
        }
    ),
    smooth_at_low_rank=False,
    reference=f"{KORNBLITH_2019}, section 4, after Morcos et al. 2018",
    formula="Σ αᵢρᵢ / Σ αᵢ, αᵢ = Σⱼ |⟨hᵢ, xⱼ⟩|",
    blind_to="the size of a shared direction in Y",
    cost=_COST,
)
