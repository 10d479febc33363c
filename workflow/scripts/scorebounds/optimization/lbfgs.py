"""The descent direction of L-BFGS for many independent problems at once."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class CurvaturePair(NamedTuple):
    """A step of each problem and what it did to the gradient.

    Attributes
    ----------
    step, change : Tensor, shape (..., n_coordinates)
        Step taken, and change of the gradient along it.
    inverse : Tensor, shape (..., 1)
        1 / (stepᵀchange), or 0 where the pair is not to be used.
    """

    step: Tensor
    change: Tensor
    inverse: Tensor


def descent_direction(
    gradient: Tensor,
    pairs: Sequence[CurvaturePair],
    initial_scale: Tensor,
    products: Tensor | None = None,
) -> Tensor:
    """Return minus the approximate inverse Hessian times the gradient, by the two-loop recursion.

    Line searches differ between the callers (the objective of a logistic regression is convex, so
    that the slope at the end of a step suffices; a score is not), and stay with them.

    Parameters
    ----------
    gradient : Tensor, shape (..., n_coordinates)
        A row per problem.
    pairs : sequence of CurvaturePair
        From the oldest to the latest.
    initial_scale : Tensor, shape (..., 1)
        Diagonal of the inverse Hessian that the recursion starts from.
    products : Tensor, shape of `gradient`, optional
        Memory to use for products; allocating it takes longer than small products do.

    Returns
    -------
    Tensor, shape of `gradient`

    References
    ----------
    Nocedal and Wright, Numerical Optimization, algorithm 7.4.
    """
    if products is None:
        products = torch.empty_like(gradient)

    def dot(a: Tensor, b: Tensor) -> Tensor:
        return torch.mul(a, b, out=products).sum(-1, keepdim=True)

    direction = gradient.neg()
    weights = []
    for step, change, inverse in reversed(pairs):
        weight = inverse * dot(step, direction)
        direction -= torch.mul(weight, change, out=products)
        weights.append(weight)
    direction *= initial_scale
    for (step, change, inverse), weight in zip(pairs, reversed(weights), strict=True):
        correction = weight - inverse * dot(change, direction)
        direction += torch.mul(correction, step, out=products)
    return direction
