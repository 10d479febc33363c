"""Ridge regression with a nested choice of λ: one eigendecomposition per outer training set.

The centred training Y of an outer fold is rotated to T = Y V with TᵀT = diag(w). Where an inner
fold g has at most as many samples as T has columns, its held-out residuals for any λ are
(I − H_gg)⁻¹ (x_g − x̂_g), with H = 11ᵀ/n + T (w + λ)⁻¹ Tᵀ the projection of the training samples.
(I − H_gg)⁻¹ only lengthens residuals, so that the residuals of the fit bound them from below, and
most pairs of λ and fold need not be computed to find the best λ. Where a fold has more samples,
the products of the inner training samples are decomposed, which serves all λ at once. None of it
depends on X, so that it serves X in any order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from scorebounds.measures.closed_form import symmetric_product
from scorebounds.measures.folds import Folds
from scorebounds.measures.pair import Reference

# Penalties to choose from, in units of the mean squared norm of a dimension of Y.
TUNING_GRID = [10.0**exponent for exponent in range(-6, 3)]
# Losses that differ by less, relative to their size, may differ by rounding alone.
ROUNDING = 1e-9


@dataclass(frozen=True)
class _Products:
    """The products of inner training samples, decomposed: what inner folds need of Y."""

    basis: Tensor  # Q, (n_inner, r, r): eigenvectors
    shrunk: Tensor  # 1 / (eigenvalues + λ), (n_inner, n_penalties, r)
    within: Tensor  # products of the held-out rows in that basis, (n_inner, r, r)
    rows: list[Tensor]  # the held-out rows of T


@dataclass(frozen=True)
class OuterFold:
    """What the regressions of an outer fold need of Y."""

    train: Tensor
    test: Tensor
    rotated: Tensor  # T, (n_train, r)
    weights: Tensor  # w, (r,)
    shrunk: Tensor  # 1 / (w + λ), (n_penalties, r)
    predictors: Tensor  # test rows of Y in the coordinates of `rotated`, (n_test, r)
    inner: list[Tensor]  # places of the inner folds among the training samples
    products: _Products | None  # None where inner folds are held out by samples
    _factors: dict[tuple[int, int], Tensor] = field(default_factory=dict)

    def leverage_factor(self, penalty: int, fold: int) -> Tensor:
        """Return the Cholesky factor of I − H_gg of an inner fold; it is kept for other X."""
        if (penalty, fold) not in self._factors:
            rows = self.rotated[self.inner[fold]]
            leverage = 1 / len(self.rotated) + (rows * self.shrunk[penalty]) @ rows.mT
            identity = torch.eye(len(rows), dtype=rows.dtype, device=rows.device)
            self._factors[penalty, fold] = torch.linalg.cholesky(identity - leverage)
        return self._factors[penalty, fold]


def outer_folds(reference: Reference) -> Iterator[OuterFold]:
    """Yield what each outer fold needs of the Y that `reference` holds."""
    folds = reference.folds
    for number, (start, stop) in enumerate(folds.bounds):
        yield _outer_fold(reference.x, start, stop, folds.of_training_samples(number))


def kept_outer_folds(reference: Reference) -> list[OuterFold]:
    """Return `outer_folds` as a list, to be used for many X."""
    return list(outer_folds(reference))


def _outer_fold(y: Tensor, start: int, stop: int, inner: Folds) -> OuterFold:
    places = torch.arange(len(y), device=y.device)
    train, test = torch.cat([places[:start], places[stop:]]), places[start:stop]
    mean = y[train].mean(0)
    centred, held_out = y[train] - mean, y[test] - mean
    if centred.shape[1] <= len(train):
        weights, basis = torch.linalg.eigh(symmetric_product(centred))
        rotated, predictors = centred @ basis, held_out @ basis
    else:
        # Of wide data the samples are decomposed: T = U √w, and Y_test V = Y_test Yᵀ U / √w.
        weights, basis = torch.linalg.eigh(symmetric_product(centred.mT))
        sound = weights > weights[-1] * len(train) * torch.finfo(y.dtype).eps
        weights, basis = weights[sound], basis[:, sound]
        rotated = basis * weights.sqrt()
        predictors = held_out @ (centred.mT @ basis) / weights.sqrt()
    weights = weights.clamp_min(0)
    level = centred.square().sum() / min(centred.shape)
    penalties = level * torch.tensor(TUNING_GRID, dtype=y.dtype, device=y.device)
    order = torch.arange(len(train)) if inner.order is None else inner.order
    parts = [order[first:last].to(y.device) for first, last in inner.bounds]
    by_samples = max(len(part) for part in parts) <= rotated.shape[1]
    products = None if by_samples else _decomposed(rotated, weights, penalties, parts)
    shrunk = 1 / (weights + penalties[:, None])
    return OuterFold(train, test, rotated, weights, shrunk, predictors, parts, products)


def _decomposed(
    rotated: Tensor, weights: Tensor, penalties: Tensor, parts: list[Tensor]
) -> _Products:
    held_out, total = [], []
    held_out_rows = [rotated[part] for part in parts]
    for part, rows in zip(parts, held_out_rows, strict=True):
        n_train = len(rotated) - len(part)
        # The other training rows sum to minus those of the fold.
        means = torch.outer(rows.sum(0), rows.sum(0))
        products = rows.mT @ rows
        total.append(torch.diag(weights) - products - means / n_train)
        held_out.append(products + _mean_terms(len(part), n_train) * means)
    of_training, basis = torch.linalg.eigh(torch.stack(total))
    shrunk = 1 / (of_training.clamp_min(0)[:, None, :] + penalties[:, None])
    within = basis.mT @ torch.stack(held_out) @ basis
    return _Products(basis, shrunk, within, held_out_rows)


def _mean_terms(n_test: int, n_train: int) -> float:
    """Return how often the outer product of a fold's sums enters products centred by the rest."""
    return 2 / n_train + n_test / n_train**2


