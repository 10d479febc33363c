"""What Brain-Score reports: how well each neuron's held-out responses are predicted from Y."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scorebounds.measures.base import (
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    invariance,
)
from scorebounds.measures.folds import FOLDS, Folds, contiguous_folds, train_test_splits
from scorebounds.measures.pair import Pair, Reference, in_double
from scorebounds.measures.references import PairOfReferences
from scorebounds.measures.registry import declare, family
from scorebounds.measures.ridge_folds import (
    by_samples_is_faster,
    held_out_residuals,
    training_factors_of,
)

# Up to so many neurons all singular vectors are computed in place of the first one.
FEW_DIMENSIONS = 100
LANCZOS_VECTORS = 40

Array = NDArray[np.float64]
Predictor = Callable[[Tensor, Tensor, Tensor], Tensor]


def ridge_predictions(x_train: Tensor, y_train: Tensor, y_test: Tensor, penalty: float) -> Tensor:
    """Predict X's test rows by ridge regression; all sides are centred by training means."""
    identity = torch.eye(y_train.shape[-1], dtype=y_train.dtype, device=y_train.device)
    weights = torch.linalg.solve(y_train.mT @ y_train + penalty * identity, y_train.mT @ x_train)
    result: Tensor = y_test @ weights
    return result


def pls_predictions(x_train: Tensor, y_train: Tensor, y_test: Tensor, n_components: int) -> Tensor:
    """Predict X's test rows by partial least squares (PLS2) with so many components.

    Each component is the direction of Y with the largest covariance with X; what it explains is
    taken from both before the next.
    """
    if n_components > min(y_train.shape):
        raise ValueError(
            f"partial least squares with {n_components} components needs as many training samples "
            f"and neurons in y, got {y_train.shape[0]} and {y_train.shape[1]}"
        )
    # The kernel algorithm of Dayal and MacGregor 1997: with rotations R and loadings P of Y, what
    # is left of M = YᵀX after some components is (I − PRᵀ)M. M is decomposed once.
    covariance = y_train.mT @ x_train
    left, sizes, _ = torch.linalg.svd(covariance, full_matrices=False)
    rotations, loadings = (y_train.new_zeros(y_train.shape[-1], 0) for _ in range(2))
    loadings_x = []
    for component in range(n_components):
        direction = left @ (sizes * _leading_vector(left, sizes, rotations, loadings))
        direction = direction - loadings @ (rotations.mT @ direction)
        direction = direction / torch.linalg.vector_norm(direction)
        rotation = direction - rotations @ (loadings.mT @ direction)
        scores = y_train @ rotation
        squared_norm = scores.square().sum()
        if not squared_norm > 1e-20 * y_train.square().sum():
            raise ValueError(
                f"partial least squares with {n_components} components is not defined: y has only "
                f"{component} independent dimensions"
            )
        loading = y_train.mT @ scores / squared_norm
        rotations = torch.cat([rotations, rotation[:, None]], 1)
        loadings = torch.cat([loadings, loading[:, None]], 1)
        loadings_x.append(covariance.mT @ rotation / squared_norm)
    result: Tensor = y_test @ rotations @ torch.stack(loadings_x)
    return result


def _leading_vector(left: Tensor, sizes: Tensor, rotations: Tensor, loadings: Tensor) -> Tensor:
    """Return the first right singular vector of (I − PRᵀ) U diag(s), for orthonormal U."""
    across, along = left.mT @ rotations, left.mT @ loadings
    n, squares = len(sizes), loadings.mT @ loadings
    if n <= FEW_DIMENSIONS:
        deflated = left * sizes - loadings @ (across.mT * sizes)
        result: Tensor = torch.linalg.svd(deflated, full_matrices=False).Vh[0]
        return result
    # This takes half a second to import.
    from scipy.sparse.linalg import LinearOperator, eigsh

    s, a, b, c = (each.cpu().numpy() for each in (sizes, across, along, squares))

    def product(vector: Array) -> Array:
        scaled = s * vector.ravel()
        of_a = a.T @ scaled
        changed: Array = s * (scaled - b @ of_a - a @ (b.T @ scaled - c @ of_a))
        return changed

    operator = LinearOperator((n, n), matvec=product, dtype=s.dtype)
    vectors = eigsh(operator, k=1, which="LA", v0=s, ncv=LANCZOS_VECTORS)[1]
    return torch.from_numpy(vectors[:, 0].copy()).to(sizes)


def held_out_correlations(
    x: Tensor, y: Tensor, predict: Predictor, folds: Folds | None = None
) -> Tensor:
    """Return Pearson's r of each neuron of X with its prediction, per contiguous fold.

    Parameters
    ----------
    x, y : Tensor, shapes (n_samples, n_x) and (n_samples, n_y)
    predict : callable
        Takes training X, training Y and test Y, centred by training means; returns test X.
    folds : Folds, optional
        By which `x` and `y` are arranged; contiguous by default.

    Returns
    -------
    Tensor, shape (n_folds, n_x)

    Raises
    ------
    ValueError
        If a neuron of X, or its prediction, does not vary over a held-out fold.
    """
    correlations = []
    bounds = (folds or contiguous_folds(len(x))).bounds
    for number, split in enumerate(train_test_splits(x, y, bounds), 1):
        fold = split.centred()
        predicted = predict(fold.x_train, fold.y_train, fold.y_test)
        correlations.append(_correlations(fold.x_test, predicted, number))
    return torch.stack(correlations)


