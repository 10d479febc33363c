"""Measures of linear predictability: how much of X a linear map of Y explains."""

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.base import (
    CLOOS_2025,
    INVERTIBLE,
    KORNBLITH_2019,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    SaturatedScoreWarning,
    at_most_one,
    invariance,
)
from scorebounds.measures.closed_form import apply, first_derivative_only
from scorebounds.measures.pair import Pair, in_double
from scorebounds.measures.projections import numerical_rank, penalised_factor
from scorebounds.measures.registry import declare, family


def linear_regression(pair: Pair) -> Tensor:
    """R² of ordinary least squares that predicts X from Y, ‖QᵀX‖²_F / ‖X‖²_F.

    Q is an orthonormal basis of Y. In [0, 1]; 1 whenever X lies in the span of Y, and so always
    once Y has n_samples − 1 independent neurons, of which a warning tells. Kornblith et al. 2019,
    section 4 (R²_LR).
    """
    if pair.activity.shape[-1] >= pair.n_samples - 1:
        rank = numerical_rank(pair.y.detach(), pair.cutoff)
        _warn_if_saturated(rank, pair.n_samples)
    return at_most_one(pair.explained.sum(-1) / pair.reference.squared_norm)


def reverse_linear_regression(pair: Pair) -> Tensor:
    """R² of ordinary least squares that predicts Y from X, ‖QᵀY‖²_F / ‖Y‖²_F, in [0, 1].

    Q is an orthonormal basis of X. The other direction of `linear_regression`.
    """
    basis = pair.reference.subspace()
    _warn_if_saturated(basis.shape[-1], pair.n_samples)
    predicted = basis.mT @ pair.y
    return at_most_one(predicted.square().sum((-2, -1)) / pair.squared_norm)


def symmetric_linear_regression(pair: Pair) -> Tensor:
    """Mean of the R² of predicting X from Y and Y from X, in [0, 1].

    Cloos et al. 2025, code (linreg-r2-sym).
    """
    return (linear_regression(pair) + reverse_linear_regression(pair)) / 2


def _warn_if_saturated(rank: float, n_samples: int) -> None:
    if rank >= n_samples - 1:
        warnings.warn(
            f"linear regression from {rank:g} independent dimensions explains any {n_samples} "
            "samples: the score is 1 regardless of the data",
            SaturatedScoreWarning,
            stacklevel=3,
        )


@in_double
def ridge(pair: Pair, penalty: float) -> Tensor:
    """R² of ridge regression that predicts X from Y on the samples it was fitted to.

    1 − ‖X − YB‖²_F / ‖X‖²_F with B = (YᵀY + λI)⁻¹YᵀX. In [0, 1], below 1 also for a perfect match:
    the penalty shrinks it. Cloos et al. 2025, section 3.
    """
    return at_most_one(
        apply(_RidgeExplained, pair.cross, pair.gram, penalty) / pair.reference.squared_norm
    )


class _RidgeExplained(Function):
    """2 tr(BᵀC) − tr(BᵀGB) for B = (G + λI)⁻¹C, with C = YᵀX and G = YᵀY."""

    @staticmethod
    def forward(ctx: Any, cross: Tensor, gram: Tensor, penalty: float) -> Tensor:
        factor = penalised_factor(gram, penalty)
        weights = torch.cholesky_solve(cross.mT, factor)
        ctx.penalty = penalty
        ctx.save_for_backward(weights, factor)
        # C − GB = λB, which spares a product.
        return (weights * (cross.mT + penalty * weights)).sum((-2, -1))

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        weights, factor = ctx.saved_tensors
        adjoint = torch.cholesky_solve(2 * ctx.penalty * weights, factor)
        of_gram = -(weights + adjoint) @ weights.mT
        share = grad[..., None, None]
        return (
            share * (2 * weights + adjoint).mT,
            share * (of_gram + of_gram.mT) / 2,
            None,
        )


OF_EITHER_SIDE = frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION})
OF_RIDGE = frozenset({ORTHOGONAL, invariance(SCALING, applies_to="x"), TRANSLATION, PERMUTATION})
BLIND_TO = "in Y, everything beyond what predicts X, and how little variance the predictors have"

LINREG = declare(
    "linreg",
    compare=linear_regression,
    invariances=OF_EITHER_SIDE | {invariance(INVERTIBLE, applies_to="y")},
    smooth_at_low_rank=False,
    reference=f"{KORNBLITH_2019}, section 4 (R²_LR)",
    formula="‖QᵀX‖²_F / ‖X‖²_F, Q an orthonormal basis of Y",
    blind_to=BLIND_TO,
    cost="npq + nq² + pq²",
)
LINREG_REVERSE = declare(
    "linreg_reverse",
    compare=reverse_linear_regression,
    invariances=OF_EITHER_SIDE | {invariance(INVERTIBLE, applies_to="x")},
    twice_differentiable=True,
    reference=f"{KORNBLITH_2019}, section 4 (R²_LR), X and Y exchanged",
    formula="‖QᵀY‖²_F / ‖Y‖²_F, Q an orthonormal basis of X",
    blind_to="in X, everything that Y does not use",
    cost="npq",
)
LINREG_SYMMETRIC = declare(
    "linreg_symmetric",
    compare=symmetric_linear_regression,
    invariances=OF_EITHER_SIDE,
    smooth_at_low_rank=False,
    reference=f"{CLOOS_2025}, code (linreg-r2-sym)",
    formula="mean of linreg and linreg_reverse",
    blind_to="which direction fails where one does",
    cost="2npq + nq² + pq²",
)


@family("ridge_<λ>")
def ridge_with(number: str) -> Measure:
    """Declare ridge regression with the λ that `number` writes."""
    penalty = float(number)
    return declare(
        f"ridge_{number}",
        compare=lambda pair: ridge(pair, penalty),
        invariances=OF_RIDGE,
        attains_perfect=False,
        reference=f"{CLOOS_2025}, section 3 (ridge-lambda-r2)",
        formula=f"1 − ‖X − YB‖²_F / ‖X‖²_F, B = (YᵀY + {number}·I)⁻¹YᵀX",
        blind_to=f"{BLIND_TO}; the penalty counts in squared units of Y",
        cost="npq + nq² + q³ + pq²",
    )