def nested_r2(x: Tensor, outer: OuterFold) -> Tensor:
    """Return R² of the test samples of an outer fold under the λ of the highest inner R²."""
    train = x[outer.train]
    mean = train.mean(0)
    centred, test = train - mean, x[outer.test] - mean
    if outer.products is None:
        cross = outer.rotated.mT @ centred
        best = _best_by_samples(centred, cross, outer)
    else:
        best, cross = _best_by_products(centred, outer.products, outer.inner)
    shrunk = outer.shrunk[best]
    predicted = outer.predictors @ (shrunk[:, None] * cross)
    return 1 - (test - predicted).square().sum() / test.square().sum()


def _best_by_products(x: Tensor, products: _Products, inner: list[Tensor]) -> tuple[int, Tensor]:
    """Return the place of the λ of the highest inner R², from the products of all λ, and TᵀX."""
    rows_x = [x[part] for part in inner]
    held_out = torch.stack(
        [rows.mT @ values for rows, values in zip(products.rows, rows_x, strict=True)]
    )
    cross = held_out.sum(0)
    train, test, sizes = [], [], []
    for rows, values, product in zip(products.rows, rows_x, held_out, strict=True):
        n_train = len(x) - len(values)
        means, terms = torch.outer(rows.sum(0), values.sum(0)), _mean_terms(len(values), n_train)
        train.append(cross - product - means / n_train)
        test.append(product + terms * means)
        sizes.append(values.square().sum() + terms * values.sum(0).square().sum())
    coefficients = products.basis.mT @ torch.stack(train)
    across = products.basis.mT @ torch.stack(test)
    # ‖X_g‖² − ‖X_g − T_g S C‖² for coefficients SC with S = diag(s): 2 sᵀd − sᵀ(W ∘ CCᵀ)s.
    linear = (coefficients * across).sum(-1)
    squares = products.within * (coefficients @ coefficients.mT)
    s = products.shrunk
    explained = 2 * (s @ linear[..., None])[..., 0] - ((s @ squares) * s).sum(-1)
    return int((explained / torch.stack(sizes)[:, None]).mean(0).argmax()), cross


def _best_by_samples(x: Tensor, cross: Tensor, outer: OuterFold) -> int:
    """Return the place of the λ of the highest inner R², by branch and bound.

    A loss is a sum over folds and columns of X. Of the λ whose loss has the lowest bound, the next
    part is computed, until all others are worse; the few columns that vary most come first.
    """
    totals = [x[part].sum(0) for part in outer.inner]
    n_train = [len(x) - len(part) for part in outer.inner]
    means = zip(outer.inner, totals, n_train, strict=True)
    sizes = [(x[part] + total / n).square().sum().item() for part, total, n in means]
    parts = [(fold, columns) for columns in _by_variance(x) for fold in range(len(sizes))]
    s = outer.shrunk
    of_fit = x.square().sum() - (2 * s - outer.weights * s.square()) @ cross.square().sum(-1)
    fit_left: list[float] = of_fit.tolist()
    losses, n_done = [0.0] * len(s), [0] * len(s)

    def bound(penalty: int) -> float:
        return losses[penalty] + max(fit_left[penalty], 0) / max(sizes)

    while True:
        complete = [losses[i] for i, n in enumerate(n_done) if n == len(parts)]
        limit = min(complete, default=float("inf"))
        limit += ROUNDING * (len(sizes) + abs(limit)) if complete else 0
        waiting = [i for i, n in enumerate(n_done) if n < len(parts) and bound(i) <= limit]
        if not waiting:
            break
        chosen = min(waiting, key=bound)
        fold, columns = parts[n_done[chosen]]
        rows = outer.inner[fold]
        fitted = outer.rotated[rows] @ (s[chosen][:, None] * cross[:, columns])
        residual = x[rows][:, columns] - fitted
        left = torch.cholesky_solve(residual, outer.leverage_factor(chosen, fold))
        losses[chosen] += left.square().sum().item() / sizes[fold]
        fit_left[chosen] -= residual.square().sum().item()
        n_done[chosen] += 1
    done = [i for i, n in enumerate(n_done) if n == len(parts)]
    return min(done, key=losses.__getitem__)


def _by_variance(x: Tensor) -> list[Tensor]:
    """Return the columns of X in parts; the first is the eighth that varies most."""
    order = x.square().sum(0).argsort(descending=True)
    first, second = -(-len(order) // 8), -(-len(order) // 2)
    return [part for part in order.tensor_split([first, second]) if len(part)]
