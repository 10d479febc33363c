"""Measures that compare the samples' similarity matrices: centred kernel alignment, HSIC, ENSD."""

import torch
from torch import Tensor

from scorebounds.measures.base import (
    CLOOS_2025,
    KORNBLITH_2019,
    ORTHOGONAL,
    PERMUTATION,
    TRANSLATION,
    Measure,
    at_most_one,
)
from scorebounds.measures.closed_form import angular
from scorebounds.measures.inputs import require_memory, require_samples
from scorebounds.measures.pair import Pair, Reference, in_double, map_batch
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare, family

MIN_SAMPLES_DEBIASED = 4
# Matrices of n × n values alive at once in a score of n × n kernels and its gradient.
KERNEL_ARRAYS = 10


def linear_cka(pair: Pair) -> Tensor:
    """Linear centred kernel alignment, ‖XᵀY‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F).

    In [0, 1], 1 for a match up to rotation, scale and offset. Kornblith et al. 2019, eq. 4 and
    section 3.
    """
    return at_most_one(_shared(pair) / (pair.reference.gram_norm * _gram_norm(pair)))


@in_double
def angular_cka(pair: Pair) -> Tensor:
    """Return 1 − arccos(CKA)/(π/2): linear CKA on an angular scale, in [0, 1].

    In double precision, for near a match the angle is the square root of the rounding. Cloos et
    al. 2025, section 3.
    """
    return angular(linear_cka(pair))


def hsic(pair: Pair) -> Tensor:
    """Hilbert–Schmidt independence criterion of linear kernels, ‖XᵀY‖²_F / (n − 1)².

    In [0, ∞), in squared units of X times squared units of Y. Kornblith et al. 2019, eq. 3.
    """
    return _shared(pair) / (pair.n_samples - 1) ** 2


@in_double
def debiased_cka(pair: Pair) -> Tensor:
    """Linear CKA with the unbiased estimator of HSIC, in [−1, 1]; near 0 for independent data.

    The estimator is that of Song et al. 2012, eq. 5. It is an inner product of matrices with zero
    diagonal, so its CKA is a cosine. Kornblith et al. 2019, code of section 3.

    Raises
    ------
    ValueError
        With fewer than 4 samples, or where a side has no similarity structure beyond its diagonal.
    """
    require_samples(pair.n_samples, MIN_SAMPLES_DEBIASED, "debiased CKA")
    norms_x = pair.reference.per_sample(squared_rows)
    self_x = pair.reference.once(_unbiased_hsic_of_itself)
    norms_y = pair.squared_rows
    self_y = unbiased_hsic(_gram_norm(pair).square(), norms_y, norms_y)
    _require_structure(self_y, norms_y, "y")
    between = unbiased_hsic(_shared(pair), norms_x, norms_y)
    return at_most_one(between / (self_x * self_y).sqrt())


def rbf_cka(pair: Pair, fraction: float) -> Tensor:
    """CKA of Gaussian kernels exp(−d²/(2σ²)), σ² = fraction² · median d², in [0, 1].

    The median is taken over all n² squared distances of a side, as in the code of Kornblith et
    al. 2019, section 3.

    Raises
    ------
    ValueError
        If the n × n kernels do not fit into memory, or the median distance of a side is zero.
    """
    require_memory(pair.activity, KERNEL_ARRAYS, "CKA with Gaussian kernels")
    kernel_x = pair.reference.per_pair(_normalized_gaussian_kernel, fraction)
    if isinstance(pair, PairOfReferences):
        kernel_y = pair.other.per_pair(_normalized_gaussian_kernel, fraction)
        return at_most_one((kernel_x * kernel_y).sum((-2, -1)))

    def score(y: Tensor) -> Tensor:
        kernel_y = _centred_gaussian_kernel(y, fraction, "y")
        result: Tensor = (kernel_x * kernel_y).sum() / torch.linalg.matrix_norm(kernel_y)
        return result

    return at_most_one(map_batch(score, pair.y))


def shared_dimensions(pair: Pair) -> Tensor:
    """Effective number of shared dimensions, tr(KL) tr(K) tr(L) / (tr(K²) tr(L²)).

    In [0, √(PR(X) PR(Y))]; of X with itself the participation ratio of X. Giaffar et al. 2023.
    """
    traces = pair.reference.squared_norm * pair.squared_norm
    squares = pair.reference.gram_norm.square() * _gram_norm(pair).square()
    return _shared(pair) * traces / squares


def _shared(pair: Pair) -> Tensor:
    return pair.cross.square().sum((-2, -1))


def _gram_norm(pair: Pair) -> Tensor:
    result: Tensor = torch.linalg.matrix_norm(pair.gram)
    return result


