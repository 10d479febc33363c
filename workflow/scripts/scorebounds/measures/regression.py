"""Measures of linear predictability: how much of X a linear map of Y explains."""

import itertools
import warnings
from typing import NamedTuple

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
    at_most_one,
    of_x,
    of_y,
)
from scorebounds.measures.closed_form import first_derivative_only, least_squares
from scorebounds.measures.pair import Pair, Reference, in_double

N_FOLDS = 5
# Penalties to choose from, in units of the mean sum of squares of a dimension of Y.
TUNING_GRID = [10.0**exponent for exponent in range(-6, 3)]


def linear_regression(pair: Pair) -> Tensor:
    """R² of ordinary least squares that predicts X from Y, ‖QᵀX‖²_F / ‖X‖²_F.

    Q is an orthonormal basis of Y. In [0, 1]; 1 whenever X lies in the span of Y, and so always
    once Y has n_samples − 1 independent neurons, of which a warning tells. Kornblith et al. 2019,
    section 4 (R²_LR).
    """
    if pair.y.shape[-1] >= pair.n_samples - 1:
        rank = torch.linalg.matrix_rank(pair.y.detach()).max().item()
        _warn_if_saturated(rank, pair.n_samples)
    return at_most_one(pair.explained.sum(-1) / pair.reference.energy)


def reverse_linear_regression(pair: Pair) -> Tensor:
    """R² of ordinary least squares that predicts Y from X, ‖QᵀY‖²_F / ‖Y‖²_F, in [0, 1].

    Q is an orthonormal basis of X. The other direction of `linear_regression`.
    """
    basis = pair.reference.subspace()
    _warn_if_saturated(basis.shape[-1], pair.n_samples)
    predicted = basis.mT @ pair.y
    return at_most_one(predicted.square().sum((-2, -1)) / pair.energy)


def symmetric_linear_regression(pair: Pair) -> Tensor:
    """Mean of the R² of predicting X from Y and Y from X, in [0, 1].

    Cloos et al. 2025, code (linreg-r2-sym).
    """
    return (linear_regression(pair) + reverse_linear_regression(pair)) / 2


def _warn_if_saturated(rank: float, n_samples: int) -> None:
    if rank >= n_samples - 1:
        warnings.warn(
            f"linear regression from {rank:g} independent dimensions explains any {n_samples} "
            "samples: the score is 1 whatever the data are",
            stacklevel=3,
        )


@in_double
def ridge(pair: Pair, penalty: float) -> Tensor:
    """R² of ridge regression that predicts X from Y on the samples it was fitted to.

    1 − ‖X − YB‖²_F / ‖X‖²_F with B = (YᵀY + λI)⁻¹YᵀX. In [0, 1], below 1 also for a perfect match:
    the penalty shrinks it. Cloos et al. 2025, section 3.
    """
    return at_most_one(
        _RidgeExplained.apply(pair.cross, pair.gram, penalty) / pair.reference.energy
    )


class _RidgeExplained(Function):
    """2 tr(BᵀC) − tr(BᵀGB) for B = (G + λI)⁻¹C, with C = YᵀX and G = YᵀY."""

    @staticmethod
    def forward(ctx, cross, gram, penalty):
        factor = _penalised_factor(gram, penalty)
        weights = torch.cholesky_solve(cross.mT, factor)
        ctx.penalty = penalty
        ctx.save_for_backward(weights, factor)
        # C − GB = λB, which spares a product.
        return (weights * (cross.mT + penalty * weights)).sum((-2, -1))

    @staticmethod
    @first_derivative_only
    def backward(ctx, grad):
        weights, factor = ctx.saved_tensors
        adjoint = torch.cholesky_solve(2 * ctx.penalty * weights, factor)
        of_gram = -(weights + adjoint) @ weights.mT
        share = grad[..., None, None]
        return (
            share * (2 * weights + adjoint).mT,
            share * (of_gram + of_gram.mT) / 2,
            None,
        )


def _penalised_factor(gram: Tensor, penalty: float) -> Tensor:
    identity = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    factor, failed = torch.linalg.cholesky_ex(gram + penalty * identity)
    pivots = factor.diagonal(dim1=-2, dim2=-1).square()
    rounding = gram.shape[-1] * torch.finfo(gram.dtype).eps * pivots.amax(-1)
    if failed.any() or (pivots.amin(-1) <= rounding).any():
        raise ValueError(
            f"ridge regression with λ = {penalty:g} is beyond double precision for y of this "
            "scale; scale y down or take a larger λ"
        )
    return factor


