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
from functools import cached_property

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


class Targets:
    """X of the samples of an outer fold; squared errors of each neuron are computed once.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
    outer : OuterFold
    """

    def __init__(self, x: Tensor, outer: OuterFold):
        train = x[outer.train]
        mean = train.mean(0)
        self.outer, self.train, self.test = outer, train - mean, x[outer.test] - mean
        self._known: dict[tuple[int, int, int], tuple[Tensor, Tensor]] = {}
        self._test_errors: dict[int, Tensor] = {}

    def r2(self, neurons: Tensor | None = None) -> Tensor:
        """Return R² of the test samples under the λ of the highest inner R², of some neurons."""
        chosen = slice(None) if neurons is None else neurons
        test = self.test[:, chosen]
        if self.outer.products is not None:
            train, inner = self.train[:, chosen], self.outer.inner
            best, cross = _best_by_products(train, self.outer.products, inner)
            error = self._error(best, test, cross)
        else:
            best = self._best_by_samples(chosen)
            if best not in self._test_errors:
                self._test_errors[best] = self._error(best, self.test, self.cross)
            error = self._test_errors[best][chosen]
        return 1 - error.sum() / test.square().sum()

    def _error(self, penalty: int, test: Tensor, cross: Tensor) -> Tensor:
        """Return the squared errors of the test samples, by neuron."""
        predicted = self.outer.predictors @ (self.outer.shrunk[penalty][:, None] * cross)
        return (test - predicted).square().sum(0)

    @cached_property
    def cross(self) -> Tensor:
        """TᵀX of the training samples, (r, n_x)."""
        return self.outer.rotated.mT @ self.train

    @cached_property
    def _sizes(self) -> list[Tensor]:
        """‖X_g‖² of each inner fold about the mean of the others, by neuron."""
        parts = [self.train[part] for part in self.outer.inner]
        n_train = [len(self.train) - len(part) for part in parts]
        return [
            (part + part.sum(0) / n).square().sum(0) for part, n in zip(parts, n_train, strict=True)
        ]

    @cached_property
    def _of_fit(self) -> Tensor:
        """The squared residuals of the fit to all training samples, (n_penalties, n_x)."""
        s = self.outer.shrunk
        explained = (2 * s - self.outer.weights * s.square()) @ self.cross.square()
        return self.train.square().sum(0) - explained

    @cached_property
    def _blocks(self) -> list[Tensor]:
        """Neurons in blocks; the first is the eighth that varies most."""
        order = self.train.square().sum(0).argsort(descending=True)
        first, second = -(-len(order) // 8), -(-len(order) // 2)
        return [block for block in order.tensor_split([first, second]) if len(block)]

    def _inner_errors(self, penalty: int, fold: int, block: int) -> tuple[Tensor, Tensor]:
        """Return squared residuals of an inner fold, held out and of the fit to all, by neuron."""
        key = penalty, fold, block
        if key not in self._known:
            rows, columns = self.outer.inner[fold], self._blocks[block]
            weights = self.outer.shrunk[penalty][:, None] * self.cross[:, columns]
            residual = self.train[rows][:, columns] - self.outer.rotated[rows] @ weights
            left = torch.cholesky_solve(residual, self.outer.leverage_factor(penalty, fold))
            self._known[key] = left.square().sum(0), residual.square().sum(0)
        return self._known[key]

    def _best_by_samples(self, neurons: Tensor | slice) -> int:
        """Return the place of the λ of the highest inner R², by branch and bound.

        A loss is a sum over folds and neurons. Of the λ whose loss has the lowest bound, the next
        part is computed, until all others are worse; the few neurons that vary most come first.
        """
        sizes = [size[neurons].sum().item() for size in self._sizes]
        fit_left: list[float] = self._of_fit[:, neurons].sum(1).tolist()
        is_chosen = torch.zeros(self.train.shape[1], dtype=torch.bool, device=self.train.device)
        is_chosen[neurons] = True
        kept = [is_chosen[block] for block in self._blocks]
        blocks = [number for number, each in enumerate(kept) if each.any()]
        parts = [(fold, block) for block in blocks for fold in range(len(sizes))]
        losses, n_done = [0.0] * len(fit_left), [0] * len(fit_left)

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
            fold, block = parts[n_done[chosen]]
            left, residual = self._inner_errors(chosen, fold, block)
            losses[chosen] += left[kept[block]].sum().item() / sizes[fold]
            fit_left[chosen] -= residual[kept[block]].sum().item()
            n_done[chosen] += 1
        done = [i for i, n in enumerate(n_done) if n == len(parts)]
        return min(done, key=losses.__getitem__)


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
