"""Scores without groups of samples and neurons, from products that all selections share.

XᵀY, XᵀX and YᵀY are computed once for each group of samples. Those of a selection of groups are
sums of them, with the means of the selection subtracted; without some neurons of X they are rows
and columns of these sums.
"""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from scorebounds.core.checks import MIN_SAMPLES
from scorebounds.measures.base import Measure
from scorebounds.measures.folds import Folds
from scorebounds.measures.pair import Reference
from scorebounds.measures.products import symmetric_product
from scorebounds.measures.references import PairOfReferences

# Products of more bytes than this are not kept by group, but computed from the samples.
MOST_KEPT = 2**29
# Sums of squares about the mean of all samples may exceed those about the mean of the selection by
# this factor; beyond it, subtracting the means would lose digits.
LARGEST_SHIFT = 100
# Below this share of the sum of squares of all samples, those of a selection could vanish.
SMALLEST_SHARE = 1e-30
# A standard deviation of this share of the largest value is not rounding of a constant.
SURELY_VARIES = 1e-9


class _Side:
    """X or Y, by groups of samples."""

    def __init__(self, whole: Reference, values: Tensor, groups: Sequence[Tensor]):
        self.whole, self.values, self.groups = whole, values, groups
        rows = [values[group] for group in groups]
        self.sums = torch.stack([each.sum(0) for each in rows])
        self.squares = torch.stack([each.square().sum(0) for each in rows])
        self.largest = whole.activity.abs().amax()
        self._of_neurons: dict[tuple[int, ...], Reference] = {}

    @cached_property
    def grams(self) -> list[Tensor] | None:
        return _products(self, self)

    def of_neurons(self, neurons: Tensor) -> Reference:
        """Return all samples of some neurons; what is computed of them serves all groups."""
        key = tuple(neurons.tolist())
        if key not in self._of_neurons:
            self._of_neurons[key] = Reference(
                self.whole.activity[:, neurons], Folds([]), self.whole.precision
            )
        return self._of_neurons[key]


def _products(first: _Side, second: _Side) -> list[Tensor] | None:
    """Return the products of both sides for each group, or None where they are too large."""
    size = first.values.shape[-1] * second.values.shape[-1] * first.values.element_size()
    if size * len(first.groups) > MOST_KEPT:
        return None
    if first is second:
        return [symmetric_product(first.values[group]) for group in first.groups]
    return [first.values[group].mT @ second.values[group] for group in first.groups]


class _Samples:
    """The samples of some groups."""

    def __init__(self, kept: Sequence[int], groups: Sequence[Tensor]):
        self.kept = list(kept)
        self.rows = torch.cat([groups[each] for each in kept]).sort().values

    def sum(self, values: Sequence[Tensor] | Tensor) -> Tensor:
        """Return the sum over the groups that are kept."""
        total = values[self.kept[0]].clone()
        for each in self.kept[1:]:
            total += values[each]
        return total

    def centred_sum(self, products: Sequence[Tensor], first: Tensor, second: Tensor) -> Tensor:
        """Return the products about the means, given the column sums of both factors."""
        return self.sum(products).addr_(first, second, alpha=-1 / len(self.rows))


class _Part(Reference):
    """The samples of some groups, and all neurons."""

    def __init__(self, side: _Side, samples: _Samples):
        super().__init__(side.whole.activity[samples.rows], Folds([]), side.whole.precision)
        self.side, self.samples = side, samples
        self.sums = samples.sum(side.sums)
        # Of each neuron, about the mean of all samples and about that of these.
        self.shifted_squares = samples.sum(side.squares)
        self.squares = self.shifted_squares - self.sums.square() / len(samples.rows)

    @property
    def origin(self) -> tuple[Reference, Tensor | None]:
        """All samples, and which of them."""
        return self.side.whole, self.samples.rows

    @cached_property
    def x(self) -> Tensor:
        """Centred, with as many columns as all samples need."""
        return self.side.values[self.samples.rows] - self.sums / len(self.samples.rows)

    @cached_property
    def squared_norm(self) -> Tensor:
        """‖X‖²_F."""
        return self.squares.sum()

    @cached_property
    def gram(self) -> Tensor:
        """XᵀX, shape (n_x, n_x)."""
        grams = self.side.grams
        if grams is None:
            return symmetric_product(self.x)
        return self.samples.centred_sum(grams, self.sums, self.sums)

    def is_exact(self, neurons: Tensor | None = None) -> bool:
        """Return whether sums over groups lose no digits, and the values surely vary."""
        chosen = slice(None) if neurons is None else neurons
        norm, shifted = self.squares[chosen].sum(), self.shifted_squares[chosen].sum()
        n_values = len(self.samples.rows) * len(self.squares[chosen])
        deviation = (norm.clamp_min(0) / n_values).sqrt()
        return bool(
            (shifted <= LARGEST_SHIFT * norm)
            & (shifted >= SMALLEST_SHARE * self.side.squares.sum())
            & (deviation > SURELY_VARIES * self.side.largest)
        )


