"""What a measure is, and the products of X and Y that measures share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from scorebounds.measures.closed_form import explained_energy, fold_products, gram
from scorebounds.measures.inputs import require_matrix, require_pair

ORTHOGONAL = "orthogonal"
SCALING = "isotropic_scaling"
TRANSLATION = "translation"
PERMUTATION = "permutation"
INVERTIBLE_OF_Y = "invertible_linear_y"
SCALING_OF_X = "isotropic_scaling_x"


def centre(y: Tensor) -> Tensor:
    """Subtract each neuron's mean over samples; shape (..., n_samples, n_neurons) is kept."""
    return y - y.mean(-2, keepdim=True)


def at_most_one(score: Tensor) -> Tensor:
    """Cut off the rounding by which a perfect score can exceed 1, and nothing more."""
    rounding = torch.finfo(score.dtype).eps ** 0.5
    return torch.where((score > 1) & (score < 1 + rounding), score.clamp(max=1), score)


def of_order_one(y: Tensor) -> Tensor:
    """Scale each matrix of a batch by a power of two so that its largest value is near 1.

    For a function that is invariant to scaling, the factor may be held constant: first
    derivatives stay exact, and squares neither overflow nor vanish.
    """
    largest = y.detach().abs().amax((-2, -1), keepdim=True)
    return y * torch.ldexp(torch.ones_like(largest), -torch.frexp(largest).exponent)


def narrow(y: Tensor) -> Tensor:
    """Rotate `y` (..., n, q) with q > n into the n dimensions that it spans.

    A function that is invariant to rotations of Y has all its gradient in Y's row space, so the
    rotation may be held constant and first derivatives stay exact.
    """
    if y.shape[-1] <= y.shape[-2]:
        return y
    basis = torch.linalg.qr(y.detach().mT).Q
    return y @ basis


class Reference:
    """X's share of a comparison, worked out once for any number of Y.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
        Activity in any unit.

    Attributes
    ----------
    x : Tensor, shape (n_samples, min(n_x, n_samples))
        Centred, and rotated to at most n_samples columns.
    """

    def __init__(self, x: Tensor):
        self.x = narrow(centre(x))
        self._folds: dict[tuple, tuple[Tensor, Tensor]] = {}

    def folds(self, bounds: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """Return the row sums, (n_folds, n_x), and the energy ‖X_f‖²_F, (n_folds,), of folds."""
        key = tuple(bounds)
        if key not in self._folds:
            rows = [self.x[start:stop] for start, stop in bounds]
            sums = torch.stack([fold.sum(0) for fold in rows])
            self._folds[key] = sums, torch.stack([fold.square().sum() for fold in rows])
        return self._folds[key]

    @cached_property
    def energy(self) -> Tensor:
        """‖X‖²_F."""
        return self.x.square().sum()

    @cached_property
    def gram_norm(self) -> Tensor:
        """‖XᵀX‖_F."""
        return torch.linalg.matrix_norm(self.x.mT @ self.x)


class Pair:
    """The products of a reference with a batch of Y, each computed when first asked for.

    Everything that looks at the same Y (the score, its gradient, the capture of components)
    takes them from one Pair, so that no product is computed twice.

    Parameters
    ----------
    reference : Reference
    y : Tensor, shape (..., n_samples, n_y)
    """

    def __init__(self, reference: Reference, y: Tensor):
        self.reference = reference
        self.y = narrow(centre(y))

    @cached_property
    def cross(self) -> Tensor:
        """XᵀY, shape (..., n_x, n_y)."""
        return self.reference.x.mT @ self.y

    @cached_property
    def gram(self) -> Tensor:
        """YᵀY, shape (..., n_y, n_y)."""
        return gram(self.y)

    def folds(self, bounds: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the fold-wise XᵀY, YᵀY and row sums of Y, and take the totals from them."""
        cross, gram_y, sums = fold_products(self.reference.x, self.y, bounds)
        self.cross, self.gram = cross.sum(0), gram_y.sum(0)
        return cross, gram_y, sums

    @cached_property
    def energy(self) -> Tensor:
        """‖Y‖²_F, shape (...)."""
        return self.y.square().sum((-2, -1))

    @cached_property
    def explained(self) -> Tensor:
        """‖Qᵀxⱼ‖² for each column of X, Q an orthonormal basis of Y; shape (..., n_x)."""
        return explained_energy(self.reference.x, self.y, self.cross, self.gram)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A similarity measure, with what a reader of its scores has to know.

    Attributes
    ----------
    name : str
        Its id in configuration, tables and file names.
    label : str
        Its name in figures.
    compare : callable
        Takes a `Pair` and returns the scores, shape (...).
    perfect : float
        The score of identical inputs.
    higher_is_closer : bool
        Direction of the score.
    bounds : tuple of float
        Smallest and largest possible score.
    invariances : frozenset of str
        Transformations that leave every score unchanged, of either side unless the name ends in
        `_x` or `_y`.
    symmetric : bool
        Whether score(x, y) equals score(y, x).
    differentiable : bool
        Whether the score has a gradient in y.
    reference : str
        Where it is defined.
    """

    name: str
    label: str
    compare: Callable[[Pair], Tensor]
    perfect: float
    higher_is_closer: bool
    bounds: tuple[float, float]
    invariances: frozenset[str]
    symmetric: bool
    differentiable: bool
    reference: str

    def score(self, x: Tensor, y: Tensor) -> Tensor:
        """Score how well `y` matches `x`.

        Parameters
        ----------
        x : Tensor, shape (n_samples, n_x)
            Floating point; row i is the response to sample i, in any unit.
        y : Tensor, shape (..., n_samples, n_y)
            Rows paired with those of `x`; same dtype and device. Leading dimensions are a batch.

        Returns
        -------
        Tensor, shape (...)
            Within `bounds`; where `differentiable` says so it has first derivatives in `y` (not
            in `x`, and no second ones).

        Raises
        ------
        ValueError
            If the shapes do not pair, a value is not finite, a matrix is constant over samples,
            or there are too few samples for the measure.
        """
        return self.against(x)(y)

    def against(self, x: Tensor) -> Callable[[Tensor], Tensor]:
        """Do X's share of the work once and return the score as a function of y."""
        require_matrix(x)
        x = x.detach()
        either_side = SCALING in self.invariances
        scale_x = either_side or SCALING_OF_X in self.invariances
        reference = Reference(of_order_one(x) if scale_x else x)

        def score_of(y: Tensor) -> Tensor:
            require_pair(x, y)
            return self.compare(Pair(reference, of_order_one(y) if either_side else y))

        return score_of


def similarity(name: str, label: str, compare: Callable[[Pair], Tensor], reference: str) -> Measure:
    """Declare a symmetric score in [0, 1] that no rotation, scaling or offset changes."""
    return Measure(
        name=name,
        label=label,
        compare=compare,
        perfect=1.0,
        higher_is_closer=True,
        bounds=(0.0, 1.0),
        invariances=frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION}),
        symmetric=True,
        differentiable=True,
        reference=reference,
    )
