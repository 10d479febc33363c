"""Measures of held-out prediction: regression from Y, cross-validated over the samples."""

from collections.abc import Sequence

import torch
from torch import Tensor

from scorebounds.measures.base import (
    CLOOS_2025,
    INVERTIBLE,
    Measure,
    invariance,
)
from scorebounds.measures.folds import FOLDS, train_test_splits
from scorebounds.measures.least_squares_folds import held_out_r2_by_qr, kept_held_out_r2_by_qr
from scorebounds.measures.nested import Targets, kept_outer_folds, outer_folds
from scorebounds.measures.pair import Pair, Reference, in_double
from scorebounds.measures.projections import least_squares
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare, family
from scorebounds.measures.regression import BLIND_TO, OF_EITHER_SIDE, OF_RIDGE
from scorebounds.measures.ridge_folds import (
    by_samples_is_faster,
    held_out_r2_by_neurons,
    held_out_r2_by_samples,
    kept_held_out_r2,
)


@in_double
def cross_validated_ridge(pair: Pair, penalty: float) -> Tensor:
    """R² of held-out samples under ridge regression from Y, mean over 5 contiguous folds.

    Both sides are centred with the training fold's means, the penalty λ‖B‖²_F is added to the
    sum (not the mean) of squares, and R² = 1 − ‖X_te − Y_te B‖²/‖X_te‖². In (−∞, 1]. Cloos et
    al. 2025, section 3.
    """
    if isinstance(pair, PairOfReferences):
        return kept_held_out_r2(pair.reference, pair.other, penalty)
    n_x, n_y = pair.reference.x.shape[-1], pair.y.shape[-1]
    if by_samples_is_faster(pair.n_samples, n_x, n_y):
        return held_out_r2_by_samples(pair, penalty)
    return held_out_r2_by_neurons(pair, penalty)


def cross_validated_regression(pair: Pair) -> Tensor:
    """R² of held-out samples under ordinary least squares from Y, mean over 5 contiguous folds.

    As `cross_validated_ridge` without a penalty; of the solutions that fit alike, the one with the
    smallest weights. In (−∞, 1]. Cloos et al. 2025, section 3.
    """
    # Directions that are dependent in single precision remain so in double.
    precision = torch.finfo(pair.activity.dtype).eps
    double = pair if pair.activity.dtype == torch.float64 else pair.double
    if isinstance(double, PairOfReferences):
        score = kept_held_out_r2_by_qr(double.reference, double.other)
    else:
        score = held_out_r2_by_qr(double)
    if score is not None:
        return score.to(pair.activity.dtype)
    scores = []
    for split in train_test_splits(double.reference.x, double.y, double.reference.folds.bounds):
        fold = split.centred()
        weights = least_squares(fold.x_train, fold.y_train, precision, pair.cutoff)
        residual = fold.x_test - fold.y_test @ weights
        scores.append(1 - residual.square().sum((-2, -1)) / fold.x_test.square().sum((-2, -1)))
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
        return torch.stack([Targets(reference.x, outer).r2() for outer in kept]).mean()
    batch = (Reference(y, reference.folds) for y in pair.y.reshape(-1, *pair.y.shape[-2:]))
    scores = [
        torch.stack([Targets(reference.x, outer).r2() for outer in outer_folds(y)]).mean()
        for y in batch
    ]
    return torch.stack(scores).reshape(pair.y.shape[:-2])


def tuned_ridge_of_neurons(
    reference: Reference, other: Reference, neurons: Sequence[Tensor]
) -> list[Tensor]:
    """Return `tuned_ridge` of several choices of X's neurons, which share their errors."""
    scores = []
    for outer in outer_folds(other):
        targets = Targets(reference.x, outer)
        scores.append(torch.stack([targets.r2(chosen) for chosen in neurons]))
    return list(torch.stack(scores).mean(0))


LINREG_CV = declare(
    "linreg_cv",
    compare=cross_validated_regression,
    bounds=(-float("inf"), 1.0),
    invariances=OF_EITHER_SIDE | {invariance(INVERTIBLE, applies_to="y")},
    smooth_at_low_rank=False,
    reference=f"{CLOOS_2025}, section 3 (linreg-r2#5folds_cv)",
    formula=f"mean over {FOLDS} of 1 − ‖X_te − Y_te B‖² / ‖X_te‖², B least squares",
    blind_to=BLIND_TO,
    cost="5(nq² + npq)",
)
RIDGE_CV_TUNED = declare(
    "ridge_cv_tuned",
    compare=tuned_ridge,
    broadcasts=False,
    compare_neurons=tuned_ridge_of_neurons,
    bounds=(-float("inf"), 1.0),
    invariances=OF_EITHER_SIDE,
    attains_perfect=False,
    reference="nested cross-validation, Stone 1974, doi:10.1111/j.2517-6161.1974.tb00994.x",
    formula="ridge_cv with λ chosen by inner folds of the training samples",
    blind_to=BLIND_TO,
    cost="5(q³ + nq² + npq) + up to 45 inner folds of n(pq + (p + q)n/5)/5",
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
        reference=f"{CLOOS_2025}, section 3 (ridge-lambda-r2#5folds_cv)",
        formula=(f"mean over {FOLDS} of 1 − ‖X_te − Y_te B‖² / ‖X_te‖², B ridge with λ = {number}"),
        blind_to=f"{BLIND_TO}; the penalty counts in squared units of Y",
        cost="npq + nq² + 5(q³ + pq²)",
    )
