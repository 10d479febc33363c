"""Measures that compare matrices of distances between samples: RSA and distance correlation.

Sums over pairs of samples of squared Euclidean and of correlation distances are sums over pairs of
neurons: no n × n matrix is made for those scores that can be differentiated.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from scorebounds.measures.base import (
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    at_most_one,
)
from scorebounds.measures.closed_form import narrow, unit_rows
from scorebounds.measures.inputs import require_memory
from scorebounds.measures.pair import Pair, Reference, in_double, map_batch
from scorebounds.measures.products import cross_product, gram
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare

# A spread of distances, as a share of their mean square, that is rounding and nothing else.
NO_SPREAD = 1e-13


class _Rdm(NamedTuple):
    """Sums over all pairs of samples of one side's distances."""

    squares: Tensor
    mean: Tensor
    name: str


@in_double
def euclidean_cosine(pair: Pair) -> Tensor:
    """Cosine between the squared Euclidean distances of all pairs of samples, in [0, 1].

    Kriegeskorte et al. 2008; the cosine as in Diedrichsen et al. 2021.
    """
    x, y, products = _euclidean_sums(pair)
    return at_most_one(products / (x.squares * y.squares).sqrt())


@in_double
def euclidean_pearson(pair: Pair) -> Tensor:
    """Pearson correlation between the squared Euclidean distances of all pairs, in [−1, 1].

    Kriegeskorte et al. 2008.
    """
    return _pearson(*_euclidean_sums(pair), pair.n_samples)


@in_double
def correlation_cosine(pair: Pair) -> Tensor:
    """Cosine between the correlation distances of all pairs of samples, in [0, 1].

    The distance of two samples is 1 − Pearson's r of their rows. Kriegeskorte et al. 2008.
    """
    x, y, products = _correlation_sums(pair)
    return at_most_one(products / (x.squares * y.squares).sqrt())


@in_double
def correlation_pearson(pair: Pair) -> Tensor:
    """Pearson correlation between the correlation distances of all pairs, in [−1, 1].

    Kriegeskorte et al. 2008.
    """
    return _pearson(*_correlation_sums(pair), pair.n_samples)


@in_double
def euclidean_spearman(pair: Pair) -> Tensor:
    """Rank correlation between the squared Euclidean distances of all pairs, in [−1, 1].

    Equal distances share their mean rank. Kriegeskorte et al. 2008.
    """
    require_memory(pair.activity, 4, "rank correlation of distances")
    ranks_x = pair.reference.per_pair(_distance_ranks_of, "x")
    if isinstance(pair, PairOfReferences):
        ranks_y = pair.other.per_pair(_distance_ranks_of, "y")
        return at_most_one((ranks_x * ranks_y).sum((-2, -1)))

    def score(y: Tensor) -> Tensor:
        return (_distance_ranks(y, "y") * ranks_x).sum()

    return at_most_one(map_batch(score, pair.activity))


@in_double
def distance_correlation(pair: Pair) -> Tensor:
    """Distance correlation of Euclidean distances (V-statistic), in [0, 1].

    0 only for independent data in the limit of many samples. Székely et al. 2007, definition 3.
    """
    require_memory(pair.activity, 4, "distance correlation")
    distances_x = pair.reference.per_pair(_unit_distances_of)
    if isinstance(pair, PairOfReferences):
        distances_y = pair.other.per_pair(_unit_distances_of)
        covariance = (distances_x * distances_y).sum((-2, -1))
        return at_most_one(covariance.clamp_min(0).sqrt())

    def score(y: Tensor) -> Tensor:
        result: Tensor = (distances_x * _unit_distances(y)).sum().clamp_min(0).sqrt()
        return result

    return at_most_one(map_batch(score, pair.y))


def _euclidean_sums(pair: Pair) -> tuple[_Rdm, _Rdm, Tensor]:
    norms_x = pair.reference.per_sample(_squared_rows)
    x = pair.reference.once(_euclidean_rdm_of_x)
    norms_y = pair.squared_rows
    y = _euclidean_rdm(norms_y, pair.gram.square().sum((-2, -1)), "y")
    products = _euclidean_products(norms_x, norms_y, pair.cross.square().sum((-2, -1)))
    return x, y, products


