"""RSA with whitened distances: distances are compared with regard to their correlations.

Distances that share a sample are correlated. With V the covariance of the distances of independent
noise, which is (CCᵀ)² element by element for the contrasts C of all pairs, the whitened cosine of
distances d and e is dᵀV⁻¹e / √(dᵀV⁻¹d · eᵀV⁻¹e). As dᵀV⁻¹e is the inner product of the centred
similarity matrices K and L that the distances belong to, no matrix of pairs is made. For squared
Euclidean distances the whitened cosine is therefore linear CKA.
"""

from typing import NamedTuple

from torch import Tensor

from scorebounds.measures.base import ORTHOGONAL, PERMUTATION, SCALING, TRANSLATION, at_most_one
from scorebounds.measures.closed_form import centre, narrow
from scorebounds.measures.dissimilarity import NO_SPREAD, standard_rows, standard_rows_of
from scorebounds.measures.pair import Pair, Reference, in_double
from scorebounds.measures.products import cross_product, gram
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare


class _Similarities(NamedTuple):
    """Squared norm and trace of the centred similarity matrix K of one side."""

    squares: Tensor
    trace: Tensor
    name: str


@in_double
def whitened_euclidean_pearson(pair: Pair) -> Tensor:
    """Whitened correlation between the squared Euclidean distances of all pairs, in [−1, 1].

    Diedrichsen et al. 2021, section 3; the mean distance is subtracted before whitening.
    """
    x = _Similarities(pair.reference.gram_norm.square(), pair.reference.squared_norm, "x")
    y = _Similarities(pair.gram.square().sum((-2, -1)), pair.squared_norm, "y")
    return _pearson(x, y, pair.cross.square().sum((-2, -1)), pair.n_samples)


@in_double
def whitened_correlation_cosine(pair: Pair) -> Tensor:
    """Whitened cosine between the correlation distances of all pairs of samples, in [0, 1].

    It is the linear CKA of the samples' responses, each centred over neurons and scaled to unit
    length. Diedrichsen et al. 2021, section 3.
    """
    x, y, shared = _correlation_sums(pair)
    return at_most_one(shared / (x.squares * y.squares).sqrt())


@in_double
def whitened_correlation_pearson(pair: Pair) -> Tensor:
    """Whitened correlation between the correlation distances of all pairs, in [−1, 1].

    Diedrichsen et al. 2021, section 3; the mean distance is subtracted before whitening.
    """
    return _pearson(*_correlation_sums(pair), pair.n_samples)


def _pearson(x: _Similarities, y: _Similarities, shared: Tensor, n: int) -> Tensor:
    """Compare distances minus their mean, which is what (I − 11ᵀ/n) tr K/(n − 1) contributes."""
    variances = []
    for side in (x, y):
        variance = side.squares - side.trace.square() / (n - 1)
        if (variance <= NO_SPREAD * side.squares).any():
            raise ValueError(
                f"a correlation of distances is not defined: in {side.name} all pairs of samples "
                "are equally far apart"
            )
        variances.append(variance)
    covariance = shared - x.trace * y.trace / (n - 1)
    return at_most_one(covariance / (variances[0] * variances[1]).sqrt())


def _correlation_sums(pair: Pair) -> tuple[_Similarities, _Similarities, Tensor]:
    rows_x = pair.reference.per_sample(_centred_rows_of, "x")
    x = pair.reference.once(_similarities_of, "x")
    if isinstance(pair, PairOfReferences):
        rows_y = pair.other.per_sample(_centred_rows_of, "y")
        y = pair.other.once(_similarities_of, "y")
    else:
        rows_y = centre(narrow(standard_rows(pair.activity, "y")))
        y = _similarities(rows_y, "y")
    return x, y, cross_product(rows_x, rows_y).square().sum((-2, -1))


def _centred_rows_of(reference: Reference, name: str) -> Tensor:
    return centre(reference.per_sample(standard_rows_of, name))


def _similarities_of(reference: Reference, name: str) -> _Similarities:
    return _similarities(reference.per_sample(_centred_rows_of, name), name)


def _similarities(rows: Tensor, name: str) -> _Similarities:
    squares = gram(rows).square().sum((-2, -1))
    if (squares <= 0).any():
        raise ValueError(
            f"correlation distances of all pairs of samples are zero in {name}: their whitened "
            "cosine is not defined"
        )
    return _Similarities(squares, rows.square().sum((-2, -1)), name)


_SOURCE = (
    "Diedrichsen et al. 2021, Comparing representational geometries using whitened unbiased-"
    "distance-matrix similarity, arXiv:2007.02789, section 3"
)
_OF_ROWS = frozenset({SCALING, PERMUTATION})
_COST = "npq + nq²"

WHITENED_EUCLIDEAN_PEARSON = declare(
    "rsa_euclidean_whitened_pearson",
    compare=whitened_euclidean_pearson,
    bounds=(-1.0, 1.0),
    invariances=frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION}),
    reference=_SOURCE,
    formula="(⟨K, L⟩ − tr K tr L/(n − 1)) / √(‖K‖² − tr² K/(n − 1)) / √(‖L‖² − tr² L/(n − 1))",
    blind_to="components of small variance; a common offset of all distances",
    cost=_COST,
)
WHITENED_CORRELATION_COSINE = declare(
    "rsa_correlation_whitened_cosine",
    compare=whitened_correlation_cosine,
    invariances=_OF_ROWS,
    reference=_SOURCE,
    formula="CKA of the rows, each centred over neurons and of length 1",
    blind_to="the mean and the size of a sample's response; components of small variance",
    cost=_COST,
)
WHITENED_CORRELATION_PEARSON = declare(
    "rsa_correlation_whitened_pearson",
    compare=whitened_correlation_pearson,
    bounds=(-1.0, 1.0),
    invariances=_OF_ROWS,
    reference=_SOURCE,
    formula="as rsa_euclidean_whitened_pearson, of the rows centred over neurons and of length 1",
    blind_to="the mean and the size of a sample's response; a common offset of all distances",
    cost=_COST,
)
