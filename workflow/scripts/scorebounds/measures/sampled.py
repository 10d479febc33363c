"""CKA corrected for few samples and few neurons: what it would be between whole populations.

The unbiased HSIC of Song et al. corrects for few samples. HSIC of X with itself is a mean over all
pairs of its neurons, a neuron with itself included; in a large population such pairs have no
weight, but among p neurons they are a share of 1/p. Without them the mean over pairs of different
neurons is unbiased for the population that the neurons are drawn from.
"""

import math

from torch import Tensor

from scorebounds.measures.base import PERMUTATION, SCALING, TRANSLATION
from scorebounds.measures.closed_form import centre
from scorebounds.measures.inputs import require_samples
from scorebounds.measures.kernels import MIN_SAMPLES_DEBIASED, squared_rows, unbiased_hsic
from scorebounds.measures.pair import Pair, Reference, in_double, of_order_one
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare

# Standard deviations above what independent neurons give: below, the denominator is noise.
MIN_STRUCTURE = 3


@in_double
def corrected_cka(pair: Pair) -> Tensor:
    """Linear CKA of the populations that X and Y hold samples and neurons of.

    Unbiased estimates of all three HSICs, so that the score can exceed 1. Chun et al. 2025.

    Raises
    ------
    ValueError
        With fewer than 4 samples or 2 neurons on a side, or where different neurons of a side
        have no more structure in common than independent neurons may have by chance.
    """
    require_samples(pair.n_samples, MIN_SAMPLES_DEBIASED, "corrected CKA")
    self_x = pair.reference.once(_between_neurons_of, "x")
    return _corrected(pair, self_x, _between_neurons(pair))


@in_double
def corrected_cka_of_sampled_x(pair: Pair) -> Tensor:
    """Linear CKA of the population that X holds neurons of with Y, of which all neurons are known.

    As `corrected_cka`, but HSIC of Y with itself is over all pairs of its neurons.
    """
    require_samples(pair.n_samples, MIN_SAMPLES_DEBIASED, "corrected CKA")
    norms_y = pair.squared_rows
    self_y = unbiased_hsic(pair.gram.square().sum((-2, -1)), norms_y, norms_y)
    self_x = pair.reference.once(_between_neurons_of, "x")
    return _corrected(pair, self_x, self_y / pair.activity.shape[-1] ** 2)


def _corrected(pair: Pair, self_x: Tensor, self_y: Tensor) -> Tensor:
    if (self_y <= 0).any():
        raise ValueError(_undefined("y"))
    norms_x = pair.reference.per_sample(squared_rows)
    shared = pair.cross.square().sum((-2, -1))
    between = unbiased_hsic(shared, norms_x, pair.squared_rows)
    n_pairs = pair.reference.activity.shape[-1] * pair.activity.shape[-1]
    return between / n_pairs / (self_x * self_y).sqrt()


def _between_neurons(pair: Pair) -> Tensor:
    if isinstance(pair, PairOfReferences):
        return pair.other.once(_between_neurons_of, "y")
    squares = pair.gram.square().sum((-2, -1))
    return _mean_over_pairs(pair.centred, squares, "y")


def _between_neurons_of(reference: Reference, name: str) -> Tensor:
    return _mean_over_pairs(reference.centred, reference.gram_norm.square(), name)


def _mean_over_pairs(centred: Tensor, squared_gram: Tensor, name: str) -> Tensor:
    """Return the mean HSIC of two different neurons, from ‖KK‖² and each neuron's own HSIC."""
    n_neurons = centred.shape[-1]
    if n_neurons < 2:
        raise ValueError(f"corrected CKA needs at least 2 neurons, got {n_neurons} in {name}")
    of_itself, alone = _with_itself_and_alone(centred, squared_gram)
    mean = (of_itself - alone) / (n_neurons * (n_neurons - 1))
    chance = _chance_deviation(centred.square().sum(-2), centred.shape[-2])
    if (mean <= MIN_STRUCTURE * chance).any():
        raise ValueError(_undefined(name))
    return mean


def _with_itself_and_alone(centred: Tensor, squared_gram: Tensor) -> tuple[Tensor, Tensor]:
    """Return the HSIC of all neurons with themselves, and the sum of each neuron's own."""
    squares = centred.square()
    norms = squares.sum(-1)
    # A neuron's kernel has the diagonal `squares` and the squared norm (Σ x²)².
    alone = unbiased_hsic(squares.sum(-2).square(), squares.mT, squares.mT).sum(-1)
    return unbiased_hsic(squared_gram, norms, norms), alone


def shared_among_neurons(activity: Tensor) -> float:
    """Return the share of a recording's HSIC with itself that is between different neurons.

    It is what other neurons of the same population would repeat: 1 where all neurons are alike,
    and near 0 where few neurons have noise of their own, or are uncorrelated components.

    Parameters
    ----------
    activity : Tensor, shape (n_samples, n_neurons)

    Returns
    -------
    float
        NaN with fewer than 4 samples or 2 neurons, or where samples have no structure.
    """
    n_samples, n_neurons = activity.shape
    if n_samples < MIN_SAMPLES_DEBIASED or n_neurons < 2:
        return math.nan
    reference = Reference(of_order_one(centre(activity.double())))
    of_itself, alone = (
        float(value)
        for value in _with_itself_and_alone(reference.centred, reference.gram_norm.square())
    )
    if of_itself <= 0:
        return math.nan
    return (of_itself - alone) / of_itself * n_neurons / (n_neurons - 1)


def _chance_deviation(variances: Tensor, n_samples: int) -> Tensor:
    """Return the standard deviation of the mean over pairs, were all neurons independent.

    The squared product of two independent normal columns with n values has a standard deviation
    of √2 times its mean, and different pairs of independent neurons are not correlated.
    """
    n_neurons = variances.shape[-1]
    products = variances.square().sum(-1).square() - variances.pow(4).sum(-1)
    return 2 * products.sqrt() / (n_samples * n_neurons * (n_neurons - 1))


def _undefined(name: str) -> str:
    return (
        f"corrected CKA is not defined: different neurons of {name} share no structure beyond what "
        "chance gives so few samples; use cka_debiased"
    )


_SOURCE = (
    "Chun et al. 2025, Estimating Neural Representation Alignment from Sparsely Sampled Inputs and "
    "Features, arXiv:2502.15104"
)
_INVARIANCES = frozenset({SCALING, TRANSLATION, PERMUTATION})

CKA_CORRECTED = declare(
    "cka_corrected",
    compare=corrected_cka,
    bounds=(-float("inf"), float("inf")),
    invariances=_INVARIANCES,
    attains_perfect=False,
    reference=_SOURCE,
    formula="mean HSICᵤ of a neuron of X and one of Y / √(that of two of X · that of two of Y)",
    blind_to="as CKA; noisy with few neurons, and above 1 where X and Y share neurons or noise",
    cost="npq + nq²",
)
CKA_CORRECTED_X = declare(
    "cka_corrected_x",
    compare=corrected_cka_of_sampled_x,
    bounds=(-float("inf"), float("inf")),
    invariances=_INVARIANCES,
    attains_perfect=False,
    reference=f"{_SOURCE}, for a model of which all units are known",
    formula="as cka_corrected, with HSICᵤ(L, L) over all pairs of the neurons of Y",
    blind_to="as CKA; too low where Y holds few neurons of a larger population",
    cost="npq + nq²",
)
