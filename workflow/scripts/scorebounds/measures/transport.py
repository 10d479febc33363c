"""Measures that match neurons with neurons instead of rotating one population onto the other."""

import numpy as np
import torch
from torch import Tensor

from scorebounds.measures.base import PERMUTATION, SCALING, TRANSLATION, at_most_one
from scorebounds.measures.inputs import require_varying_neurons
from scorebounds.measures.pair import Pair, Reference, in_double
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare

# The time of an assignment grows with the cube of the number of neurons; beyond this, with 10 000
# neurons on each side, one score takes hours.
MOST_MATCHED = 10_000


@in_double
def soft_matching(pair: Pair) -> Tensor:
    """Mean correlation of neurons under the best soft matching, in [−1, 1].

    The most that Σ Tᵢⱼ r(xᵢ, yⱼ) can be when every neuron of X gives 1/p and every neuron of Y
    takes 1/q; with p = q the best one-to-one matching. Khosla & Williams 2024, eq. 5.

    Raises
    ------
    ValueError
        If a neuron does not vary.
    """
    _require_few_neurons(pair)
    unit_x = pair.reference.per_sample(_unit_neurons_of, "x")
    if isinstance(pair, PairOfReferences):
        unit_y = pair.other.per_sample(_unit_neurons_of, "y")
    else:
        unit_y = _unit_neurons(pair.centred, pair.activity, "y")
    correlations = unit_x.mT @ unit_y
    batch = correlations.reshape(-1, *correlations.shape[-2:])
    scores = torch.stack([_best_transport(matrix) for matrix in batch])
    return at_most_one(scores.reshape(correlations.shape[:-2]))


@in_double
def permutation_matching(pair: Pair) -> Tensor:
    """Cosine between X and Y under the best one-to-one matching of neurons, in [−1, 1].

    max tr(XᵀYP) / (‖X‖_F ‖Y‖_F) over permutations P, the narrower side zero-padded: NBS with
    permutations in place of rotations. Williams et al. 2021, section 2.
    """
    _require_few_neurons(pair)
    cross = pair.reference.centred.mT @ pair.centred
    batch = cross.reshape(-1, *cross.shape[-2:])
    best = torch.stack([_best_matching(matrix) for matrix in batch]).reshape(cross.shape[:-2])
    return at_most_one(best / (pair.reference.squared_norm * pair.squared_norm).sqrt())


def _require_few_neurons(pair: Pair) -> None:
    """Raise ValueError where matching neuron with neuron would not end in a reasonable time."""
    widths = pair.reference.centred.shape[-1], pair.centred.shape[-1]
    if max(widths) > MOST_MATCHED:
        raise ValueError(
            f"expected at most {MOST_MATCHED} neurons to match with each other, got {widths[0]} "
            f"and {widths[1]}: the time grows with the cube of their number; take fewer neurons or "
            "leave the measure out"
        )


def _unit_neurons_of(reference: Reference, name: str) -> Tensor:
    return _unit_neurons(reference.centred, reference.activity, name)


def _unit_neurons(centred: Tensor, activity: Tensor, name: str) -> Tensor:
    require_varying_neurons(centred, activity, name, "soft matching")
    result: Tensor = centred / torch.linalg.vector_norm(centred, dim=-2, keepdim=True)
    return result


def _best_matching(gains: Tensor) -> Tensor:
    p, q = gains.shape
    values = gains.cpu().numpy()
    if p != q:
        # A neuron without a partner is matched with a padded column of zeros, at no gain.
        width = max(p, q)
        padded = torch.zeros(width, width, dtype=gains.dtype)
        padded[:p, :q] = gains.cpu()
        values = padded.numpy()
    return gains.new_tensor(_best_partners(values).sum())


def _best_partners(values: np.ndarray) -> np.ndarray:
    """Return the value of each row with its partner, where the partners' sum is the largest."""
    # Here, for it takes a quarter of a second to import.
    from scipy.optimize import linear_sum_assignment

    return values[linear_sum_assignment(values, maximize=True)]


def _best_transport(correlations: Tensor) -> Tensor:
    p, q = correlations.shape
    values = correlations.cpu().numpy()
    if p == q:
        return correlations.new_tensor(_best_partners(values).mean())
    # Here, for importing it looks for every array library that is installed.
    import ot

    _, log = ot.emd(
        [1 / p] * p, [1 / q] * q, 1 - values, numItermax=10_000_000, log=True, check_marginals=False
    )
    if log["warning"] is not None:
        raise ValueError(f"soft matching was not solved: {log['warning']}")
    return correlations.new_tensor(1 - log["cost"])


SOFT_MATCHING = declare(
    "soft_matching",
    compare=soft_matching,
    bounds=(-1.0, 1.0),
    invariances=frozenset({SCALING, TRANSLATION, PERMUTATION}),
    reference="Khosla & Williams 2024, Soft Matching Distance: A metric on neural "
    "representations that captures single-neuron tuning, arXiv:2311.09466",
    formula="max Σ Tᵢⱼ r(xᵢ, yⱼ), row sums of T 1/p, column sums 1/q",
    blind_to="the gain of each neuron; what a rotation of the neurons would recover",
    cost="npq + transport, about p³",
)
PERMUTATION_MATCHING = declare(
    "permutation_matching",
    compare=permutation_matching,
    bounds=(-1.0, 1.0),
    invariances=frozenset({SCALING, TRANSLATION, PERMUTATION}),
    reference="Williams et al. 2021, Generalized Shape Metrics on Neural Representations, "
    "arXiv:2110.14739, section 2",
    formula="max tr(XᵀYP) / (‖X‖_F ‖Y‖_F) over permutations P",
    blind_to="what a rotation of the neurons would recover",
    cost="npq + assignment, about p³",
)