def _correlations(x: Tensor, predicted: Tensor, fold: int) -> Tensor:
    """Return Pearson's r of each column of the test samples with its prediction."""
    sides = []
    for values, name in ((x, "x"), (predicted, "the prediction of x")):
        centred = values - values.mean(0)
        length = torch.linalg.vector_norm(centred, dim=0)
        flat = length <= 1e-12 * torch.linalg.vector_norm(values, dim=0)
        if flat.any():
            neuron = int(flat.nonzero()[0])
            raise ValueError(
                f"a correlation per neuron is not defined: neuron {neuron} of {name} has the "
                f"same value in all samples of held-out fold {fold}"
            )
        sides.append(centred / length)
    products: Tensor = sides[0] * sides[1]
    return products.sum(0)


@in_double
def median_correlation(pair: Pair, predict: Predictor) -> Tensor:
    """Median over X's neurons of the held-out Pearson's r, each a mean over 5 contiguous folds.

    In [−1, 1]. Schrimpf et al. 2018, section "Neural predictivity".
    """
    x, folds = pair.reference.centred, pair.reference.folds
    return _median(pair, lambda y: held_out_correlations(x, y, predict, folds))


@in_double
def ridge_median_correlation(pair: Pair, penalty: float) -> Tensor:
    """As `median_correlation` by ridge regression, from the products of the folds of one total.

    What the regressions need of Y is computed once for all X that it is scored with.
    """
    x, folds = pair.reference.centred, pair.reference.folds
    if isinstance(pair, PairOfReferences):
        correlations = _ridge_correlations(x, pair.other, penalty)
        return correlations.mean(0).quantile(0.5)
    return _median(pair, lambda y: _ridge_correlations(x, Reference(y, folds), penalty))


def _median(pair: Pair, correlate: Callable[[Tensor], Tensor]) -> Tensor:
    batch = pair.y.reshape(-1, *pair.y.shape[-2:])
    medians = [correlate(y).mean(0).quantile(0.5) for y in batch]
    return torch.stack(medians).reshape(pair.y.shape[:-2])


def _ridge_correlations(x: Tensor, other: Reference, penalty: float) -> Tensor:
    y, bounds = other.x, other.folds.bounds
    if by_samples_is_faster(len(x), x.shape[-1], y.shape[-1]):
        return _correlations_of_residuals(x, held_out_residuals(x, other, penalty), bounds)
    crosses = [y[start:stop].mT @ x[start:stop] for start, stop in bounds]
    total = torch.stack(crosses).sum(0)
    correlations = []
    folds = zip(bounds, crosses, other.once(training_factors_of, penalty), strict=True)
    for number, ((start, stop), cross, fold) in enumerate(folds, 1):
        rows_x, rows_y = x[start:stop], y[start:stop]
        # The training rows sum to minus those of the fold.
        mean_x, mean_y = -rows_x.sum(0) / fold.n_train, -rows_y.sum(0) / fold.n_train
        train = total - cross - fold.n_train * torch.outer(mean_y, mean_x)
        predicted = (rows_y - mean_y) @ torch.cholesky_solve(train, fold.factor)
        correlations.append(_correlations(rows_x - mean_x, predicted, number))
    return torch.stack(correlations)


def _correlations_of_residuals(
    x: Tensor, residuals: list[Tensor], bounds: list[tuple[int, int]]
) -> Tensor:
    correlations = []
    for number, ((start, stop), residual) in enumerate(zip(bounds, residuals, strict=True), 1):
        rows = x[start:stop]
        # X is centred, so that the training rows sum to minus those of the fold.
        centred = rows + rows.sum(0) / (len(x) - len(rows))
        correlations.append(_correlations(centred, centred - residual, number))
    return torch.stack(correlations)


_SOURCE = (
    "Schrimpf et al. 2018, Brain-Score: Which Artificial Neural Network for Object Recognition "
    "is most Brain-Like?, bioRxiv 407007"
)
_BLIND = "scale and offset of each prediction; the worse half of the neurons"


@family("ridge_cv_pearson_<λ>")
def ridge_cv_pearson(number: str) -> Measure:
    """Declare the median held-out correlation of ridge regression with λ as `number` writes."""
    penalty = float(number)
    return declare(
        f"ridge_cv_pearson_{number}",
        compare=lambda pair: ridge_median_correlation(pair, penalty),
        broadcasts=False,
        bounds=(-1.0, 1.0),
        invariances=frozenset(
            {
                invariance(ORTHOGONAL, applies_to="y"),
                invariance(SCALING, applies_to="x"),
                TRANSLATION,
                PERMUTATION,
            }
        ),
        attains_perfect=False,
        reference=_SOURCE,
        formula=f"median over neurons of mean r over {FOLDS}, ridge regression from Y",
        blind_to=_BLIND,
        cost="5(nq² + npq + q³)",
    )


@family("pls_cv_pearson_<k>")
def pls_cv_pearson(number: str) -> Measure:
    """Declare the median held-out correlation of PLS with as many components as `number` says."""
    n_components = int(number)
    return declare(
        f"pls_cv_pearson_{number}",
        compare=lambda pair: median_correlation(
            pair, partial(pls_predictions, n_components=n_components)
        ),
        broadcasts=False,
        bounds=(-1.0, 1.0),
        invariances=frozenset(
            {invariance(ORTHOGONAL, applies_to="y"), SCALING, TRANSLATION, PERMUTATION}
        ),
        attains_perfect=False,
        reference=_SOURCE,
        formula=(
            f"median over neurons of mean r over {FOLDS}, PLS with {number} components from Y"
        ),
        blind_to=_BLIND,
        cost=f"5(npq + pq·min(p, q) + {number}(nq + pq))",
    )
