"""Pairs whose products are sums over blocks, so that X and Y need not fit into memory.

With p and q neurons and no more than n samples, a measure that depends on products of X and Y
alone needs matrices of p + q rows and columns and vectors of n values. What needs bases or
residuals takes X and Y from R of the QR decomposition [X Y] = QR: its columns have the products of
those of X and Y, and it keeps the digits that a product of ill-conditioned data loses. With more
neurons than samples, X is replaced by Rᵀ of Xᵀ = QR, which a rotation of the neurons turns into X.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from scorebounds.core.measure_table import entry_of
from scorebounds.measures.base import Measure
from scorebounds.measures.blocks import Block, Centring, Side, in_double, reduce_blocks
from scorebounds.measures.folds import Folds
from scorebounds.measures.pair import Pair, Reference, of_order_one
from scorebounds.measures.products import symmetric_product
from scorebounds.measures.projections import explained_by_products, sound_factor
from scorebounds.measures.ridge_folds import held_out_r2_by_neurons

RIDGE_CV = "ridge_cv_<λ>"


@dataclass
class Blocks:
    """Two sides that are read together, `size` samples at a time.

    Attributes
    ----------
    sides : tuple of Side
        X and Y.
    centrings : tuple of Centring
    folds : Folds
        Which samples are held out together.
    size : int
    """

    sides: tuple[Side, Side]
    centrings: tuple[Centring, Centring]
    folds: Folds
    size: int

    def sum_over(self, work: Callable[..., Any], *which: int, **options: Any) -> Any:
        """Sum what `work` returns of the blocks of X (0), of Y (1) or of both."""
        return self._reduce(_add, work, *which, **options)

    def squared_rows(self, which: int) -> Tensor:
        """Return the squared norm of each centred sample of a side."""
        found: Tensor = self._reduce(_append, _squared_rows, which)
        return found

    @cached_property
    def triangular(self) -> Tensor:
        """R of [X Y] = QR, shape (at most n_x + n_y, n_x + n_y)."""
        found: Tensor = self._reduce(_triangular, _joined, 0, 1)
        return found

    @cached_property
    def fold_of_sample(self) -> Tensor:
        """The fold of each sample, in the order in which they are stored."""
        places = torch.empty(self.sides[0].stored.shape[0], dtype=torch.int64)
        order = torch.arange(len(places)) if self.folds.order is None else self.folds.order
        for fold, (start, stop) in enumerate(self.folds.bounds):
            places[order[start:stop]] = fold
        return places

    def _reduce(
        self, combine: Callable[..., Any], work: Callable[..., Any], *which: int, **options: Any
    ) -> Any:
        centrings = [self.centrings[side] for side in which]
        bound = partial(work, centrings, **options)
        return reduce_blocks(bound, combine, [self.sides[i].stored for i in which], self.size)


class BlockedReference(Reference):
    """X of which only products are in memory."""

    def __init__(self, blocks: Blocks):
        self.blocks = blocks
        side = blocks.sides[0]
        # It has a shape and a type and no values: a measure that read them would fail.
        activity = torch.empty(side.stored.shape, dtype=torch.float64, device="meta")
        super().__init__(activity, blocks.folds, side.precision)

    @property
    def cutoff(self) -> Tensor:
        """The largest singular value of X that is rounding of its source."""
        return self.blocks.sides[0].cutoff(self.blocks.centrings[0].scale)

    @cached_property
    def x(self) -> Tensor:
        """A matrix whose products are those of X; its rows are not samples."""
        return self.blocks.triangular[:, : self.activity.shape[-1]]

    @cached_property
    def centred(self) -> Tensor:
        """The same."""
        return self.x

    @cached_property
    def gram(self) -> Tensor:
        """XᵀX, shape (n_x, n_x)."""
        found: Tensor = self.blocks.sum_over(_product, 0)
        return found

    @cached_property
    def squared_rows(self) -> Tensor:
        """The squared norm of each sample of X centred, shape (n_samples,)."""
        return self.blocks.squared_rows(0)

    @cached_property
    def squared_norm(self) -> Tensor:
        """‖X‖²_F."""
        return self.squared_rows.sum()

    @cached_property
    def fold_sums(self) -> tuple[Tensor, Tensor]:
        """The row sums, (n_folds, n_x), and ‖X_f‖²_F, (n_folds,), of the folds."""
        return _fold_sums_of(self.blocks, 0)


class BlockedPair(Pair):
    """X and Y of which only products are in memory."""

    def __init__(self, blocks: Blocks):
        self.blocks = blocks
        side = blocks.sides[1]
        activity = torch.empty(side.stored.shape, dtype=torch.float64, device="meta")
        super().__init__(BlockedReference(blocks), activity, side.precision)

    @property
    def cutoff(self) -> Tensor:
        """The largest singular value of Y that is rounding of its source."""
        return self.blocks.sides[1].cutoff(self.blocks.centrings[1].scale)

    @cached_property
    def y(self) -> Tensor:
        """A matrix whose products are those of Y; its rows are not samples."""
        return self.blocks.triangular[:, self.reference.activity.shape[-1] :]

    @cached_property
    def centred(self) -> Tensor:
        """The same."""
        return self.y

    @cached_property
    def cross(self) -> Tensor:
        """XᵀY, shape (n_x, n_y)."""
        found: Tensor = self.blocks.sum_over(_product, 0, 1)
        return found

    @cached_property
    def gram(self) -> Tensor:
        """YᵀY, shape (n_y, n_y)."""
        found: Tensor = self.blocks.sum_over(_product, 1)
        return found

    @cached_property
    def squared_rows(self) -> Tensor:
        """The squared norm of each sample of Y centred, shape (n_samples,)."""
        return self.blocks.squared_rows(1)

    @cached_property
    def squared_norm(self) -> Tensor:
        """‖Y‖²_F."""
        return self.squared_rows.sum()

    @cached_property
    def fold_products(self) -> tuple[Tensor, Tensor, Tensor]:
        """The fold-wise XᵀY, YᵀY and row sums of Y."""
        found = self.blocks.sum_over(_fold_products, 0, 1, fold_of=self.blocks.fold_of_sample)
        products = [found[fold] for fold in range(len(self.blocks.folds.bounds))]
        cross, gram = (torch.stack(matrices) for matrices in zip(*products, strict=True))
        return cross, gram, _fold_sums_of(self.blocks, 1)[0]

    @cached_property
    def explained(self) -> Tensor:
        """‖Qᵀxⱼ‖² for each column of X, Q an orthonormal basis of Y; shape (n_x,)."""
        factor = sound_factor(self.gram, self.cutoff)
        if factor is not None:
            return explained_by_products(self.cross, self.gram, factor)
        basis, _ = self.subspace()
        return (basis.mT @ self.reference.x).square().sum(-2)


def compare_in_blocks(measure: Measure, blocks: Blocks) -> float:
    """Score with a measure that needs products of neurons only."""
    entry, pair = entry_of(measure.name), BlockedPair(blocks)
    with torch.no_grad():
        if entry.id == RIDGE_CV:
            return held_out_r2_by_neurons(pair, float(entry.parameter(measure.name) or 0)).item()
        return measure.compare(pair).item()


def compare_wide(measure: Measure, sides: tuple[Side, Side], folds: Folds, size: int) -> float:
    """Score sides of which at least one has more neurons than samples.

    Parameters
    ----------
    measure : Measure
        Invariant to rotations of the neurons of each side that has more of them than samples.
    sides : tuple of Side
    folds : Folds
    size : int
        Columns of a block.
    """
    references = []
    for name, side in zip("xy", sides, strict=True):
        values, precision = _narrowed(side, size)
        values = of_order_one(values) if measure.is_scaled(name) else values
        references.append(Reference(folds.arrange(values), folds, precision))
    reference, other = references
    with torch.no_grad():
        return measure.compare(Pair(reference, other.activity, other.precision)).item()


def _narrowed(side: Side, size: int) -> tuple[Tensor, float]:
    """Return a side in at most n_samples columns, and the precision that keeps its cutoff."""
    n_samples, n_neurons = side.stored.shape
    if n_neurons <= n_samples:
        return in_double(_computed(side.stored.rows(0, n_samples))), side.precision
    # At least as many columns as samples, or the decompositions cost more than the products.
    size = max(size, n_samples)
    work = partial(_centred_columns, side.mean)
    found: Tensor = reduce_blocks(work, _triangular, [side.stored], size, of_columns=True)
    narrow = _triangular(found[:0], found).mT.contiguous()
    size_now = narrow.square().mean().sqrt() * (2 * n_samples**0.5)
    return narrow, 2 * float(side.cutoff(1.0) / size_now)


def _computed(block: Block) -> Block:
    return block.compute() if hasattr(block, "compute") else block


def _centred_columns(mean: Tensor, start: int, block: Block) -> Tensor:
    values = in_double(block)
    return values.sub_(mean[start : start + values.shape[1]]).mT


def _product(centrings: list[Centring], _start: int, *blocks: Block) -> Tensor:
    sides = [side.apply(block) for side, block in zip(centrings, blocks, strict=True)]
    return sides[0].mT @ sides[1] if len(sides) == 2 else symmetric_product(sides[0])


def _squared_rows(centrings: list[Centring], _start: int, block: Block) -> Tensor:
    return centrings[0].apply(block).square().sum(-1)


def _joined(centrings: list[Centring], _start: int, *blocks: Block) -> Tensor:
    return torch.cat([side.apply(block) for side, block in zip(centrings, blocks, strict=True)], 1)


def _fold_products(
    centrings: list[Centring], start: int, *blocks: Block, fold_of: Tensor
) -> dict[int, tuple[Tensor, Tensor]]:
    """Return XᵀY and YᵀY of each fold that has samples in the block."""
    x, y = (side.apply(block) for side, block in zip(centrings, blocks, strict=True))
    found = {}
    folds = fold_of[start : start + len(x)]
    for fold in folds.unique().tolist():
        rows = folds == fold
        x_fold, y_fold = (x, y) if bool(rows.all()) else (x[rows], y[rows])
        found[fold] = x_fold.mT @ y_fold, symmetric_product(y_fold)
    return found


def _fold_sums_of(blocks: Blocks, which: int) -> tuple[Tensor, Tensor]:
    fold_of, n_folds = blocks.fold_of_sample, len(blocks.folds.bounds)
    found: tuple[Tensor, Tensor] = blocks.sum_over(
        _fold_sums, which, fold_of=fold_of, n_folds=n_folds
    )
    return found


def _fold_sums(
    centrings: list[Centring], start: int, block: Block, *, fold_of: Tensor, n_folds: int
) -> tuple[Tensor, Tensor]:
    values = centrings[0].apply(block)
    folds = fold_of[start : start + len(values)]
    sums = values.new_zeros(n_folds, values.shape[1]).index_add_(0, folds, values)
    return sums, values.new_zeros(n_folds).index_add_(0, folds, values.square().sum(-1))


def _add(first: Any, second: Any) -> Any:
    if isinstance(first, dict):
        shared = {key: _add(first[key], second[key]) for key in first.keys() & second.keys()}
        return first | second | shared
    if isinstance(first, tuple):
        return tuple(map(torch.add, first, second))
    return first + second


def _append(first: Tensor, second: Tensor) -> Tensor:
    return torch.cat([first, second])


def _triangular(first: Tensor, second: Tensor) -> Tensor:
    """Return R of the rows of two parts, of which each is rows of the data or such an R."""
    factor: Tensor = torch.linalg.qr(torch.cat([first, second]), mode="r").R
    return factor
