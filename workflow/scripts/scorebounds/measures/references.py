"""Pairs of which both sides are prepared once, to score many X with many Y, or shuffles."""

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cached_property

import torch
from torch import Tensor

from scorebounds.measures.pair import Kept, Pair, Reference
from scorebounds.measures.projections import explained_by_products

# Numbers of a batch of reordered X and of what is computed from it.
NUMBERS_AT_ONCE = 2**27


class Reordered(Reference):
    """A reference with its rows in another order; it reuses what that does not change.

    Parameters
    ----------
    whole : Reference
    rows : Tensor of int, shape (..., n_samples)
        Which row of `whole` stands in each place: every row once, or another one equal to it.
        Leading dimensions are a batch of orders.
    """

    def __init__(self, whole: Reference, rows: Tensor):
        super().__init__(whole.activity[rows], whole.folds, whole.precision)
        self.whole, self.rows = whole, rows

    def once(self, work: Callable[..., Kept], *parameters: Hashable) -> Kept:
        """Return `work(self, *parameters)`, which the order of the rows does not change."""
        return self.whole.once(work, *parameters)

    def per_sample(self, work: Callable[..., Tensor], *parameters: Hashable) -> Tensor:
        """Return `work(self, *parameters)`, of which each row belongs to a sample."""
        return self.whole.per_sample(work, *parameters)[self.rows]

    def per_pair(
        self,
        work: Callable[..., Tensor],
        *parameters: Hashable,
        at: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Return `work(self, *parameters)`, (n_samples, n_samples), or its values `at` pairs."""
        if at is None:
            first, second = self.rows[..., :, None], self.rows[..., None, :]
        else:
            first, second = map(self.places, at)
        return self.whole.per_pair(work, *parameters, at=(first, second))

    def places(self, places: Tensor) -> Tensor:
        """Return which samples, in the order of what `once` returns, stand in some places."""
        return self.rows[..., places]

    @cached_property
    def centred(self) -> Tensor:
        """X minus its neurons' means, in the neurons' own order."""
        return self.whole.centred[self.rows]

    @cached_property
    def x(self) -> Tensor:
        """X centred, and rotated to at most n_samples columns."""
        return self.whole.x[self.rows]

    @cached_property
    def squared_norm(self) -> Tensor:
        """‖X‖²_F."""
        return self.whole.squared_norm

    @cached_property
    def gram(self) -> Tensor:
        """XᵀX, shape (n_x, n_x)."""
        return self.whole.gram

    @cached_property
    def double(self) -> "Reordered":
        """The same in double precision."""
        return Reordered(self.whole.double, self.rows)


class PairOfReferences(Pair):
    """A pair whose Y is a `Reference` too, so that Y's share of the work is done once as well.

    For scores of many X with many Y. They have no gradient.
    """

    def __init__(self, reference: Reference, other: Reference):
        super().__init__(reference, other.activity, other.precision)
        self.other = other
        self._overlaps: dict[float, tuple[Tensor, Tensor]] = {}

    @cached_property
    def centred(self) -> Tensor:
        """Y minus its neurons' means, in the neurons' own order."""
        return self.other.centred

    @cached_property
    def y(self) -> Tensor:
        """Y centred, and rotated to at most n_samples columns."""
        return self.other.x

    @cached_property
    def squared_norm(self) -> Tensor:
        """‖Y‖²_F."""
        return self.other.squared_norm

    @cached_property
    def squared_rows(self) -> Tensor:
        """The squared norm of each sample of Y centred, shape (n_samples,)."""
        return self.other.squared_rows

    @cached_property
    def gram(self) -> Tensor:
        """YᵀY, shape (n_y, n_y)."""
        return self.other.gram

    def subspace(self, share: float = 1.0) -> tuple[Tensor, Tensor]:
        """Return an orthonormal basis of Y's leading PCs that hold `share` of it, and the rank."""
        basis = self.other.subspace(share)
        return basis, torch.tensor(basis.shape[-1], device=basis.device)

    def overlap(self, share: float = 1.0) -> tuple[Tensor, Tensor]:
        """Return the product of the bases of both subspaces, and the rank of Y."""
        if share not in self._overlaps:
            self._overlaps[share] = super().overlap(share)
        return self._overlaps[share]

    @cached_property
    def explained(self) -> Tensor:
        """‖Qᵀxⱼ‖² for each column of X, Q an orthonormal basis of Y; shape (n_x,)."""
        if self.other.factor is None:
            return (self.other.subspace().mT @ self.reference.x).square().sum(-2)
        return explained_by_products(self.cross, self.gram, self.other.factor)

    @cached_property
    def double(self) -> "PairOfReferences":
        """The same in double precision."""
        return PairOfReferences(self.reference.double, self.other.double)


def orders_at_once(x: Tensor, y: Tensor) -> int:
    """Return how many orders of the rows are compared as one batch.

    On a GPU many share each kernel; on a processor one stays in its cache.
    """
    if x.device.type == "cpu":
        return 1
    n, n_x, n_y = len(x), x.shape[-1], y.shape[-1]
    return max(1, NUMBERS_AT_ONCE // (n * (n + n_x) + n_x * n_y))


def in_batches(rows: Iterable[Tensor], size: int) -> Iterator[Tensor]:
    """Yield so many orders as one tensor of shape (size, n_samples); a single one as it is."""
    if size == 1:
        yield from rows
        return
    waiting = iter(rows)
    while batch := list(itertools.islice(waiting, size)):
        yield torch.stack(batch)


def rows_to_pair(y: Tensor, orders: Iterable[Tensor]) -> Iterator[Tensor]:
    """Yield for each order of the rows of `y` the row of X that is paired with each row of y.

    They are found where the orders are, and brought to the device of `y`.

    Parameters
    ----------
    y : Tensor, shape (n_samples, n_y)
    orders : iterable of Tensor of int, shape (n_samples,)
        As for `Measure.reordered`.
    """
    distinct = None
    for rows in orders:
        if len(torch.unique(rows)) == len(rows):
            yield torch.argsort(rows).to(y.device)
            continue
        # Rows of y that equal each other may be named by any of them.
        if distinct is None:
            distinct = torch.unique(y, dim=0, return_inverse=True)[1].to(rows.device)
        partners = torch.empty_like(rows)
        partners[torch.argsort(distinct, stable=True)] = torch.argsort(distinct[rows], stable=True)
        yield partners.to(y.device)