def fold_bounds(n_samples: int, n_folds: int = N_FOLDS) -> list[tuple[int, int]]:
    """Return (start, stop) of contiguous folds; the first n mod k have one sample more."""
    if n_samples < n_folds:
        raise ValueError(
            f"expected at least {n_folds} samples for {n_folds} folds, got {n_samples}"
        )
    size, extra = divmod(n_samples, n_folds)
    starts = [fold * size + min(fold, extra) for fold in range(n_folds + 1)]
    return list(itertools.pairwise(starts))


@in_double
def cross_validated_ridge(pair: Pair, penalty: float) -> Tensor:
    """R² of held-out samples under ridge regression from Y, mean over 5 contiguous folds.

    Both sides are centred with the training fold's means, the penalty λ‖B‖²_F stands beside the
    sum (not the mean) of squares, and R² = 1 − ‖X_te − Y_te B‖²/‖X_te‖². In (−∞, 1]. Cloos et
    al. 2025, section 3.
    """
    bounds = fold_bounds(pair.y.shape[-2])
    sizes = [stop - start for start, stop in bounds]
    return _CrossValidatedRidge.apply(
        *pair.folds(bounds), *pair.reference.folds(bounds), sizes, penalty
    )


def cross_validated_regression(pair: Pair) -> Tensor:
    """R² of held-out samples under ordinary least squares from Y, mean over 5 contiguous folds.

    As `cross_validated_ridge` without a penalty; of the solutions that fit alike, the one with the
    smallest weights. In (−∞, 1]. Cloos et al. 2025, section 3.
    """
    # What is dependent in single precision stays so when it is worked out in double.
    precision = torch.finfo(pair.activity.dtype).eps
    double = pair if pair.activity.dtype == torch.float64 else pair.double
    x, y = double.reference.x, double.y
    scores = []
    for start, stop in fold_bounds(pair.n_samples):
        held_out = torch.zeros(pair.n_samples, dtype=torch.bool, device=y.device)
        held_out[start:stop] = True
        x_train, y_train = x[~held_out], y[..., ~held_out, :]
        mean_x, mean_y = x_train.mean(-2, keepdim=True), y_train.mean(-2, keepdim=True)
        weights = least_squares(x_train - mean_x, y_train - mean_y, precision)
        test = x[held_out] - mean_x
        residual = test - (y[..., held_out, :] - mean_y) @ weights
        scores.append(1 - residual.square().sum((-2, -1)) / test.square().sum())
    return torch.stack(scores).mean(0).to(pair.activity.dtype)


@in_double
def tuned_ridge(pair: Pair) -> Tensor:
    """R² of held-out samples under ridge regression whose λ is chosen on the training folds.

    Outer and inner folds are the contiguous five of `cross_validated_ridge`. λ is one of
    `TUNING_GRID` times the mean energy of a dimension of the training Y (a neuron, or of wide
    data a sample): the one of the highest inner score. In (−∞, 1].
    """
    x = pair.reference.x
    batch = pair.y.reshape(-1, *pair.y.shape[-2:])
    scores = torch.stack([_tuned_ridge_of_one(x, y) for y in batch])
    return scores.reshape(pair.y.shape[:-2])


def _tuned_ridge_of_one(x: Tensor, y: Tensor) -> Tensor:
    scores = []
    for start, stop in fold_bounds(len(x)):
        held_out = torch.zeros(len(x), dtype=torch.bool, device=y.device)
        held_out[start:stop] = True
        mean_x, mean_y = x[~held_out].mean(0), y[~held_out].mean(0)
        train, test_x = Reference(x[~held_out]), x[held_out] - mean_x
        of_train = Pair(train, y[~held_out])
        level = of_train.energy.item() / of_train.y.shape[-1]
        grid = [factor * level for factor in TUNING_GRID]
        inner = [cross_validated_ridge(of_train, penalty).item() for penalty in grid]
        penalty = grid[inner.index(max(inner))]
        centred = y[~held_out] - mean_y
        factor = _penalised_factor(centred.mT @ centred, penalty)
        weights = torch.cholesky_solve(centred.mT @ (x[~held_out] - mean_x), factor)
        residual = test_x - (y[held_out] - mean_y) @ weights
        scores.append(1 - residual.square().sum() / test_x.square().sum())
    return torch.stack(scores).mean()


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
            factor = _penalised_factor(train_gram, penalty)
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
    @first_derivative_only
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