def _squared_rows(reference: Reference) -> Tensor:
    return reference.squared_rows


def _euclidean_rdm_of_x(reference: Reference) -> _Rdm:
    return _euclidean_rdm(_squared_rows(reference), reference.gram_norm.square(), "x")


def _euclidean_rdm(norms: Tensor, squared_gram: Tensor, name: str) -> _Rdm:
    mean = 2 * norms.sum(-1) / (norms.shape[-1] - 1)
    return _Rdm(_euclidean_products(norms, norms, squared_gram), mean, name)


def _euclidean_products(norms_x: Tensor, norms_y: Tensor, shared: Tensor) -> Tensor:
    """Σ_{i<j} d(xᵢ, xⱼ) d(yᵢ, yⱼ) of centred data, from squared row norms and ‖XᵀY‖²_F."""
    n = norms_x.shape[-1]
    return n * (norms_x * norms_y).sum(-1) + norms_x.sum(-1) * norms_y.sum(-1) + 2 * shared


def _correlation_sums(pair: Pair) -> tuple[_Rdm, _Rdm, Tensor]:
    rows_x = pair.reference.per_sample(standard_rows_of, "x")
    x = pair.reference.once(_correlation_rdm_of, "x")
    if isinstance(pair, PairOfReferences):
        rows_y = pair.other.per_sample(standard_rows_of, "y")
        y = pair.other.once(_correlation_rdm_of, "y")
    else:
        rows_y = narrow(standard_rows(pair.activity, "y"))
        y = _correlation_rdm(rows_y, "y")
    shared = cross_product(rows_x, rows_y).square().sum((-2, -1))
    n = pair.n_samples
    totals = rows_x.sum(-2).square().sum(-1) + rows_y.sum(-2).square().sum(-1)
    return x, y, (n * n - totals + shared) / 2


def standard_rows_of(reference: Reference, name: str) -> Tensor:
    """Return `standard_rows` of X in at most n_samples columns."""
    return narrow(standard_rows(reference.activity, name))


def _correlation_rdm_of(reference: Reference, name: str) -> _Rdm:
    return _correlation_rdm(reference.per_sample(standard_rows_of, name), name)


def _correlation_rdm(rows: Tensor, name: str) -> _Rdm:
    """Sum over pairs with similarities A = ZZᵀ of unit rows Z: ΣA = ‖Σz‖², ΣA² = ‖ZᵀZ‖²_F."""
    n = rows.shape[-2]
    total = rows.sum(-2).square().sum(-1)
    squares = (n * n - 2 * total + gram(rows).square().sum((-2, -1))) / 2
    return _Rdm(squares, (n * n - total) / (n * (n - 1)), name)


def standard_rows(y: Tensor, name: str) -> Tensor:
    """Centre each sample over neurons and scale it to length 1."""
    if y.shape[-1] < 2:
        raise ValueError(
            f"correlation distances need at least 2 neurons, got {y.shape[-1]} in {name}"
        )
    smallest, largest = torch.aminmax(y.detach(), dim=-1)
    scale = torch.maximum(largest, -smallest)
    flat = largest / 2 - smallest / 2 <= 4 * torch.finfo(y.dtype).eps * scale
    if flat.any():
        sample = int(flat.flatten().nonzero()[0]) % y.shape[-2]
        raise ValueError(
            f"correlation distances need samples that vary over neurons: in {name}, row {sample} "
            "has the same value for all of them"
        )
    return unit_rows(y)


def _pearson(x: _Rdm, y: _Rdm, products: Tensor, n: int) -> Tensor:
    n_pairs = n * (n - 1) / 2
    variances = []
    for side in (x, y):
        variance = side.squares - n_pairs * side.mean.square()
        if (variance <= NO_SPREAD * side.squares).any():
            raise ValueError(
                f"a correlation of distances is not defined: in {side.name} all pairs of samples "
                "are equally far apart"
            )
        variances.append(variance)
    covariance = products - n_pairs * x.mean * y.mean
    return at_most_one(covariance / (variances[0] * variances[1]).sqrt())


