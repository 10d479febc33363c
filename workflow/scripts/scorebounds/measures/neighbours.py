"""Measures of local structure: do X and Y give a sample the same neighbours?"""

from typing import NamedTuple

import torch
from torch import Tensor

from scorebounds.measures.base import ORTHOGONAL, PERMUTATION, SCALING, Measure
from scorebounds.measures.inputs import require_samples
from scorebounds.measures.pair import Pair, Reference, map_batch
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare, family

# Cosines that differ by less are equal: samples that equal each other are equally near.
TIE = 1e-12
# Pairs of samples that are compared at once.
BLOCK = 10_000_000
# Nearest samples that are kept for each sample, per neighbour and more: without some samples, the
# nearest of the others are among them.
KEPT_PER_NEIGHBOUR, KEPT_MORE = 2, 20


def neighbour_overlap(pair: Pair, n_neighbours: int) -> Tensor:
    """Mean share of a sample's k nearest neighbours that X and Y have in common, in [0, 1].

    Nearest by the cosine between rows, the sample itself left out. Samples that tie for the last
    places share them, so that the order of the rows does not matter. Independent data share
    k/(n − 1). Huh et al. 2024, appendix A.
    """
    # With k + 1 samples all others are neighbours, and the overlap is 1 for any data.
    require_samples(pair.n_samples, n_neighbours + 2, f"{n_neighbours} nearest neighbours")

    def shared(of_y: _Neighbours) -> Tensor:
        of_x = pair.reference.once(_neighbours_of, n_neighbours, "x")
        weights = of_x.weights_at(*map(pair.reference.places, (of_y.rows, of_y.columns)))
        total = torch.minimum(weights, of_y.weights).sum(-1) / (n_neighbours * pair.n_samples)
        return total.to(pair.activity.dtype)

    if isinstance(pair, PairOfReferences):
        return shared(pair.other.once(_neighbours_of, n_neighbours, "y"))
    return map_batch(
        lambda y: shared(_neighbours_of(Reference(y), n_neighbours, "y")), pair.activity
    )


class _Neighbours(NamedTuple):
    """The pairs of samples of which the second is a neighbour of the first.

    To which degree it is says the weight; those of a row sum to k. Pairs are in the order of rows
    and columns.
    """

    rows: Tensor
    columns: Tensor
    weights: Tensor
    n_samples: int

    def weights_at(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return the weights of pairs of samples, 0 where they are no neighbours."""
        keys, wanted = self.rows * self.n_samples + self.columns, rows * self.n_samples + columns
        place = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
        return torch.where(keys[place] == wanted, self.weights[place], 0)


class _Nearest(NamedTuple):
    """The nearest of all samples, for each of them: columns and cosines, nearest first."""

    unit: Tensor  # rows of length one, or zero
    columns: Tensor
    cosines: Tensor


def _neighbours_of(reference: Reference, n_neighbours: int, name: str) -> _Neighbours:
    """Return the neighbours among the samples of a reference, which may be a part of others."""
    whole, kept = reference.origin
    nearest = whole.once(_nearest_of, KEPT_PER_NEIGHBOUR * n_neighbours + KEPT_MORE)
    return _neighbours_among(nearest, kept, n_neighbours, name)


def _nearest_of(reference: Reference, n_kept: int) -> _Nearest:
    y = reference.activity.double()
    lengths = torch.linalg.vector_norm(y, dim=-1, keepdim=True)
    unit = y / torch.where(lengths == 0, 1, lengths)
    n_samples = len(unit)
    found = [
        _cosines(unit, block).topk(min(n_kept, n_samples - 1))
        for block in torch.arange(n_samples, device=y.device).split(max(1, BLOCK // n_samples))
    ]
    cosines, columns = (torch.cat(parts) for parts in zip(*found, strict=True))
    return _Nearest(unit, columns, cosines)


def _cosines(unit: Tensor, rows: Tensor) -> Tensor:
    """Return the cosines of some rows with all others, and −∞ with themselves."""
    cosines = unit[rows] @ unit.mT
    cosines[torch.arange(len(rows), device=rows.device), rows] = -torch.inf
    return cosines


def _neighbours_among(
    nearest: _Nearest, kept: Tensor | None, n_neighbours: int, name: str
) -> _Neighbours:
    """Return the neighbours among the samples that are kept, all of them where it is None."""
    unit, columns, cosines = nearest
    place = torch.arange(len(unit), device=unit.device)
    if kept is not None:
        place = torch.full_like(place, -1)
        place[kept] = torch.arange(len(kept), device=unit.device)
        columns, cosines = columns[kept], cosines[kept]
    of_kept = unit if kept is None else unit[kept]
    _refuse_zero_rows(of_kept, name)
    columns = place[columns]
    is_kept = columns >= 0
    cosines = cosines.masked_fill(~is_kept, -torch.inf)
    weights, last = _weights(cosines, n_neighbours)
    # Another sample that is as near as the last neighbour may lie beyond those that are listed.
    is_whole = nearest.columns.shape[1] == len(unit) - 1
    unsure = nearest.cosines[:, -1] if kept is None else nearest.cosines[kept, -1]
    unsure = (unsure >= last[:, 0] - TIE) & (not is_whole)
    weights[unsure] = 0
    parts = [_listed(torch.arange(len(of_kept), device=unit.device), columns, weights)]
    for block in unsure.nonzero()[:, 0].split(max(1, BLOCK // len(of_kept))):
        of_block, _ = _weights(_cosines(of_kept, block), n_neighbours)
        everyone = torch.arange(len(of_kept), device=unit.device).expand_as(of_block)
        parts.append(_listed(block, everyone, of_block))
    rows, found, degree = (torch.cat(each) for each in zip(*parts, strict=True))
    order = torch.argsort(rows * len(of_kept) + found)
    return _Neighbours(rows[order], found[order], degree[order], len(of_kept))


def _weights(cosines: Tensor, n_neighbours: int) -> tuple[Tensor, Tensor]:
    """Return to which degree each sample is a neighbour, and the cosine of the last one."""
    last = cosines.topk(n_neighbours, dim=-1).values[:, -1:]
    nearer = cosines > last + TIE
    tied = (cosines >= last - TIE) & ~nearer
    places = n_neighbours - nearer.sum(-1, keepdim=True).double()
    return nearer + tied * (places / tied.sum(-1, keepdim=True)), last


def _listed(rows: Tensor, columns: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows, columns and weights of the pairs whose weight is not zero."""
    row, column = (weights > 0).nonzero(as_tuple=True)
    return rows[row], columns[row, column], weights[row, column]


def _refuse_zero_rows(unit: Tensor, name: str) -> None:
    is_zero = (unit == 0).all(-1)
    if is_zero.any():
        row = int(is_zero.nonzero()[0])
        raise ValueError(
            f"nearest neighbours by cosine are not defined: row {row} of {name} is all zeros"
        )


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
        cost="n²q",
    )
