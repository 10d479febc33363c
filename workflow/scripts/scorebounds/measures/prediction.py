"""What Brain-Score reports: how well each neuron's held-out responses are predicted from Y."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from scorebounds.measures.base import (
    ORTHOGONAL,
    PERMUTATION,
    SCALING,
    TRANSLATION,
    Measure,
    invariance,
)
from scorebounds.measures.folds import Folds, contiguous_folds, train_test_splits
from scorebounds.measures.pair import Pair, in_double
from scorebounds.measures.registry import declare, family

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
    x_left, y_left = x_train, y_train
    weights, loadings_x, loadings_y = [], [], []
    for component in range(n_components):
        direction = torch.linalg.svd(y_left.mT @ x_left, full_matrices=False).U[:, 0]
        scores = y_left @ direction
        squared_norm = scores.square().sum()
        if squared_norm <= 1e-20 * y_train.square().sum():
            raise ValueError(
                f"partial least squares with {n_components} components is not defined: y has only "
                f"{component} independent dimensions"
            )
        weights.append(direction)
        loadings_y.append(y_left.mT @ scores / squared_norm)
        loadings_x.append(x_left.mT @ scores / squared_norm)
        x_left = x_left - scores[:, None] * loadings_x[-1]
        y_left = y_left - scores[:, None] * loadings_y[-1]
    directions, back_to_y, back_to_x = (
        torch.stack(each, 1) for each in (weights, loadings_y, loadings_x)
    )
    result: Tensor = (
        y_test @ directions @ torch.linalg.solve(back_to_y.mT @ directions, back_to_x.mT)
    )
    return result


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
        sides = []
        for values, name in ((fold.x_test, "x"), (predicted, "the prediction of x")):
            centred = values - values.mean(0)
            length = torch.linalg.vector_norm(centred, dim=0)
            flat = length <= 1e-12 * torch.linalg.vector_norm(values, dim=0)
            if flat.any():
                neuron = int(flat.nonzero()[0])
                raise ValueError(
                    f"a correlation per neuron is not defined: neuron {neuron} of {name} has the "
                    f"same value in all samples of held-out fold {number}"
                )
            sides.append(centred / length)
        correlations.append((sides[0] * sides[1]).sum(0))
    return torch.stack(correlations)


@in_double
def median_correlation(pair: Pair, predict: Predictor) -> Tensor:
    """Median over X's neurons of the held-out Pearson's r, each a mean over 5 contiguous folds.

    In [−1, 1]. Schrimpf et al. 2018, section "Neural predictivity".
    """
    batch = pair.y.reshape(-1, *pair.y.shape[-2:])
    x, folds = pair.reference.centred, pair.reference.folds
    found = [held_out_correlations(x, y, predict, folds) for y in batch]
    medians = [correlations.mean(0).quantile(0.5) for correlations in found]
    return torch.stack(medians).reshape(pair.y.shape[:-2])


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
        compare=lambda pair: median_correlation(pair, partial(ridge_predictions, penalty=penalty)),
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
        cross_validated=True,
        reference=_SOURCE,
        formula="median over neurons of mean r over 5 folds, ridge regression from Y",
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
        bounds=(-1.0, 1.0),
        invariances=frozenset(
            {invariance(ORTHOGONAL, applies_to="y"), SCALING, TRANSLATION, PERMUTATION}
        ),
        attains_perfect=False,
        cross_validated=True,
        reference=_SOURCE,
        formula=f"median over neurons of mean r over 5 folds, PLS with {number} components from Y",
        blind_to=_BLIND,
        cost=f"5 · {number}(npq + pq·min(p, q))",
    )
