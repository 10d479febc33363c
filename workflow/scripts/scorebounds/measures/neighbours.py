"""Measures of local structure: do X and Y give a sample the same neighbours?"""

import torch
from torch import Tensor

from scorebounds.measures.base import ORTHOGONAL, PERMUTATION, SCALING, Measure
from scorebounds.measures.inputs import require_memory, require_samples
from scorebounds.measures.pair import Pair, Reference, map_batch
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare, family

# Cosines that differ by less are equal: samples that equal each other are equally near.
TIE = 1e-12
# Pairs of samples that are compared at once.
BLOCK = 10_000_000


def neighbour_overlap(pair: Pair, n_neighbours: int) -> Tensor:
    """Mean share of a sample's k nearest neighbours that X and Y have in common, in [0, 1].

    Nearest by the cosine between rows, the sample itself left out. Samples that tie for the last
    places share them, so that the order of the rows does not matter. Independent data share
    k/(n − 1). Huh et al. 2024, appendix A.
    """
    # With k + 1 samples all others are neighbours, and the overlap is 1 for any data.
    require_samples(pair.n_samples, n_neighbours + 2, f"{n_neighbours} nearest neighbours")
    require_memory(pair.activity, 3, "nearest neighbours")

    def shared(neighbours: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        *at, weights = neighbours
        of_x = pair.reference.per_pair(_neighbour_weights_of, n_neighbours, "x", at=(at[0], at[1]))
        total = torch.minimum(of_x, weights).sum(-1) / (n_neighbours * pair.n_samples)
        return total.to(pair.activity.dtype)

    if isinstance(pair, PairOfReferences):
        return shared(pair.other.once(_neighbours_of, n_neighbours, "y"))
    return map_batch(lambda y: shared(_neighbours(y, n_neighbours, "y")), pair.activity)


def _neighbour_weights_of(reference: Reference, n_neighbours: int, name: str) -> Tensor:
    return _neighbour_weights(reference.activity, n_neighbours, name)


def _neighbours_of(
    reference: Reference, n_neighbours: int, name: str
) -> tuple[Tensor, Tensor, Tensor]:
    return _neighbours(reference.activity, n_neighbours, name)


def _neighbours(y: Tensor, n_neighbours: int, name: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pairs of rows that are neighbours and their weights."""
    weights = _neighbour_weights(y, n_neighbours, name)
    rows, columns = weights.nonzero(as_tuple=True)
    return rows, columns, weights[rows, columns]


def _neighbour_weights(y: Tensor, n_neighbours: int, name: str) -> Tensor:
    """Return to which degree row j is one of the nearest neighbours of row i; rows sum to k."""
    y = y.double()
    lengths = torch.linalg.vector_norm(y, dim=-1, keepdim=True)
    if (lengths == 0).any():
        row = int((lengths[:, 0] == 0).nonzero()[0])
        raise ValueError(
            f"nearest neighbours by cosine are not defined: row {row} of {name} is all zeros"
        )
    rows = y / lengths
    weights: Tensor = rows.new_empty(len(rows), len(rows))
    for block in torch.arange(len(rows), device=rows.device).split(max(1, BLOCK // len(rows))):
        similarity = rows[block] @ rows.mT
        similarity[block - block[0], block] = -torch.inf
        last = similarity.topk(n_neighbours, dim=-1).values[:, -1:]
        nearer = similarity > last + TIE
        tied = (similarity >= last - TIE) & ~nearer
        places = n_neighbours - nearer.sum(-1, keepdim=True).double()
        weights[block] = nearer + tied * (places / tied.sum(-1, keepdim=True))
    return weights


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