_EITHER = frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION})
_ANY_MAP_OF_Y = _EITHER | {of_y(INVERTIBLE)}
_OF_RIDGE = frozenset({ORTHOGONAL, of_x(SCALING), TRANSLATION, PERMUTATION})
_BLIND = "in Y, everything beyond what predicts X, and how little variance the predictors have"
_HELD_OUT_COST = "npq + nq² + 5(q³ + pq²)"

LINREG = Measure(
    name="linreg",
    label="linear regression",
    compare=linear_regression,
    invariances=_ANY_MAP_OF_Y,
    symmetric=False,
    reference=f"{KORNBLITH_2019}, section 4 (R²_LR)",
    formula="‖QᵀX‖²_F / ‖X‖²_F, Q an orthonormal basis of Y",
    blind_to=_BLIND,
    cost="npq + nq² + pq²",
)
LINREG_REVERSE = Measure(
    name="linreg_reverse",
    label="reverse linear regression",
    compare=reverse_linear_regression,
    invariances=_EITHER | {of_x(INVERTIBLE)},
    symmetric=False,
    reference=f"{KORNBLITH_2019}, section 4 (R²_LR), X and Y exchanged",
    formula="‖QᵀY‖²_F / ‖Y‖²_F, Q an orthonormal basis of X",
    blind_to="in X, everything that Y does not use",
    cost="npq",
)
LINREG_SYMMETRIC = Measure(
    name="linreg_symmetric",
    label="symmetric linear regression",
    compare=symmetric_linear_regression,
    invariances=_EITHER,
    reference=f"{CLOOS_2025}, code (linreg-r2-sym)",
    formula="mean of linreg and linreg_reverse",
    blind_to="which direction fails where one does",
    cost="2npq + nq² + pq²",
)
LINREG_CV = Measure(
    name="linreg_cv",
    label="linear regression CV",
    compare=cross_validated_regression,
    bounds=(-float("inf"), 1.0),
    invariances=_EITHER | {of_y(INVERTIBLE)},
    symmetric=False,
    reference=f"{CLOOS_2025}, section 3 (linreg-r2#5folds_cv)",
    formula="mean over 5 folds of 1 − ‖X_te − Y_te B‖² / ‖X_te‖², B least squares",
    blind_to=_BLIND,
    cost="5(nq² + npq)",
)
RIDGE_CV_TUNED = Measure(
    name="ridge_cv_tuned",
    label="ridge CV (tuned)",
    compare=tuned_ridge,
    bounds=(-float("inf"), 1.0),
    invariances=_EITHER,
    symmetric=False,
    differentiable=False,
    reference="nested cross-validation, Stone 1974, doi:10.1111/j.2517-6161.1974.tb00994.x",
    formula="ridge_cv with λ chosen by inner folds of the training samples",
    blind_to=_BLIND,
    cost="225(q³ + pq²) + 5(npq + nq²)",
)


def ridge_with(number: str) -> Measure:
    """Declare ridge regression with the λ that `number` writes."""
    penalty = float(number)
    return Measure(
        name=f"ridge_{number}",
        label=f"ridge (λ = {number})",
        compare=lambda pair: ridge(pair, penalty),
        invariances=_OF_RIDGE,
        symmetric=False,
        reference=f"{CLOOS_2025}, section 3 (ridge-lambda-r2)",
        formula=f"1 − ‖X − YB‖²_F / ‖X‖²_F, B = (YᵀY + {number}·I)⁻¹YᵀX",
        blind_to=f"{_BLIND}; the penalty counts in squared units of Y",
        cost="npq + nq² + q³ + pq²",
    )


def ridge_cv(number: str) -> Measure:
    """Declare cross-validated ridge regression with the λ that `number` writes."""
    penalty = float(number)
    return Measure(
        name=f"ridge_cv_{number}",
        label=f"ridge CV (λ = {number})",
        compare=lambda pair: cross_validated_ridge(pair, penalty),
        bounds=(-float("inf"), 1.0),
        invariances=_OF_RIDGE,
        symmetric=False,
        reference=f"{CLOOS_2025}, section 3 (ridge-lambda-r2#5folds_cv)",
        formula=f"mean over 5 folds of 1 − ‖X_te − Y_te B‖² / ‖X_te‖², B ridge with λ = {number}",
        blind_to=f"{_BLIND}; the penalty counts in squared units of Y",
        cost=_HELD_OUT_COST,
    )
