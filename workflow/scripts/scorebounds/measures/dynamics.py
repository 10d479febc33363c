"""Dynamical similarity analysis (DSA): are the dynamics of X and Y the same up to a rotation?

Each trajectory (the times of a condition) is embedded in delays. The singular vectors of the
embedding are the state, and a linear operator predicts the next state of all trajectories. Two
operators are compared by the angle between them after the best rotation or reflection (Ostrow et
al. 2023). Conditions are not paired: only how activity goes on counts.
"""

import numpy as np
import torch
from torch import Tensor

from scorebounds.measures.base import ORTHOGONAL, PERMUTATION, SCALING, TRANSLATION
from scorebounds.measures.closed_form import angular
from scorebounds.measures.pair import Pair, Reference, in_double
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare

# Dimensions of the state; fewer where the data have fewer.
RANK = 10
# Delays are this share of the times of a trajectory.
SHARE_OF_DELAYS = 0.2
MIN_TIMES = 5
# Random starts of the search for the best rotation, and steps of each.
N_STARTS, N_STEPS = 48, 500
# Squared length of a step at which a search has ended.
TOLERANCE = 1e-24


@in_double
def dynamical_similarity(pair: Pair) -> Tensor:
    """Return 1 − θ/(π/2), where θ is the angle between the operators of X and Y after alignment.

    Raises
    ------
    ValueError
        If the rows are not those of trajectories, or trajectories are too short.
    """
    x = pair.reference
    lengths = _lengths(x)
    if isinstance(pair, PairOfReferences):
        others = [pair.other]
    else:
        batch = pair.activity.reshape(-1, *pair.activity.shape[-2:])
        others = [Reference(each, x.folds, pair.precision) for each in batch]
    scores = torch.stack([_compare(x, other, lengths) for other in others])
    return scores.reshape(pair.activity.shape[:-2])


def _compare(x: Reference, y: Reference, lengths: tuple[int, ...]) -> Tensor:
    rank = min(RANK, *(side.once(_dimensions, lengths) for side in (x, y)))
    a, b = (side.once(_operator, lengths, rank) for side in (x, y))
    cosine = aligned_product(a, b) / (torch.linalg.matrix_norm(a) * torch.linalg.matrix_norm(b))
    return angular(cosine)


def _lengths(reference: Reference) -> tuple[int, ...]:
    """Return the number of times of each trajectory; its rows follow each other."""
    groups = reference.folds.groups
    if groups is None:
        raise ValueError(
            "DSA needs trajectories: give recording and model of shape (n_times, n_conditions, "
            "n_neurons), or the trajectory of each row as `groups`, rows in order of time"
        )
    lengths = np.bincount(groups)
    if lengths.min() < MIN_TIMES:
        raise ValueError(
            f"DSA needs at least {MIN_TIMES} times in each trajectory, got {lengths.min()}"
        )
    return tuple(lengths.tolist())


def delay_embedding(trajectory: Tensor, n_delays: int) -> Tensor:
    """Return the values at each time and at the `n_delays` − 1 times before it, side by side.

    Parameters
    ----------
    trajectory : Tensor, shape (n_times, n_neurons)
    n_delays : int
    """
    n_rows = len(trajectory) - n_delays + 1
    parts = [
        trajectory[n_delays - 1 - lag : n_delays - 1 - lag + n_rows] for lag in range(n_delays)
    ]
    return torch.cat(parts, dim=1)


def _n_delays(lengths: tuple[int, ...]) -> int:
    return max(1, int(SHARE_OF_DELAYS * min(lengths)))


def _states(reference: Reference, lengths: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Return the singular vectors of the embedding, strongest first, a matrix per trajectory."""
    parts = reference.x.split(lengths)
    embedded = [delay_embedding(part, _n_delays(lengths)) for part in parts]
    vectors, values, _ = torch.linalg.svd(torch.cat(embedded), full_matrices=False)
    kept = values > values[0] * max(vectors.shape) * torch.finfo(values.dtype).eps
    kept &= values > reference.cutoff
    parts_of_vectors: tuple[Tensor, ...] = vectors[:, kept].split([len(each) for each in embedded])
    return parts_of_vectors


def _dimensions(reference: Reference, lengths: tuple[int, ...]) -> int:
    states = reference.once(_states, lengths)
    # A regression on as many dimensions as it has rows would predict anything.
    return min(states[0].shape[1], sum(len(each) - 1 for each in states) // 2)


def _operator(reference: Reference, lengths: tuple[int, ...], rank: int) -> Tensor:
    """Return the matrix that maps each state to the next one, by least squares over all of them."""
    states = reference.once(_states, lengths)
    before = torch.cat([each[:-1, :rank] for each in states])
    after = torch.cat([each[1:, :rank] for each in states])
    solution = torch.linalg.lstsq(before, after).solution
    transposed: Tensor = solution.mT
    return transposed


def aligned_product(a: Tensor, b: Tensor) -> Tensor:
    """Return the largest ⟨A, C B Cᵀ⟩ over orthogonal C that a search from many starts finds.

    Gradient steps along the orthogonal matrices have the length of Barzilai and Borwein, and need
    not rise; the best of all counts.
    """
    c = _starts(a, b)
    best = _product(a, b, c).max()
    sizes = torch.linalg.matrix_norm(a, 2) * torch.linalg.matrix_norm(b, 2)
    step = (0.5 / sizes).expand(len(c), 1, 1)
    slope = _slope(a, b, c)
    for _ in range(N_STEPS):
        left, _, right = torch.linalg.svd(c + step * slope)
        moved = left @ right
        new_slope = _slope(a, b, moved)
        shift, change = moved - c, new_slope - slope
        c, slope = moved, new_slope
        best = torch.maximum(best, _product(a, b, c).max())
        length = shift.square().sum((-2, -1), keepdim=True)
        if length.max() < TOLERANCE:
            break
        curvature = (shift * change).sum((-2, -1), keepdim=True).abs()
        step = torch.where(curvature > 0, length / curvature, step)
    return best


def _product(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return (a * (c @ b @ c.mT)).sum((-2, -1))


def _starts(a: Tensor, b: Tensor) -> Tensor:
    """Return random orthogonal matrices, and changes of sign.

    Coordinates of data in another basis differ by their signs.
    """
    rank = len(a)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(N_STARTS, rank, rank, dtype=a.dtype, generator=generator).to(a.device)
    agreement = a * b + (a * b).mT
    signs = torch.sign(torch.linalg.eigh(agreement)[1])
    return torch.cat([torch.linalg.qr(drawn)[0], torch.diag_embed(signs.mT)])


def _slope(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return the gradient of the product along the orthogonal matrices."""
    gradient = a @ c @ b.mT + a.mT @ c @ b
    return (gradient - c @ gradient.mT @ c) / 2


DSA = declare(
    "dsa",
    compare=dynamical_similarity,
    broadcasts=False,
    bounds=(-1.0, 1.0),
    invariances=frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION}),
    reference=(
        "Ostrow et al. 2023, Beyond Geometry: Comparing the Temporal Structure of Computation in "
        "Neural Circuits with Dynamical Similarity Analysis, arXiv:2306.10168"
    ),
    formula=(
        "1 − θ/(π/2), θ = min over orthogonal C of the angle between A_X and C A_Y Cᵀ, operators "
        f"of {RANK} delay coordinates"
    ),
    blind_to="which condition is which, and geometry; needs recordings with times",
    cost="T(dp)² for d delays and T rows, and a search over rotations",
)
