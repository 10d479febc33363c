"""What the layers of two networks share: components that carry their CKA; trained and untrained."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.measures.base import Measure
from scorebounds.measures.components import PrincipalComponents, principal_components

N_COMPONENTS = 30
COMPONENT_COLUMNS = ["eigenvalue", "variance_in_other", "share_of_cka"]


def compare_components(
    first: PrincipalComponents, second: PrincipalComponents
) -> tuple[np.ndarray, float]:
    """Describe each principal component of one layer by what another layer has of it.

    Parameters
    ----------
    first, second : PrincipalComponents
        Of two layers on the same images.

    Returns
    -------
    ndarray, shape (r, 3)
        Of each component of the first: its eigenvalue λᵢ / λ₁; the variance of the second along its
        eigenvector, uᵢᵀ Y Yᵀ uᵢ, as a share of the largest eigenvalue of Y Yᵀ (Kornblith et al.
        2019, figure 8); and its share of the linear CKA of both, the share of λᵢ uᵢᵀ Y Yᵀ uᵢ in the
        sum over all components.
    float
        The linear CKA.
    """
    of_first, of_second = first.eigenvalues, second.eigenvalues
    variance = (first.eigenvectors.T @ second.eigenvectors) ** 2 @ of_second
    carried = of_first * variance
    cka = float(carried.sum() / (of_first.norm() * of_second.norm()))
    columns = (of_first / of_first[0], variance / of_second[0], carried / carried.sum())
    return torch.stack(columns, 1).cpu().numpy(), cka


def components_table(networks: Sequence[Sequence[Tensor]]) -> pd.DataFrame:
    """Describe the first components of each layer, averaged over ordered pairs of networks.

    Parameters
    ----------
    networks : sequence of sequence of Tensor
        Layers of each network, at least two networks.

    Returns
    -------
    DataFrame
        Columns layer, component, eigenvalue, variance_in_other, share_of_cka, cumulative_share,
        cka, n_pairs. Layers of lower rank than `N_COMPONENTS` have fewer rows.
    """
    tables = []
    for number, layers in enumerate(zip(*networks, strict=True), 1):
        parts = [principal_components(layer) for layer in layers]
        n_shown = min(N_COMPONENTS, *(len(part.eigenvalues) for part in parts))
        compared = [
            compare_components(one, other) for one in parts for other in parts if one is not other
        ]
        mean = np.mean([rows[:n_shown] for rows, _ in compared], axis=0)
        table = pd.DataFrame(mean, columns=COMPONENT_COLUMNS)
        table.insert(0, "component", np.arange(1, n_shown + 1))
        table.insert(0, "layer", number)
        cka = float(np.mean([score for _, score in compared]))
        tables.append(
            table.assign(
                cumulative_share=table.share_of_cka.cumsum(), cka=cka, n_pairs=len(compared)
            )
        )
    return pd.concat(tables, ignore_index=True)


def state_maps(
    trained: Sequence[Sequence[Tensor]],
    untrained: Sequence[Sequence[Tensor]],
    measure: Measure,
) -> pd.DataFrame:
    """Average a score between all layers of different networks, trained and untrained.

    Parameters
    ----------
    trained, untrained : sequence of sequence of Tensor
        Layers of the same networks in the same order; of some, only the trained state may be known.
    measure : Measure

    Returns
    -------
    DataFrame
        Columns networks, layer, other_layer, score, n_pairs; `networks` is `trained, trained`,
        `trained, untrained` or `untrained, untrained`. No rows where there are no two networks.
    """
    states = {"trained": trained, "untrained": untrained}
    tables = [pd.DataFrame(columns=["networks", "layer", "other_layer", "score", "n_pairs"])]
    for one, other in (
        ("trained", "trained"),
        ("trained", "untrained"),
        ("untrained", "untrained"),
    ):
        scores = [
            measure.between(list(first), list(second)).cpu().numpy()
            for i, first in enumerate(states[one])
            for j, second in enumerate(states[other])
            if i != j
        ]
        if scores:
            mean = np.mean(scores, axis=0)
            row, column = np.indices(mean.shape) + 1
            table = pd.DataFrame(
                {"layer": row.ravel(), "other_layer": column.ravel(), "score": mean.ravel()}
            )
            tables.append(table.assign(networks=f"{one}, {other}", n_pairs=len(scores)))
    return pd.concat(tables[1:] or tables, ignore_index=True)
