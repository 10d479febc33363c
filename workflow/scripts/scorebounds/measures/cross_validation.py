"""Measures of held-out prediction: regression from Y, cross-validated over the samples."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.base import (
    CLOOS_2025,
    INVERTIBLE,
    Measure,
    invariance,
)
from scorebounds.measures.closed_form import apply, first_derivative_only
from scorebounds.measures.folds import train_test_splits
from scorebounds.measures.nested import kept_outer_folds, nested_r2, outer_folds
from scorebounds.measures.pair import Pair, Reference, in_double
from scorebounds.measures.projections import least_squares, penalised_factor
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare, family
from scorebounds.measures.regression import BLIND_TO, OF_EITHER_SIDE, OF_RIDGE


@in_double
def cross_validated_ridge(pair: Pair, penalty: float) -> Tensor:
    """R² of held-out samples under ridge regression from Y, mean over 5 contiguous folds.

    Both sides are centred with the training fold's means, the penalty λ‖B‖²_F stands beside the
    sum (not the mean) of squares, and R² = 1 − ‖X_te − Y_te B‖²/‖X_te‖². In (−∞, 1]. Cloos et
    al. 2025, section 3.
    """
    sizes = [stop - start for start, stop in pair.reference.folds.bounds]
    return apply(
        _CrossValidatedRidge, *pair.fold_products, *pair.reference.fold_sums, sizes, penalty
    )


def cross_validated_regression(pair: Pair) -> Tensor:
    """R² of held-out samples under ordinary least squares from Y, mean over 5 contiguous folds.

    As `cross_validated_ridge` without a penalty; of the solutions that fit alike, the one with the
    smallest weights. In (−∞, 1]. Cloos et al. 2025, section 3.
    """
    # Directions that are dependent in single precision remain so in double.
    precision = torch.finfo(pair.activity.dtype).eps
    double = pair if pair.activity.dtype == torch.float64 else pair.double
    scores = []
    for split in train_test_splits(double.reference.x, double.y, double.reference.folds.bounds):
        fold = split.centred()
        weights = least_squares(fold.x_train, fold.y_train, precision)
        residual = fold.x_test - fold.y_test @ weights
        scores.append(1 - residual.square().sum((-2, -1)) / fold.x_test.square().sum())
    return torch.stack(scores).mean(0).to(pair.activity.dtype)


@in_double
def tuned_ridge(pair: Pair) -> Tensor:
    """R² of held-out samples under ridge regression whose λ is chosen on the training folds.

    Outer and inner folds are made as those of `cross_validated_ridge`. λ is one of
    `TUNING_GRID` times the mean squared norm of a dimension of the training Y (a neuron, or of wide
    data a sample): the one of the highest inner score. In (−∞, 1].
    """
    reference = pair.reference
    if isinstance(pair, PairOfReferences):
        kept = pair.other.once(kept_outer_folds)
        return torch.stack([nested_r2(reference.x, outer) for outer in kept]).mean()
    batch = (Reference(y, reference.folds) for y in pair.y.reshape(-1, *pair.y.shape[-2:]))
    scores = [
        torch.stack([nested_r2(reference.x, outer) for outer in outer_folds(y)]).mean()
        for y in batch
    ]
    return torch.stack(scores).reshape(pair.y.shape[:-2])


class _FoldSolution(NamedTuple):
    """One fold's regression: what the gradient needs of it."""

    factor: Tensor  # Cholesky factor of the penalised training Gram matrix
    weights: Tensor  # B, (..., n_y, n_x)
    slope: Tensor  # dR²/dB, (..., n_y, n_x)
    test_squared_norm: Tensor
    n_train: int
    mean_terms: float  # how often bbᵀ enters the test products when centred by training means


