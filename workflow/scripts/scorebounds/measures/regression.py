"""Measures of linear predictability: how much of X a linear map of Y explains."""

import itertools
import warnings
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from scorebounds.measures.base import (
    INVERTIBLE_OF_Y,
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    SCALING_OF_X,
    TRANSLATION,
    Measure,
    Pair,
    Reference,
    at_most_one,
)

N_FOLDS = 5


def linear_regression(pair: Pair) -> Tensor:
    """R² of ordinary least squares that predicts X from Y, ‖QᵀX‖²_F / ‖X‖²_F.

    Q is an orthonormal basis of Y. In [0, 1]; 1 whenever X lies in the span of Y, and so always
    once Y has n_samples − 1 independent neurons, of which a warning tells. Kornblith et al. 2019,
    section 4 (R²_LR).
    """
    n_samples, width = pair.y.shape[-2:]
    if width >= n_samples - 1:
        warnings.warn(
            f"linear regression from {width} or more independent neurons explains any {n_samples} "
            "samples: the score is 1 whatever the data are",
            stacklevel=2,
        )
    return at_most_one(pair.explained.sum(-1) / pair.reference.energy)


def fold_bounds(n_samples: int, n_folds: int = N_FOLDS) -> list[tuple[int, int]]:
    """Return (start, stop) of contiguous folds; the first n mod k have one sample more."""
    if n_samples < n_folds:
        raise ValueError(
            f"expected at least {n_folds} samples for {n_folds} folds, got {n_samples}"
        )
    size, extra = divmod(n_samples, n_folds)
    starts = [fold * size + min(fold, extra) for fold in range(n_folds + 1)]
    return list(itertools.pairwise(starts))


def cross_validated_ridge(pair: Pair, penalty: float) -> Tensor:
    """R² of held-out samples under ridge regression from Y, mean over 5 contiguous folds.

    Both sides are centred with the training fold's means, the penalty λ‖B‖²_F stands beside the
    sum (not the mean) of squares, and R² = 1 − ‖X_te − Y_te B‖²/‖X_te‖². In (−∞, 1]. Cloos et
    al. 2025, section 3.
    """
    if pair.y.dtype != torch.float64:
        # Training products are differences of large sums: single precision would not keep them.
        double = Pair(Reference(pair.reference.x.double()), pair.y.double())
        return cross_validated_ridge(double, penalty).to(pair.y.dtype)
    bounds = fold_bounds(pair.y.shape[-2])
    sizes = [stop - start for start, stop in bounds]
    return _CrossValidatedRidge.apply(
        *pair.folds(bounds), *pair.reference.folds(bounds), sizes, penalty
    )


class _FoldSolution(NamedTuple):
    """One fold's regression: what the gradient needs of it."""

    factor: Tensor  # Cholesky factor of the penalised training Gram matrix
    weights: Tensor  # B, (..., n_y, n_x)
    slope: Tensor  # dR²/dB, (..., n_y, n_x)
    test_energy: Tensor
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
    def forward(ctx, cross, gram, sums_y, sums_x, energies_x, sizes, penalty):
        total_cross, total_gram = cross.sum(0), gram.sum(0)
        identity = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
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
            test_energy = energies_x[fold] + mean_terms * a.square().sum()
            factor, failed = torch.linalg.cholesky_ex(train_gram + penalty * identity)
            if failed.any():
                raise ValueError(
                    f"ridge regression with λ = {penalty:g} is beyond double precision for y of "
                    "this scale; scale y down or take a larger λ"
                )
            weights = torch.cholesky_solve(train_cross.mT, factor)
            predicted = test_gram @ weights
            explained = (weights * (2 * test_cross.mT - predicted)).sum((-2, -1))
            scores.append(explained / test_energy)
            slope = 2 * (test_cross.mT - predicted) / test_energy
            solutions.append(
                _FoldSolution(factor, weights, slope, test_energy, n_train, mean_terms)
            )
        ctx.solutions = solutions
        ctx.save_for_backward(sums_x, sums_y)
        return torch.stack(scores).mean(0)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        sums_x, sums_y = ctx.saved_tensors
        share = (grad / len(ctx.solutions))[..., None, None]
        cross, gram, sums = [], [], []
        train_cross_total = train_gram_total = 0
        for fold, solution in enumerate(ctx.solutions):
            weights = solution.weights
            adjoint = share * torch.cholesky_solve(solution.slope, solution.factor)
            train_cross, train_gram = adjoint.mT, -adjoint @ weights.mT
            train_gram = (train_gram + train_gram.mT) / 2
            scaled = (share / solution.test_energy) * weights
            test_cross, test_gram = 2 * scaled.mT, -scaled @ weights.mT
            from_cross = solution.mean_terms * test_cross - train_cross / solution.n_train
            from_gram = solution.mean_terms * test_gram - train_gram / solution.n_train
            b = sums_y[fold][..., None]
            sums.append((from_cross.mT @ sums_x[fold][:, None] + 2 * from_gram @ b)[..., 0])
            cross.append(test_cross - train_cross)
            gram.append(test_gram - train_gram)
            train_cross_total = train_cross_total + train_cross
            train_gram_total = train_gram_total + train_gram
        return (
            torch.stack(cross) + train_cross_total,
            torch.stack(gram) + train_gram_total,
            torch.stack(sums),
            *[None] * 4,
        )


LINREG = Measure(
    name="linreg",
    label="linear regression",
    compare=linear_regression,
    perfect=1.0,
    higher_is_closer=True,
    bounds=(0.0, 1.0),
    invariances=frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION, INVERTIBLE_OF_Y}),
    symmetric=False,
    differentiable=True,
    reference="Kornblith et al. 2019, Similarity of Neural Network Representations Revisited, "
    "section 4 (R²_LR), arXiv:1905.00414",
)


def ridge_cv(number: str) -> Measure:
    """Declare cross-validated ridge regression with the λ that `number` writes."""
    penalty = float(number)
    return Measure(
        name=f"ridge_cv_{number}",
        label=f"ridge CV (λ = {number})",
        compare=lambda pair: cross_validated_ridge(pair, penalty),
        perfect=1.0,
        higher_is_closer=True,
        bounds=(-float("inf"), 1.0),
        invariances=frozenset({ORTHOGONAL, SCALING_OF_X, TRANSLATION, PERMUTATION}),
        symmetric=False,
        differentiable=True,
        reference="Cloos et al. 2025, Differentiable Optimization of Similarity Scores Between "
        "Models and Brains, section 3 (ridge-lambda-r2#5folds_cv), arXiv:2407.07059",
    )
