"""What a measure is: its comparison, and what a reader of its scores has to know."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from scorebounds.measures.folds import (
    Folds,
    Groups,
    contiguous_folds,
    grouped_folds,
    trajectories,
)
from scorebounds.measures.inputs import require_matrix, require_other, require_pair
from scorebounds.measures.pair import Pair, Reference, of_order_one
from scorebounds.measures.precision import source_precision, to_working_precision
from scorebounds.measures.references import (
    PairOfReferences,
    Reordered,
    in_batches,
    orders_at_once,
    rows_to_pair,
)

ORTHOGONAL = "orthogonal"
SCALING = "isotropic_scaling"
TRANSLATION = "translation"
PERMUTATION = "permutation"
INVERTIBLE = "invertible_linear"

CLOOS_2025 = (
    "Cloos et al. 2025, Differentiable Optimization of Similarity Scores Between Models and "
    "Brains, arXiv:2407.07059"
)
KORNBLITH_2019 = (
    "Kornblith et al. 2019, Similarity of Neural Network Representations Revisited, "
    "arXiv:1905.00414"
)


class SaturatedScoreWarning(UserWarning):
    """A score is perfect for any data of this shape, and so says nothing."""


def invariance(transformation: str, *, applies_to: str) -> str:
    """Name an invariance that holds for transformations of one side alone, "x" or "y"."""
    return f"{transformation}_{applies_to}"


def at_most_one(score: Tensor) -> Tensor:
    """Cut off the rounding by which a perfect score can exceed 1, and nothing more."""
    rounding = torch.finfo(score.dtype).eps ** 0.5
    return torch.where((score > 1) & (score < 1 + rounding), score.clamp(max=1), score)


@dataclass(frozen=True, kw_only=True, eq=False)
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
    perfect : float or None
        The score of identical inputs; None where that depends on the input.
    higher_is_closer : bool
        Direction of the score.
    bounds : tuple of float
        Smallest and largest possible score.
    invariances : frozenset of str
        Transformations that leave every score unchanged, of either side unless the name ends in
        `_x` or `_y`: `orthogonal` maps of the neurons, `isotropic_scaling`, `translation`,
        `permutation` of the neurons, `invertible_linear` maps of them.
    symmetric : bool
        Whether score(x, y) equals score(y, x).
    differentiable : bool
        Whether the score has a gradient in y.
    reference : str
        Where it is defined.
    formula : str
        Its definition in a line.
    blind_to : str
        What it cannot see: differences that leave it unchanged or hardly moved.
    cost : str
        Leading cost of a score in n samples, p and q neurons, once X's share is done.
    scale : callable or None
        Takes a `Reference` and returns the score that stands for "all of X" where scores are not
        on a scale from 0 to 1; None where they are.
    attains_perfect : bool
        Whether identical data score `perfect`. A penalty or a limited number of components keeps
        regressions from it.
    angular : bool
        Whether the score is an angle, whose slope is unbounded at a perfect match.
    smooth_at_low_rank : bool
        Whether the score is differentiable where Y has lost rank.
    cross_validated : bool
        Whether samples are held out, so that the score depends on which of them form a fold.
    of_trajectories : bool
        Whether rows are the times of trajectories, which `groups` names, instead of paired samples.
    twice_differentiable : bool
        Whether second derivatives are available; otherwise asking for them raises.
    broadcasts : bool
        Whether `compare` takes a batch of reordered X (`references.Reordered`).
    compare_neurons : callable or None
        Takes X and Y as `Reference` and several choices of X's neurons, and returns the score of
        each choice; for cross-validated measures whose choices share work.
    """

    name: str
    label: str
    compare: Callable[[Pair], Tensor]
    perfect: float | None = 1.0
    higher_is_closer: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)
    invariances: frozenset[str] = frozenset({ORTHOGONAL, SCALING, TRANSLATION, PERMUTATION})
    symmetric: bool = True
    differentiable: bool = True
    reference: str
    formula: str
    blind_to: str
    cost: str
    scale: Callable[[Reference], Tensor] | None = None
    attains_perfect: bool = True
    angular: bool = False
    smooth_at_low_rank: bool = True
    cross_validated: bool = False
    of_trajectories: bool = False
    twice_differentiable: bool = False
    broadcasts: bool = True
    compare_neurons: Callable[[Reference, Reference, Sequence[Tensor]], list[Tensor]] | None = None

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, Measure) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def score(self, x: Tensor, y: Tensor, groups: Groups | None = None) -> Tensor:
        """Score how well `y` matches `x`.

        Parameters
        ----------
        x : Tensor, shape (n_samples, n_x)
            Row i is the response to sample i, in any unit. Integers and booleans are computed in
            double precision, half precision in single precision. Values that were stored in fewer
            digits than they are computed in are recognised, and their rounding is no dimension.
        y : Tensor, shape (..., n_samples, n_y)
            Rows paired with those of `x`; same dtype and device. Leading dimensions are a batch.
        groups : sequence, shape (n_samples,), optional
            The condition, run or subject of each sample. Cross-validated measures hold out whole
            groups (`grouped_folds`), contiguous folds without it; measures of trajectories take
            them as such; other measures ignore it.

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
        return self.against(x, groups)(y)

    def against(self, x: Tensor, groups: Groups | None = None) -> Callable[[Tensor], Tensor]:
        """Do X's share of the work once and return the score as a function of y."""
        x, precision = to_working_precision(x).detach(), source_precision(x)
        require_matrix(x)
        folds = self.folds(x, groups)
        reference = Reference(self._scaled(folds.arrange(x), "x"), folds, precision)

        def score_of(y: Tensor) -> Tensor:
            y, precision = to_working_precision(y), source_precision(y)
            require_other(x, y)
            if not self.differentiable:
                y = y.detach()
            return self.compare(Pair(reference, self._scaled(folds.arrange(y), "y"), precision))

        return score_of

    def between(
        self,
        xs: Sequence[Tensor],
        ys: Sequence[Tensor] | None = None,
        groups: Groups | None = None,
    ) -> Tensor:
        """Score every x with every y; the share of each of them is done once.

        Parameters
        ----------
        xs, ys : sequence of Tensor, shapes (n_samples, n_x) and (n_samples, n_y)
            As for `score`; widths may differ within a sequence. Without `ys` the xs are scored with
            each other.
        groups : sequence, optional
            As for `score`.

        Returns
        -------
        Tensor, shape (len(xs), len(ys))
            Without gradients.

        Raises
        ------
        ValueError
            As `score`.
        """
        others = xs if ys is None else ys
        first, first_other = to_working_precision(xs[0]), to_working_precision(others[0])
        for y in others:
            require_pair(first, to_working_precision(y))
        for x in xs:
            require_pair(to_working_precision(x), first_other)
        mirrored = ys is None and self.symmetric
        scores = torch.empty(len(xs), len(others), dtype=first.dtype, device=first.device)
        with torch.no_grad():
            folds = self.folds(xs[0], groups)
            left = [self.prepared(x, "x", folds) for x in xs]
            right = left if mirrored else [self.prepared(y, "y", folds) for y in others]
            for row, reference in enumerate(left):
                for column in range(row if mirrored else 0, len(right)):
                    pair = PairOfReferences(reference, right[column])
                    scores[row, column] = self.compare(pair)
        return scores.triu() + scores.triu(1).mT if mirrored else scores

    def of_neurons(
        self, x: Tensor, y: Tensor, neurons: Sequence[Tensor], groups: Groups | None = None
    ) -> list[float]:
        """Score several choices of the neurons of x with y.

        Parameters
        ----------
        x, y : Tensor, shapes (n_samples, n_x) and (n_samples, n_y)
            As for `score`.
        neurons : sequence of Tensor of int
            Columns of `x`.
        groups : sequence, optional
            As for `score`.

        Returns
        -------
        list of float

        Raises
        ------
        ValueError
            As `score`, if it does so for any of the choices.
        """
        for chosen in neurons:
            require_pair(to_working_precision(x[:, chosen]), to_working_precision(y))
        with torch.no_grad():
            folds = self.folds(x, groups)
            other = self.prepared(y, "y", folds)
            if self.compare_neurons is not None and x.shape[1] <= x.shape[0]:
                scores = self.compare_neurons(self.prepared(x, "x", folds), other, neurons)
                return [score.item() for score in scores]
            # One after the other: a recording of many neurons is large.
            parts = (self.prepared(x[:, chosen], "x", folds) for chosen in neurons)
            return [self.compare(PairOfReferences(part, other)).item() for part in parts]

    def reordered(
        self, x: Tensor, y: Tensor, orders: Iterable[Tensor], groups: Groups | None = None
    ) -> Tensor:
        """Score x with the rows of y in other orders; the share of either side is done once.

        The folds of cross-validation stay with the rows of y, so that their factorisations serve
        all orders: what is scored is y with the rows of x in the inverse order.

        Parameters
        ----------
        x, y : Tensor, shapes (n_samples, n_x) and (n_samples, n_y)
            As for `score`.
        orders : iterable of Tensor of int, shape (n_samples,)
            Which row of y stands in each place: every row once, or another one equal to it.
        groups : sequence, optional
            As for `score`, of the rows of y.

        Returns
        -------
        Tensor, shape (number of orders,)
            Without gradients.

        Raises
        ------
        ValueError
            As `score`.
        """
        return self.reordered_with([], x, y, orders, groups)[self.name]

    def reordered_with(
        self,
        others: Sequence["Measure"],
        x: Tensor,
        y: Tensor,
        orders: Iterable[Tensor],
        groups: Groups | None = None,
    ) -> dict[str, Tensor]:
        """Return `reordered` of this measure and of others that `share_products`, by name.

        XᵀY and the like are computed once per order for all of them.
        """
        require_pair(to_working_precision(x), to_working_precision(y))
        scores: dict[str, list[Tensor]] = {each.name: [] for each in (self, *others)}
        with torch.no_grad():
            folds = self.folds(x, groups)
            reference, other = self.prepared(x, "x", folds), self.prepared(y, "y", folds)
            arranged = (folds.arrange_order(partners) for partners in rows_to_pair(y, orders))
            together = all(each.broadcasts for each in (self, *others))
            for rows in in_batches(arranged, orders_at_once(x, y) if together else 1):
                pair = PairOfReferences(Reordered(reference, rows), other)
                for each in (self, *others):
                    scores[each.name].append(each.compare(pair).reshape(-1))
            return {name: torch.cat(values) for name, values in scores.items()}

    def folds(self, x: Tensor, groups: Groups | None = None) -> Folds:
        """Return how the rows of `x` are arranged and held out for this measure."""
        if groups is not None and len(groups) != len(x):
            raise ValueError(
                f"expected a group for each of {len(x)} samples, got {len(groups)} groups"
            )
        if self.of_trajectories:
            return Folds([]) if groups is None else trajectories(groups)
        if not self.cross_validated:
            return Folds([])
        return contiguous_folds(len(x)) if groups is None else grouped_folds(groups)

    def prepared(self, values: Tensor, side: str, folds: Folds) -> Reference:
        """Return one side, "x" or "y", in the form and on the scale in which it is compared."""
        working = folds.arrange(to_working_precision(values))
        return Reference(self._scaled(working, side), folds, source_precision(values))

    def _scaled(self, values: Tensor, side: str) -> Tensor:
        """Scale one side to order one where the score does not depend on its scale."""
        return of_order_one(values) if self.is_scaled(side) else values

    def is_scaled(self, side: str) -> bool:
        """Return whether one side, "x" or "y", is scaled before it is compared."""
        return bool({SCALING, invariance(SCALING, applies_to=side)} & self.invariances)

    def target_score(self, fraction: float, reference: Reference) -> float:
        """Return the score at which `fraction` of the way to a match is reached.

        On the scale from 0 to 1 it is `fraction` itself. A distance reaches it when only
        1 − `fraction` of the distance from X to constant data is left; HSIC, which has no perfect
        score, at that fraction of the score of X with itself.
        """
        if self.scale is None:
            return fraction
        whole = self.scale(reference).item()
        return fraction * whole if self.higher_is_closer else (1 - fraction) * whole


def share_products(first: Measure, second: Measure) -> bool:
    """Return whether two measures prepare x and y alike, and so can share what they compute."""
    return first.name == second.name or (
        not first.of_trajectories
        and not second.of_trajectories
        and not first.cross_validated
        and not second.cross_validated
        and all(first.is_scaled(side) == second.is_scaled(side) for side in ("x", "y"))
    )