def _distance_ranks_of(reference: Reference, name: str) -> Tensor:
    return _distance_ranks(reference.activity, name)


def _distance_ranks(y: Tensor, name: str) -> Tensor:
    """Return the ranks of all distances, (n_samples, n_samples), centred and of length 1."""
    # These take half a second to import.
    from scipy.spatial.distance import pdist, squareform
    from scipy.stats import rankdata

    # From differences, not through a Gram matrix: equal distances have to come out equal.
    ranks = rankdata(pdist(y.cpu().numpy(), "sqeuclidean"))
    centred = torch.from_numpy(squareform(ranks - ranks.mean())).to(y)
    length = torch.linalg.vector_norm(centred)
    if length == 0:
        raise ValueError(
            f"a rank correlation of distances is not defined: in {name} all pairs of samples are "
            "equally far apart"
        )
    result: Tensor = centred / length
    return result


def _unit_distances_of(reference: Reference) -> Tensor:
    return _unit_distances(reference.x)


def _unit_distances(y: Tensor) -> Tensor:
    """Return the double-centred distances of all pairs, (n_samples, n_samples), of length 1."""
    distances = torch.cdist(y, y, compute_mode="donot_use_mm_for_euclid_dist")
    means = distances.mean(0)
    centred = distances - means - means[:, None] + means.mean()
    result: Tensor = centred / torch.linalg.matrix_norm(centred)
    return result


_KRIEGESKORTE_2008 = (
    "Kriegeskorte et al. 2008, Representational similarity analysis, doi:10.3389/neuro.06.004.2008"
)
_OF_ROWS = frozenset({SCALING, PERMUTATION})
_COST = "npq + nq²"

EUCLIDEAN_COSINE = declare(
    "rsa_euclidean_cosine",
    compare=euclidean_cosine,
    reference=f"{_KRIEGESKORTE_2008}; cosine as in Diedrichsen et al. 2021, arXiv:2007.02789",
    formula="cos of d²(i, j) over pairs i < j",
    blind_to="components of small variance; high for any two datasets of many neurons, as "
    "distances then are all alike",
    cost=_COST,
)
EUCLIDEAN_PEARSON = declare(
    "rsa_euclidean_pearson",
    compare=euclidean_pearson,
    bounds=(-1.0, 1.0),
    reference=_KRIEGESKORTE_2008,
    formula="Pearson's r of d²(i, j) over pairs i < j",
    blind_to="components of small variance; a common offset of all distances",
    cost=_COST,
)
EUCLIDEAN_SPEARMAN = declare(
    "rsa_euclidean_spearman",
    compare=euclidean_spearman,
    bounds=(-1.0, 1.0),
    reference=_KRIEGESKORTE_2008,
    formula="Spearman's ρ of d²(i, j) over pairs i < j",
    blind_to="all of a distance but its rank",
    cost="n²q + n² log n, memory n²",
)
CORRELATION_COSINE = declare(
    "rsa_correlation_cosine",
    compare=correlation_cosine,
    invariances=_OF_ROWS,
    reference=_KRIEGESKORTE_2008,
    formula="cos of 1 − r(i, j) over pairs i < j",
    blind_to="the mean and the size of a sample's response; high for any two datasets of many "
    "neurons",
    cost=_COST,
)
CORRELATION_PEARSON = declare(
    "rsa_correlation_pearson",
    compare=correlation_pearson,
    bounds=(-1.0, 1.0),
    invariances=_OF_ROWS,
    reference=_KRIEGESKORTE_2008,
    formula="Pearson's r of 1 − r(i, j) over pairs i < j",
    blind_to="the mean and the size of a sample's response",
    cost=_COST,
)
DISTANCE_CORRELATION = declare(
    "distance_correlation",
    compare=distance_correlation,
    invariances=frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION}),
    reference="Székely et al. 2007, Measuring and testing dependence by correlation of distances, "
    "doi:10.1214/009053607000000505, definition 3",
    formula="√(dCov² / √(dVar² dVar²))",
    blind_to="little; with few samples and many neurons independent data score high",
    cost="n²q, memory n²",
)