class _CrossValidatedRidge(Function):
    """Mean held-out R² over folds, and its gradient by the adjoint of each fold's solve.

    X and Y are centred over all samples. The training rows then sum to minus the fold's sums
    (a, b), and centring by training means is a rank-one correction of the products: with m
    training and k test samples, the training products lose a bᵀ/m and the test products gain
    (2/m + k/m²) a bᵀ.
    """

    @staticmethod
    def forward(
        ctx: Any,
        cross: Tensor,
        gram: Tensor,
        sums_y: Tensor,
        sums_x: Tensor,
        squared_norms_x: Tensor,
        sizes: list[int],
        penalty: float,
    ) -> Tensor:
        total_cross, total_gram = cross.sum(0), gram.sum(0)
        solutions, scores = [], []
        for fold, n_test in enumerate(sizes):
            n_train = sum(sizes) - n_test
            mean_terms = 2 / n_train + n_test / n_train**2
            a, b = sums_x[fold][:, None], sums_y[fold][..., None, :]
            ab, bb = a @ b, b.mT @ b
            train_cross = total_cross - cross[fold] - ab / n_train
            train_gram = total_gram - gram[fold] - bb / n_train
            test_cross = cross[fold] + mean_terms * ab
            test_gram = gram[fold] + mean_terms * bb
            test_squared_norm = squared_norms_x[fold] + mean_terms * a.square().sum()
            factor = penalised_factor(train_gram, penalty)
            weights = torch.cholesky_solve(train_cross.mT, factor)
            predicted = test_gram @ weights
            explained = (weights * (2 * test_cross.mT - predicted)).sum((-2, -1))
            scores.append(explained / test_squared_norm)
            slope = 2 * (test_cross.mT - predicted) / test_squared_norm
            solutions.append(
                _FoldSolution(factor, weights, slope, test_squared_norm, n_train, mean_terms)
            )
        ctx.solutions = solutions
        ctx.save_for_backward(sums_x, sums_y)
        return torch.stack(scores).mean(0)

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        sums_x, sums_y = ctx.saved_tensors
        share = (grad / len(ctx.solutions))[..., None, None]
        cross, gram, sums, train_crosses, train_grams = [], [], [], [], []
        for fold, solution in enumerate(ctx.solutions):
            weights = solution.weights
            adjoint = share * torch.cholesky_solve(solution.slope, solution.factor)
            train_cross, train_gram = adjoint.mT, -adjoint @ weights.mT
            train_gram = (train_gram + train_gram.mT) / 2
            scaled = (share / solution.test_squared_norm) * weights
            test_cross, test_gram = 2 * scaled.mT, -scaled @ weights.mT
            from_cross = solution.mean_terms * test_cross - train_cross / solution.n_train
            from_gram = solution.mean_terms * test_gram - train_gram / solution.n_train
            b = sums_y[fold][..., None]
            sums.append((from_cross.mT @ sums_x[fold][:, None] + 2 * from_gram @ b)[..., 0])
            cross.append(test_cross - train_cross)
            gram.append(test_gram - train_gram)
            train_crosses.append(train_cross)
            train_grams.append(train_gram)
        return (
            torch.stack(cross) + sum(train_crosses),
            torch.stack(gram) + sum(train_grams),
            torch.stack(sums),
            *[None] * 4,
        )


LINREG_CV = declare(
    "linreg_cv",
    compare=cross_validated_regression,
    bounds=(-float("inf"), 1.0),
    invariances=OF_EITHER_SIDE | {invariance(INVERTIBLE, applies_to="y")},
    smooth_at_low_rank=False,
    cross_validated=True,
    reference=f"{CLOOS_2025}, section 3 (linreg-r2#5folds_cv)",
    formula="mean over 5 folds of 1 − ‖X_te − Y_te B‖² / ‖X_te‖², B least squares",
    blind_to=BLIND_TO,
    cost="5(nq² + npq)",
)
RIDGE_CV_TUNED = declare(
    "ridge_cv_tuned",
    compare=tuned_ridge,
    bounds=(-float("inf"), 1.0),
    invariances=OF_EITHER_SIDE,
    attains_perfect=False,
    cross_validated=True,
    reference="nested cross-validation, Stone 1974, doi:10.1111/j.2517-6161.1974.tb00994.x",
    formula="ridge_cv with λ chosen by inner folds of the training samples",
    blind_to=BLIND_TO,
    cost="225(q³ + pq²) + 5(npq + nq²)",
)


@family("ridge_cv_<λ>")
def ridge_cv(number: str) -> Measure:
    """Declare cross-validated ridge regression with the λ that `number` writes."""
    penalty = float(number)
    return declare(
        f"ridge_cv_{number}",
        compare=lambda pair: cross_validated_ridge(pair, penalty),
        bounds=(-float("inf"), 1.0),
        invariances=OF_RIDGE,
        attains_perfect=False,
        cross_validated=True,
        reference=f"{CLOOS_2025}, section 3 (ridge-lambda-r2#5folds_cv)",
        formula=f"mean over 5 folds of 1 − ‖X_te − Y_te B‖² / ‖X_te‖², B ridge with λ = {number}",
        blind_to=f"{BLIND_TO}; the penalty counts in squared units of Y",
        cost="npq + nq² + 5(q³ + pq²)",
    )
