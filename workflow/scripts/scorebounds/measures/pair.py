"""X, Y, and the products of them that measures share, each computed when first needed."""

from collections.abc import Callable, Hashable
from functools import cached_property, wraps
from typing import Any, TypeVar

import torch
from torch import Tensor

from scorebounds.measures.closed_form import (
    apply,
    centre,
    first_derivative_only,
    narrow,
    squared_rows,
)
from scorebounds.measures.folds import Folds, contiguous_folds, fold_products
from scorebounds.measures.precision import rank_cutoff
from scorebounds.measures.products import cross_product, gram, symmetric_product
from scorebounds.measures.projections import explained_squared_norm, sound_factor
from scorebounds.measures.subspaces import principal_subspace

Kept = TypeVar("Kept")


def of_order_one(y: Tensor) -> Tensor:
    """Scale each matrix of a batch by a power of two so that its largest value is near 1.

    For a function that is invariant to scaling, the factor may be held constant: first
    derivatives stay exact, and squares neither overflow nor vanish.
    """
    largest = y.detach().abs().amax((-2, -1), keepdim=True)
    return y * torch.ldexp(torch.ones_like(largest), -torch.frexp(largest).exponent)


class Reference:
    """X's share of a comparison, computed once for any number of Y.

    Parameters
    ----------
    activity : Tensor, shape (n_samples, n_x)
        In any unit.
    folds : Folds, optional
        For cross-validation; the rows of `activity` are arranged by it. Contiguous by default.
    precision : float
        Relative rounding of the values where their source has fewer digits than `activity`.
    """

    def __init__(self, activity: Tensor, folds: Folds | None = None, precision: float = 0.0):
        self.activity = activity
        self.precision = precision
        self._own_folds = folds
        self._kept: dict[Hashable, Any] = {}

    def once(self, work: Callable[..., Kept], *parameters: Hashable) -> Kept:
        """Return `work(self, *parameters)`, computed once per name of the function and parameters.

        `work` is a function of a module, not a lambda or a closure, so that its name identifies it,
        and the order of the rows does not change what it returns (else `per_sample`, `per_pair`).
        """
        key = (work.__module__, work.__qualname__, *parameters)
        if key not in self._kept:
            self._kept[key] = work(self, *parameters)
        kept: Kept = self._kept[key]
        return kept

    def per_sample(self, work: Callable[..., Tensor], *parameters: Hashable) -> Tensor:
        """Return `work(self, *parameters)`, of which each row belongs to a sample, as `once`."""
        return Reference.once(self, work, *parameters)

    def per_pair(
        self,
        work: Callable[..., Tensor],
        *parameters: Hashable,
        at: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Return `work(self, *parameters)`, (n_samples, n_samples), or its values `at` pairs."""
        values = Reference.once(self, work, *parameters)
        return values if at is None else values[at]

    @property
    def origin(self) -> "tuple[Reference, Tensor | None]":
        """What X is a selection of samples of, and which; itself and None where it is not."""
        return self, None

    def places(self, places: Tensor) -> Tensor:
        """Return which samples, in the order of what `once` returns, stand in some places."""
        return places

    @cached_property
    def centred(self) -> Tensor:
        """X minus its neurons' means, in the neurons' own order."""
        return centre(self.activity)

    @cached_property
    def x(self) -> Tensor:
        """X centred, and rotated to at most n_samples columns."""
        return narrow(self.centred)

    @cached_property
    def squared_norm(self) -> Tensor:
        """‖X‖²_F."""
        return self.x.square().sum()

    @cached_property
    def squared_rows(self) -> Tensor:
        """The squared norm of each sample of X centred, shape (n_samples,)."""
        return squared_rows(self.x)

    @property
    def cutoff(self) -> Tensor:
        """The largest singular value of X that is rounding of its source."""
        return rank_cutoff(self.activity, self.precision)

    @cached_property
    def gram(self) -> Tensor:
        """XᵀX, shape (n_x, n_x)."""
        return symmetric_product(self.x)

    @cached_property
    def gram_norm(self) -> Tensor:
        """‖XᵀX‖_F."""
        result: Tensor = torch.linalg.matrix_norm(self.gram)
        return result

    @cached_property
    def factor(self) -> Tensor | None:
        """The Cholesky factor of XᵀX, or None where X is too ill-conditioned for it."""
        return sound_factor(self.gram, self.cutoff)

    @cached_property
    def double(self) -> "Reference":
        """The same in double precision."""
        return Reference(self.activity.double(), self._own_folds, self.precision)

    @cached_property
    def folds(self) -> Folds:
        """The folds for cross-validation."""
        return self._own_folds or contiguous_folds(len(self.activity))

    @cached_property
    def fold_sums(self) -> tuple[Tensor, Tensor]:
        """The row sums, (n_folds, ..., n_x), and ‖X_f‖²_F, (n_folds, ...), of the folds."""
        rows = [self.x[..., start:stop, :] for start, stop in self.folds.bounds]
        sums = torch.stack([fold.sum(-2) for fold in rows])
        return sums, torch.stack([fold.square().sum((-2, -1)) for fold in rows])

    def subspace(self, share: float = 1.0) -> Tensor:
        """Return an orthonormal basis of X's leading PCs that hold `share` of its variance."""
        return self.per_sample(_subspace, share)


def _subspace(reference: Reference, share: float) -> Tensor:
    basis, rank = principal_subspace(reference.x, share, reference.cutoff)
    return basis[:, : int(rank)]


class Pair:
    """The products of a reference with a batch of Y.

    Everything that looks at the same Y (the score, its gradient, the capture of components)
    takes them from one Pair, so that no product is computed twice.

    Parameters
    ----------
    reference : Reference
    activity : Tensor, shape (..., n_samples, n_y)
    precision : float
        Relative rounding of the values where their source has fewer digits than `activity`.
    """

    def __init__(self, reference: Reference, activity: Tensor, precision: float = 0.0):
        self.reference = reference
        self.activity = activity
        self.precision = precision

    @property
    def n_samples(self) -> int:
        """Number of rows that X and Y have in common."""
        return self.activity.shape[-2]

    @cached_property
    def centred(self) -> Tensor:
        """Y minus its neurons' means, in the neurons' own order."""
        return centre(self.activity)

    @cached_property
    def y(self) -> Tensor:
        """Y centred, and rotated to at most n_samples columns."""
        return narrow(self.centred)

    @cached_property
    def cross(self) -> Tensor:
        """XᵀY, shape (..., n_x, n_y)."""
        return cross_product(self.reference.x, self.y)

    @cached_property
    def gram(self) -> Tensor:
        """YᵀY, shape (..., n_y, n_y)."""
        return gram(self.y)

    @cached_property
    def fold_products(self) -> tuple[Tensor, Tensor, Tensor]:
        """The fold-wise XᵀY, YᵀY and row sums of Y; the totals are taken from them."""
        cross, gram_y, sums = fold_products(self.reference.x, self.y, self.reference.folds.bounds)
        self.cross, self.gram = cross.sum(0), gram_y.sum(0)
        return cross, gram_y, sums

    @cached_property
    def squared_norm(self) -> Tensor:
        """‖Y‖²_F, shape (...)."""
        return self.y.square().sum((-2, -1))

    @cached_property
    def squared_rows(self) -> Tensor:
        """The squared norm of each sample of Y centred, shape (..., n_samples)."""
        return squared_rows(self.y)

    @cached_property
    def explained(self) -> Tensor:
        """‖Qᵀxⱼ‖² for each column of X, Q an orthonormal basis of Y; shape (..., n_x)."""
        return explained_squared_norm(self.reference.x, self.y, self.cross, self.gram, self.cutoff)

    @property
    def cutoff(self) -> Tensor:
        """The largest singular value of Y that is rounding of its source, shape (...)."""
        return rank_cutoff(self.activity, self.precision)

    def subspace(self, share: float = 1.0) -> tuple[Tensor, Tensor]:
        """Return an orthonormal basis of Y's leading PCs that hold `share` of it, and the rank."""
        return principal_subspace(self.y, share, self.cutoff)

    def overlap(self, share: float = 1.0) -> tuple[Tensor, Tensor]:
        """Return the product of the bases of both subspaces, and the rank of Y.

        Its singular values are the canonical correlations.
        """
        basis_y, rank_y = self.subspace(share)
        return self.reference.subspace(share).mT @ basis_y, rank_y

    @cached_property
    def double(self) -> "Pair":
        """The same in double precision."""
        return Pair(self.reference.double, self.activity.double(), self.precision)


def in_double(compare: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compute a comparison of differences of large numbers in double precision throughout."""

    @wraps(compare)
    def in_double_precision(pair: Pair, *args: Any) -> Tensor:
        if pair.activity.dtype == torch.float64:
            return compare(pair, *args)
        return compare(pair.double, *args).to(pair.activity.dtype)

    return in_double_precision


def map_batch(score: Callable[[Tensor], Tensor], y: Tensor) -> Tensor:
    """Apply `score` to each matrix of a batch (..., n, q) and keep only scores and gradients.

    For scores of n × n matrices, of which a batch would not fit into memory. With gradients, each
    is computed together with its score.
    """
    return apply(_MapBatch, y, score)


class _MapBatch(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, score: Callable[[Tensor], Tensor]) -> Tensor:
        matrices = y.detach().reshape(-1, *y.shape[-2:])
        needs_gradient = ctx.needs_input_grad[0]
        scores, gradients = [], []
        for matrix in matrices:
            with torch.set_grad_enabled(needs_gradient):
                single = matrix.detach().requires_grad_(needs_gradient)
                value = score(single)
            if needs_gradient:
                gradients.append(torch.autograd.grad(value, single)[0])
            scores.append(value.detach())
        if needs_gradient:
            ctx.save_for_backward(torch.stack(gradients).reshape(y.shape))
        return torch.stack(scores).reshape(y.shape[:-2])

    @staticmethod
    @first_derivative_only
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (gradients,) = ctx.saved_tensors
        return grad[..., None, None] * gradients, None
