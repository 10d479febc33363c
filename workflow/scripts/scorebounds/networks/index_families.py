"""Families of indexes between layers: SVCCA by the variance kept, and canonical ridge."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.measures.components import PrincipalComponents, principal_components
from scorebounds.networks.layers import interval, jackknifed, match_accuracy, symmetrised

# Share of the variance that is kept.
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
# Penalty of each side, in units of its largest eigenvalue.
PENALTIES = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, float("inf"))
COLUMNS = ["index", "share", "penalty", "other_penalty", "accuracy", "low", "high", "chance"]


def kept_components(layer: PrincipalComponents, share: float) -> int:
    """Return the number of leading components that hold a share of the variance."""
    held = layer.variance_ratio.cumsum(0)
    return min(int((held < share).sum()) + 1, len(held))


def truncated_correlations(
    overlap: Tensor, first: PrincipalComponents, second: PrincipalComponents
) -> np.ndarray:
    """Return mean canonical correlation and mean squared one after truncation (SVCCA).

    Parameters
    ----------
    overlap : Tensor, shape (r_first, r_second)
        Products of the eigenvectors of both.
    first, second : PrincipalComponents

    Returns
    -------
    ndarray, shape (2, n_shares)
        ρ̄ and R² at each of `SHARES`. Kornblith et al. 2019, section 4 and figure F.3.
    """
    scores = []
    for share in SHARES:
        rows, columns = kept_components(first, share), kept_components(second, share)
        correlations = torch.linalg.svdvals(overlap[:rows, :columns])
        scores.append((correlations.mean().item(), correlations.square().mean().item()))
    return np.array(scores).T


def canonical_ridge(
    overlap: Tensor, first: PrincipalComponents, second: PrincipalComponents
) -> np.ndarray:
    """Return the linear CKA of both layers after each is whitened as far as its penalty lets it.

    X (XᵀX + κλ₁ I)^(−1/2) takes the place of X. κ = 0 on both sides gives R²_CCA, κ = ∞ on both
    CKA, and κ = ∞ on one and 0 on the other the R² of linear regression of the one on the other,
    each times a factor that depends on the spectra only (on the ranks for R²_CCA). Kornblith et
    al. 2019, appendix D.1.

    Parameters
    ----------
    overlap, first, second
        As of `truncated_correlations`.

    Returns
    -------
    ndarray, shape (n_penalties, n_penalties)
        By the penalty of the first and of the second, `PENALTIES` each.
    """
    weights = [
        _ridge_weights(layer.eigenvalues / layer.eigenvalues[0]) for layer in (first, second)
    ]
    product = weights[0] @ overlap.square() @ weights[1].T
    scores: np.ndarray = product.cpu().numpy()
    return scores


def _ridge_weights(eigenvalues: Tensor) -> Tensor:
    """Return λ / (λ + κ) for each penalty, as unit vectors, (n_penalties, n_components)."""
    weights = torch.stack(
        [
            eigenvalues if np.isinf(penalty) else eigenvalues / (eigenvalues + penalty)
            for penalty in PENALTIES
        ]
    )
    unit: Tensor = weights / weights.norm(dim=1, keepdim=True)
    return unit


def families_table(networks: Sequence[Sequence[Tensor]]) -> pd.DataFrame:
    """Return how often each index of both families finds the corresponding layer.

    Parameters
    ----------
    networks : sequence of sequence of Tensor
        Layers of each network, at least two networks.

    Returns
    -------
    DataFrame
        `COLUMNS`: `index` is `svcca`, `svcca_r2` or `canonical_ridge`; share of layers found and
        its 95 % jackknife interval, scores averaged over both directions.
    """
    shape = (len(networks), len(networks[0]))
    parts = [principal_components(layer) for network in networks for layer in network]
    n = len(parts)
    truncated = np.empty((2, len(SHARES), n, n))
    ridge = np.empty((len(PENALTIES), len(PENALTIES), n, n))
    for i, first in enumerate(parts):
        for j, second in enumerate(parts[: i + 1]):
            overlap = first.eigenvectors.T @ second.eigenvectors
            truncated[:, :, i, j] = truncated[:, :, j, i] = truncated_correlations(
                overlap, first, second
            )
            ridge[:, :, i, j] = canonical_ridge(overlap, first, second)
            ridge[:, :, j, i] = ridge[:, :, i, j].T
    rows = []
    for name, of_index in zip(("svcca", "svcca_r2"), truncated, strict=True):
        for share, scores in zip(SHARES, of_index, strict=True):
            rows.append({"index": name, "share": share, **_found(scores.reshape(shape + shape))})
    for penalty, of_penalty in zip(PENALTIES, ridge, strict=True):
        for other, scores in zip(PENALTIES, of_penalty, strict=True):
            names = {"index": "canonical_ridge", "penalty": penalty, "other_penalty": other}
            rows.append(names | _found(scores.reshape(shape + shape)))
    return pd.DataFrame(rows)[COLUMNS]


def _found(scores: np.ndarray) -> dict[str, Any]:
    """Return the share of layers found with scores between all layers of all networks."""
    accuracy, pseudo = jackknifed(match_accuracy(symmetrised(scores), higher_is_closer=True))
    low, high = interval(accuracy, pseudo)
    return {"accuracy": accuracy, "low": low, "high": high, "chance": 1 / scores.shape[1]}