class _SomeNeurons(Reference):
    """Some neurons of a part."""

    def __init__(self, part: _Part, neurons: Tensor):
        super().__init__(part.activity[:, neurons], Folds([]), part.precision)
        self.part, self.neurons = part, neurons

    @property
    def origin(self) -> tuple[Reference, Tensor | None]:
        """All samples of these neurons, and which of them."""
        return self.part.side.of_neurons(self.neurons), self.part.samples.rows

    @cached_property
    def x(self) -> Tensor:
        """X centred."""
        return self.part.x[:, self.neurons]

    @cached_property
    def squared_norm(self) -> Tensor:
        """‖X‖²_F."""
        return self.part.squares[self.neurons].sum()

    @cached_property
    def gram(self) -> Tensor:
        """XᵀX, shape (n_x, n_x)."""
        return self.part.gram[self.neurons][:, self.neurons]


class _PairOfParts(PairOfReferences):
    """Some neurons of X and all of Y, on the same samples."""

    def __init__(self, reference: _SomeNeurons, other: _Part, cross: Tensor | None):
        super().__init__(reference, other)
        self.of_all, self.neurons = cross, reference.neurons

    @cached_property
    def cross(self) -> Tensor:
        """XᵀY, shape (n_x, n_y)."""
        if self.of_all is None:
            return self.reference.x.mT @ self.y
        return self.of_all[self.neurons]


class Parts:
    """Scores a pair without groups of samples and of X's neurons, for measures without folds.

    Parameters
    ----------
    measure : Measure
        Not cross-validated.
    x, y : Tensor, shapes (n_samples, n_x) and (n_samples, n_y)
        In double precision, with n_x ≤ n_samples.
    of_sample, of_neuron : Tensor of int, shapes (n_samples,) and (n_x,)
        The group of each sample, and of each neuron of X.
    """

    def __init__(
        self, measure: Measure, x: Tensor, y: Tensor, of_sample: Tensor, of_neuron: Tensor
    ):
        self.measure, self.x, self.y, self.of_neuron = measure, x, y, of_neuron
        labels = of_sample.unique().tolist()
        self.groups = {label: (of_sample == label).nonzero()[:, 0] for label in labels}
        rows = list(self.groups.values())
        reference, other = measure.prepared(x, "x", Folds([])), measure.prepared(y, "y", Folds([]))
        self.side_x = _Side(reference, reference.centred, rows)
        self.side_y = _Side(other, other.x, rows)

    @cached_property
    def crosses(self) -> list[Tensor] | None:
        return _products(self.side_x, self.side_y)

    @torch.no_grad()
    def without(
        self, groups: Sequence[int], of_neurons: Sequence[Sequence[int]]
    ) -> list[float | ValueError]:
        """Score without groups of samples and, in turn, without several choices of neurons.

        Parameters
        ----------
        groups : sequence of int
            Of the samples.
        of_neurons : sequence of sequences of int
            Groups of neurons that are left out together.

        Returns
        -------
        list of float or ValueError
            The error says why a measure is not defined for what is left.
        """
        kept = [place for place, label in enumerate(self.groups) if label not in groups]
        samples = _Samples(kept, list(self.groups.values()))
        part, other = _Part(self.side_x, samples), _Part(self.side_y, samples)
        exact = len(samples.rows) >= MIN_SAMPLES and other.is_exact()
        cross = None
        if self.crosses is not None:
            cross = samples.centred_sum(self.crosses, part.sums, other.sums)
        scores: list[float | ValueError] = []
        for each in of_neurons:
            neurons = (~torch.isin(self.of_neuron, self.of_neuron.new_tensor(list(each)))).nonzero()
            neurons = neurons[:, 0]
            try:
                if exact and part.is_exact(neurons):
                    pair = _PairOfParts(_SomeNeurons(part, neurons), other, cross)
                    score = self.measure.compare(pair)
                else:
                    x, y = self.x[samples.rows], self.y[samples.rows]
                    score = self.measure.score(x[:, neurons], y)
                scores.append(float(score.item()))
            except ValueError as error:
                scores.append(error)
        return scores
