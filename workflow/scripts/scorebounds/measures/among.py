"""Scores of several measures between all pairs of a list of representations."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from scorebounds.measures.base import Measure, share_products
from scorebounds.measures.inputs import require_matrix, require_other
from scorebounds.measures.pair import Reference
from scorebounds.measures.precision import to_working_precision
from scorebounds.measures.references import PairOfReferences


class Representations(Protocol):
    """A list of matrices, (n_samples, n_neurons) each, or what reads them when they are needed."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> Tensor: ...


def scores_among(
    measures: Sequence[Measure], xs: Representations, blocks: Sequence[range] | None = None
) -> dict[str, Tensor]:
    """Score every x with every x by several measures, as `Measure.between` does by one.

    Measures that prepare data alike share the products of each pair.

    Parameters
    ----------
    measures : sequence of Measure
    xs : sequence of Tensor, shape (n_samples, n_neurons)
        Numbers of neurons may differ.
    blocks : sequence of range, optional
        Places of `xs` whose share of the work is kept at once; the others are read and prepared
        again for each block. By default, everything is kept.

    Returns
    -------
    dict of str to Tensor, shape (len(xs), len(xs))
        By name of the measure.

    Raises
    ------
    ValueError
        As `Measure.score`.
    """
    found: dict[str, Tensor] = {}
    for measure in measures:
        if measure.name not in found:
            alike = [each for each in measures if share_products(measure, each)]
            found |= _sharing_products(alike, xs, blocks or [range(len(xs))])
    return found


def _sharing_products(
    measures: Sequence[Measure], xs: Representations, blocks: Sequence[range]
) -> dict[str, Tensor]:
    scores = {each.name: torch.zeros(len(xs), len(xs), dtype=torch.float64) for each in measures}
    with torch.no_grad():
        for block in blocks:
            _score_block(measures, xs, block, scores)
    for each in measures:
        if each.symmetric:
            scores[each.name] += scores[each.name].triu(1).mT
    return scores


def _score_block(
    measures: Sequence[Measure], xs: Representations, block: range, scores: dict[str, Tensor]
) -> None:
    """Fill in the rows of a block; of symmetric measures, what is not below the diagonal."""
    first = measures[0]
    sides_are_alike = first.is_scaled("x") == first.is_scaled("y")
    lefts = _lefts(first, (xs[row] for row in block))
    for column in range(block.start if all(each.symmetric for each in measures) else 0, len(xs)):
        if column in block and sides_are_alike:
            right = lefts[column - block.start]
        else:
            right = _right(first, xs[column], lefts[0])
        for row, left in zip(block, lefts, strict=True):
            pair = PairOfReferences(left, right)
            for each in measures:
                if column >= row or not each.symmetric:
                    scores[each.name][row, column] = each.compare(pair)


def _lefts(measure: Measure, xs: Iterable[Tensor]) -> list[Reference]:
    """Return each x as the left side of a pair."""
    sides: list[Reference] = []
    for x in xs:
        values = to_working_precision(x)
        require_matrix(values)
        if sides:
            require_other(sides[0].activity, values)
        sides.append(measure.prepared(x, "x", measure.folds(x)))
    return sides


def _right(measure: Measure, y: Tensor, left: Reference) -> Reference:
    """Return `y` as the right side of pairs with `left`."""
    require_other(left.activity, to_working_precision(y))
    return measure.prepared(y, "y", measure.folds(y))
