"""Measures of local structure: do X and Y give a sample the same neighbours?"""

import torch
from torch import Tensor

from scorebounds.measures.base import ORTHOGONAL, PERMUTATION, SCALING, Measure
from scorebounds.measures.inputs import require_memory, require_samples
from scorebounds.measures.pair import Pair, Reference, map_batch
from scorebounds.measures.registry import declare, family


def neighbour_overlap(pair: Pair, n_neighbours: int) -> Tensor:
    """Mean share of a sample's k nearest neighbours that X and Y have in common, in [0, 1].

    Nearest by the cosine between rows, the sample itself left out. Independent data share
    k/(n − 1). Huh et al. 2024, appendix A.
    """
    # With k + 1 samples all others are neighbours, and the overlap is 1 for any data.
    require_samples(pair.n_samples, n_neighbours + 2, f"{n_neighbours} nearest neighbours")
    require_memory(pair.activity, 3, "nearest neighbours")
    neighbours_x = pair.reference.once(_neighbours_in_x, n_neighbours)

    def score(y: Tensor) -> Tensor:
        shared = neighbours_x & _neighbours(y, n_neighbours, "y")
        return shared.sum().to(y.dtype) / (n_neighbours * len(y))

    return map_batch(score, pair.activity)


def _neighbours_in_x(reference: Reference, n_neighbours: int) -> Tensor:
    return _neighbours(reference.activity, n_neighbours, "x")


def _neighbours(y: Tensor, n_neighbours: int, name: str) -> Tensor:
    """Return whether column j is one of the nearest neighbours of row i."""
    y = y.double()
    lengths = torch.linalg.vector_norm(y, dim=-1, keepdim=True)
    if (lengths == 0).any():
        row = int((lengths[:, 0] == 0).nonzero()[0])
        raise ValueError(
            f"nearest neighbours by cosine are not defined: row {row} of {name} is all zeros"
        )
    rows = y / lengths
    similarity = (rows @ rows.mT).fill_diagonal_(-torch.inf)
    nearest = similarity.topk(n_neighbours, dim=-1).indices
    return torch.zeros_like(similarity, dtype=torch.bool).scatter_(-1, nearest, value=True)


@family("mutual_knn_<k>")
def mutual_knn(number: str) -> Measure:
    """Declare the overlap of as many nearest neighbours as `number` says."""
    n_neighbours = int(number)
    return declare(
        f"mutual_knn_{number}",
        compare=lambda pair: neighbour_overlap(pair, n_neighbours),
        invariances=frozenset({ORTHOGONAL, SCALING, PERMUTATION}),
        reference="Huh et al. 2024, The Platonic Representation Hypothesis, arXiv:2405.07987",
        formula=f"mean |N_X(i) ∩ N_Y(i)| / {number}, N the {number} rows of largest cosine",
        blind_to="everything beyond the nearest neighbours; in time series, where neighbours in "
        "time are near in both, high for that alone",
        cost="n²q, memory n²",
    )
