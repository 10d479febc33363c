"""Ridge regression with a nested choice of λ: one eigendecomposition per outer training set.

The centred training Y of an outer fold is rotated to T = Y V with TᵀT = diag(w). Where an inner
fold g has at most as many samples as T has columns, its held-out residuals for any λ are
(I − H_gg)⁻¹ (x_g − x̂_g), with H = 11ᵀ/n + T (w + λ)⁻¹ Tᵀ the projection of the training samples.
(I − H_gg)⁻¹ only lengthens residuals, so that the residuals of the fit bound them from below, and
most pairs of λ and fold need not be computed to find the best λ. Where a fold has more samples,
the products of the inner training samples are decomposed, which serves all λ at once. None of it
depends on X, so that it serves X in any order.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from scorebounds.measures.folds import Folds
from scorebounds.measures.pair import Reference
from scorebounds.measures.products import symmetric_product

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

    train: Tensor  # the training samples, inner fold after inner fold
    test: Tensor
    rotated: Tensor  # T, (n_train, r)
    weights: Tensor  # w, (r,)
    shrunk: Tensor  # 1 / (w + λ), (n_penalties, r)
    predictors: Tensor  # test rows of Y in the coordinates of `rotated`, (n_test, r)
    inner: list[slice]  # places of the inner folds among the training samples
    products: _Products | None  # None where inner folds are held out by samples
    _inverses: dict[tuple[int, int], Tensor] = field(default_factory=dict)

    def leverage_inverse(self, penalty: int, fold: int) -> Tensor:
        """Return (I − H_gg)⁻¹ of an inner fold; it is kept for other X."""
        if (penalty, fold) not in self._inverses:
            rows = self.rotated[self.inner[fold]]
            leverage = 1 / len(self.rotated) + (rows * self.shrunk[penalty]) @ rows.mT
            identity = torch.eye(len(rows), dtype=rows.dtype, device=rows.device)
            factor = torch.linalg.cholesky(identity - leverage)
            self._inverses[penalty, fold] = torch.cholesky_inverse(factor)
        return self._inverses[penalty, fold]


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
    if inner.order is not None:
        train = train[inner.order.to(y.device)]
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
    parts = [slice(first, last) for first, last in inner.bounds]
    by_samples = max(last - first for first, last in inner.bounds) <= rotated.shape[1]
    products = None if by_samples else _decomposed(rotated, weights, penalties, parts)
    shrunk = 1 / (weights + penalties[:, None])
    return OuterFold(train, test, rotated, weights, shrunk, predictors, parts, products)


def _decomposed(
    rotated: Tensor, weights: Tensor, penalties: Tensor, parts: list[slice]
) -> _Products:
    held_out, total = [], []
    held_out_rows = [rotated[part] for part in parts]
    for rows in held_out_rows:
        n_train = len(rotated) - len(rows)
        # The other training rows sum to minus those of the fold.
        means = torch.outer(rows.sum(0), rows.sum(0))
        products = rows.mT @ rows
        total.append(torch.diag(weights) - products - means / n_train)
        held_out.append(products + _mean_terms(len(rows), n_train) * means)
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
        self._known: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}
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
    def _sizes(self) -> Tensor:
        """‖X_g‖² of each inner fold about the mean of the others, (n_inner, n_x)."""
        parts = [self.train[part] for part in self.outer.inner]
        n_train = [len(self.train) - len(part) for part in parts]
        sizes = [
            (part + part.sum(0) / n).square().sum(0) for part, n in zip(parts, n_train, strict=True)
        ]
        return torch.stack(sizes)

    @cached_property
    def _of_fit(self) -> Tensor:
        """The squared residuals of the fit to all training samples, (n_penalties, n_x)."""
        s = self.outer.shrunk
        explained = (2 * s - self.outer.weights * s.square()) @ self.cross.square()
        return self.train.square().sum(0) - explained

    @cached_property
    def _order(self) -> Tensor:
        """The neurons, those that vary most first."""
        return self.train.square().sum(0).argsort(descending=True)

    @cached_property
    def _blocks(self) -> list[slice]:
        """The neurons in `_order` in blocks, the first of them small."""
        n = len(self._order)
        edges = sorted({0, -(-n // 8), -(-n // 4), -(-n // 2), n})
        return [slice(first, last) for first, last in itertools.pairwise(edges)]

    @cached_property
    def _in_order(self) -> tuple[Tensor, Tensor]:
        """The training samples and TᵀX transposed, with the neurons in `_order`."""
        return self.train.mT[self._order], self.cross.mT[self._order]

    def _inner_errors(self, penalty: int, block: int) -> tuple[Tensor, Tensor]:
        """Return squared residuals of the inner folds, held out and of the fit, by neuron."""
        key = penalty, block
        if key not in self._known:
            train, cross = (side[self._blocks[block]] for side in self._in_order)
            # With neurons as rows the products are faster.
            residual = train - (cross * self.outer.shrunk[penalty]) @ self.outer.rotated.mT
            left = [
                (residual[:, rows] @ self.outer.leverage_inverse(penalty, fold)).square().sum(1)
                for fold, rows in enumerate(self.outer.inner)
            ]
            self._known[key] = torch.stack(left), residual.square().sum(1)
        return self._known[key]

    def _best_by_samples(self, neurons: Tensor | slice) -> int:
        """Return the place of the λ of the highest inner R², by branch and bound.

        A loss is a sum over neurons. Of the λ whose loss has the lowest bound, the next block is
        computed, until all others are worse.
        """
        sizes = self._sizes[:, neurons].sum(1)
        largest = sizes.max().item()
        fit_left: list[float] = self._of_fit[:, neurons].sum(1).tolist()
        is_chosen = torch.zeros(self.train.shape[1], dtype=torch.bool, device=self.train.device)
        is_chosen[neurons] = True
        kept = [is_chosen[self._order[block]] for block in self._blocks]
        blocks = [number for number, each in enumerate(kept) if each.any()]
        losses = [0.0] * len(fit_left)
        bounds = [max(left, 0) / largest for left in fit_left]
        waiting = {penalty: list(blocks) for penalty in range(len(fit_left))}
        limit = math.inf
        while waiting:
            chosen = min(waiting, key=bounds.__getitem__)
            if bounds[chosen] > limit:
                break
            block = waiting[chosen].pop(0)
            left, residual = self._inner_errors(chosen, block)
            losses[chosen] += (left[:, kept[block]].sum(1) / sizes).sum().item()
            fit_left[chosen] -= residual[kept[block]].sum().item()
            bounds[chosen] = losses[chosen] + max(fit_left[chosen], 0) / largest
            if not waiting[chosen]:
                del waiting[chosen]
                loss = losses[chosen]
                limit = min(limit, loss + ROUNDING * (len(sizes) + abs(loss)))
        done = [penalty for penalty in range(len(losses)) if penalty not in waiting]
        return min(done, key=losses.__getitem__)


def _best_by_products(x: Tensor, products: _Products, inner: list[slice]) -> tuple[int, Tensor]:
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
