"""Held-out R² of ridge regression with a fixed λ, in two forms that agree to rounding.

By neurons: one regression per fold, from the products of its training samples. By samples: one
factorisation LLᵀ = YᵀY + λI of all samples. With H = 11ᵀ/n + Y (LLᵀ)⁻¹Yᵀ and x̂ = HX, the
residuals of fold f when it is held out are (I − H_ff)⁻¹ (X_f − x̂_f): the fit without the fold is
the fit to data in which X_f is replaced by its own prediction p, so that p = x̂_f + H_ff (p − X_f).
The intercept is not penalised and belongs to H.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from scorebounds.measures.closed_form import apply, first_derivative_only
from scorebounds.measures.factored_folds import (
    held_out_r2,
    held_out_squared_norms,
    leverage_factor,
    mean_held_out_r2,
    solve_held_out,
)
from scorebounds.measures.pair import Pair, Reference
from scorebounds.measures.products import product
from scorebounds.measures.projections import penalised_factor


def by_samples_is_faster(n_samples: int, n_x: int, n_y: int) -> bool:
    """Return which form needs fewer operations for five folds, counted in multiplications."""
    n, p, q, k = n_samples, n_x, n_y, n_samples / 5
    by_neurons = 5 * (q**3 / 6 + 2 * q**2 * p)
    by_samples = q**3 / 6 + n * q**2 / 2 + n * k * q + 5 * (k**3 / 6 + k**2 * p)
    return by_samples + n * p * q + q**2 * p < by_neurons


def held_out_r2_by_samples(pair: Pair, penalty: float) -> Tensor:
    """Return the mean held-out R² over the folds of a pair, differentiable in Y."""
    factor = penalised_factor(pair.gram.detach(), penalty)
    # Solved from the right, Z has the rows in which products with X read it.
    whitened = torch.linalg.solve_triangular(factor.mT, pair.y.detach(), upper=True, left=False).mT
    return held_out_r2(pair, factor, whitened, penalty)


def held_out_r2_by_neurons(pair: Pair, penalty: float) -> Tensor:
    """Return the mean held-out R² over the folds of a pair, differentiable in Y."""
    sizes = [stop - start for start, stop in pair.reference.folds.bounds]
    return apply(_ByNeurons, *pair.fold_products, *pair.reference.fold_sums, sizes, penalty)


def kept_held_out_r2(reference: Reference, other: Reference, penalty: float) -> Tensor:
    """Return the mean held-out R² over folds; what it needs of Y is computed once per `other`."""
    n_x, n_y = reference.x.shape[-1], other.x.shape[-1]
    if by_samples_is_faster(len(other.x), n_x, n_y):
        return mean_held_out_r2(reference, held_out_residuals(reference.x, other, penalty))
    explained = []
    crosses = [
        other.x[start:stop].mT @ reference.x[..., start:stop, :]
        for start, stop in other.folds.bounds
    ]
    total = torch.stack(crosses).sum(0)
    folds = zip(
        crosses,
        other.once(training_factors_of, penalty),
        reference.fold_sums[0],
        other.fold_sums[0],
        strict=True,
    )
    for cross, fold, sum_x, sum_y in folds:
        means = sum_y[:, None] * sum_x[..., None, :]
        train, test = total - cross - means / fold.n_train, cross + fold.mean_terms * means
        weights = torch.cholesky_solve(train, fold.factor)
        explained.append((weights * (2 * test - fold.test_gram @ weights)).sum((-2, -1)))
    return (torch.stack(explained) / held_out_squared_norms(reference)).mean(0)


def held_out_residuals(x: Tensor, other: Reference, penalty: float) -> list[Tensor]:
    """Return X less its prediction for each fold, from one factorisation of Y for any X."""
    inverse, factors = other.once(_leverages_of, penalty)
    residual = x - other.x @ (inverse @ x)
    return solve_held_out(residual, factors, other.folds.bounds)


class TrainingFactor(NamedTuple):
    """What the regression of a fold needs of Y."""

    factor: Tensor
    test_gram: Tensor
    n_train: int
    mean_terms: float


def training_factors_of(reference: Reference, penalty: float) -> list[TrainingFactor]:
    """Return what the regression of each fold needs of the Y that `reference` holds."""
    found = []
    for (start, stop), total in zip(reference.folds.bounds, reference.fold_sums[0], strict=True):
        n_train = len(reference.x) - (stop - start)
        mean_terms = 2 / n_train + (stop - start) / n_train**2
        rows, means = reference.x[start:stop], torch.outer(total, total)
        gram = rows.mT @ rows
        factor = penalised_factor(reference.gram - gram - means / n_train, penalty)
        found.append(TrainingFactor(factor, gram + mean_terms * means, n_train, mean_terms))
    return found


def _leverages_of(reference: Reference, penalty: float) -> tuple[Tensor, list[Tensor]]:
    factor = penalised_factor(reference.gram, penalty)
    whitened = torch.linalg.solve_triangular(factor, reference.x.mT, upper=False)
    factors = [
        leverage_factor(whitened[:, start:stop], len(reference.x), penalty)
        for start, stop in reference.folds.bounds
    ]
    return torch.linalg.solve_triangular(factor.mT, whitened, upper=True), factors


class _FoldSolution(NamedTuple):
    """One fold's regression: what the gradient needs of it."""

    factor: Tensor  # Cholesky factor of the penalised training Gram matrix
    weights: Tensor  # B, (..., n_y, n_x)
    slope: Tensor  # dR²/dB, (..., n_y, n_x)
    test_squared_norm: Tensor
    n_train: int
    mean_terms: float  # how often bbᵀ enters the test products when centred by training means


class _ByNeurons(Function):
    """Mean held-out R² over folds from one regression per fold, and its gradient.

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
            predicted = product(test_gram, weights)
            explained = (weights * (2 * test_cross.mT - predicted)).sum((-2, -1))
            scores.append(explained / test_squared_norm)
            if any(ctx.needs_input_grad):
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
            train_cross, train_gram = adjoint.mT, -product(adjoint, weights.mT)
            train_gram = (train_gram + train_gram.mT) / 2
            scaled = (share / solution.test_squared_norm) * weights
            test_cross, test_gram = 2 * scaled.mT, -product(scaled, weights.mT)
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