def unbiased_hsic(shared: Tensor, norms_x: Tensor, norms_y: Tensor) -> Tensor:
    """Return n (n − 3) times the unbiased HSIC of centred data, from tr(KL) and the diagonals.

    Rows of K and L sum to zero, so every sum without the diagonal is one of the diagonals alone.
    """
    n = norms_x.shape[-1]
    diagonals = (norms_x * norms_y).sum(-1)
    totals = norms_x.sum(-1) * norms_y.sum(-1)
    return shared - n / (n - 2) * diagonals + totals / ((n - 1) * (n - 2))


def squared_rows(reference: Reference) -> Tensor:
    """Return the squared norm of each sample of X centred, shape (n_samples,)."""
    return reference.squared_rows


def _unbiased_hsic_of_itself(reference: Reference) -> Tensor:
    norms = squared_rows(reference)
    of_itself = unbiased_hsic(reference.gram_norm.square(), norms, norms)
    _require_structure(of_itself, norms, "x")
    return of_itself


def _require_structure(of_itself: Tensor, norms: Tensor, name: str) -> None:
    if (of_itself <= 1e-12 * norms.sum(-1).square()).any():
        raise ValueError(
            f"debiased CKA is not defined: in {name} all pairs of samples are equally similar"
        )


def _centred_gaussian_kernel(y: Tensor, fraction: float, name: str) -> Tensor:
    n = y.shape[0]
    norms = y.square().sum(-1)
    squared = (norms[:, None] + norms - 2 * (y @ y.mT)).clamp_min(0)
    squared = squared.masked_fill(torch.eye(n, dtype=torch.bool, device=y.device), 0)
    flat = squared.flatten()
    middle = [flat.kthvalue(rank).values for rank in {(n * n + 1) // 2, n * n // 2 + 1}]
    median = torch.stack(middle).mean()
    if median <= 0:
        raise ValueError(
            f"CKA with Gaussian kernels is not defined: half of the samples of {name} are equal"
        )
    kernel = torch.exp(squared / (-2 * fraction**2 * median))
    means = kernel.mean(0)
    return kernel - means - means[:, None] + means.mean()


def _normalized_gaussian_kernel(reference: Reference, fraction: float) -> Tensor:
    kernel = _centred_gaussian_kernel(reference.x, fraction, "x")
    result: Tensor = kernel / torch.linalg.matrix_norm(kernel)
    return result


_COST = "npq + nq²"

CKA = declare(
    "cka",
    compare=linear_cka,
    reference=f"{KORNBLITH_2019}, eq. 4 with the linear kernel",
    formula="‖XᵀY‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F)",
    blind_to="components of small variance: one of share λ weighs λ²",
    cost=_COST,
)
CKA_ANGULAR = declare(
    "cka_angular",
    compare=angular_cka,
    angular=True,
    reference=f"{CLOOS_2025}, section 3",
    formula="1 − arccos(CKA)/(π/2)",
    blind_to="as CKA, of which it is a function",
    cost=_COST,
)
CKA_DEBIASED = declare(
    "cka_debiased",
    compare=debiased_cka,
    bounds=(-1.0, 1.0),
    reference=f"{KORNBLITH_2019}, code of section 3, with HSIC of Song et al. 2012, Feature "
    "Selection via Dependence Maximization, eq. 5",
    formula="HSICᵤ(K, L) / √(HSICᵤ(K, K) HSICᵤ(L, L))",
    blind_to="as CKA; not raised by width, as CKA is when there are few samples, but too low "
    "where X or Y holds few neurons of a larger population (cka_corrected)",
    cost=_COST,
)
HSIC = declare(
    "hsic",
    compare=hsic,
    perfect=None,
    bounds=(0.0, float("inf")),
    invariances=frozenset({ORTHOGONAL, TRANSLATION, PERMUTATION}),
    scale=lambda reference: hsic(Pair(reference, reference.x)),
    twice_differentiable=True,
    reference=f"{KORNBLITH_2019}, eq. 3",
    formula="‖XᵀY‖²_F / (n − 1)²",
    blind_to="how good a match is: it grows with the scale of either side",
    cost="npq",
)
ENSD = declare(
    "ensd",
    compare=shared_dimensions,
    perfect=None,
    bounds=(0.0, float("inf")),
    reference="Giaffar et al. 2023, The effective number of shared dimensions: a simple method "
    "for revealing shared structure between datasets, bioRxiv 2023.07.27.550815",
    formula="tr(KL) tr K tr L / (tr K² tr L²)",
    blind_to="how good a match is: of two equal datasets it is their participation ratio",
    cost=_COST,
)


@family("cka_rbf_<fraction>")
def cka_rbf(number: str) -> Measure:
    """Declare CKA with Gaussian kernels of the width that `number` writes."""
    fraction = float(number)
    return declare(
        f"cka_rbf_{number}",
        compare=lambda pair: rbf_cka(pair, fraction),
        reference=f"{KORNBLITH_2019}, section 3",
        formula=f"CKA of exp(−d²/(2σ²)), σ² = {number}² · median d²",
        blind_to="distances well beyond σ; a small fraction sees near neighbours only",
        cost="n²(q + 1), memory n²",
    )
