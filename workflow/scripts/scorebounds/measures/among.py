"""Scores of several measures between all pairs of a list of representations."""

from collections.abc import Sequence

import torch
from torch import Tensor

from scorebounds.measures.base import Measure, share_products
from scorebounds.measures.folds import Folds
from scorebounds.measures.inputs import require_pair
from scorebounds.measures.precision import to_working_precision
from scorebounds.measures.references import PairOfReferences


def scores_among(measures: Sequence[Measure], xs: Sequence[Tensor]) -> dict[str, Tensor]:
    """Score every x with every x by several measures, as `Measure.between` does by one.

    Measures that prepare data alike share the products of each pair.

    Parameters
    ----------
    measures : sequence of Measure
    xs : sequence of Tensor, shape (n_samples, n_neurons)
        Numbers of neurons may differ.

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
        if measure.name in found:
            continue
        alike = [each for each in measures if share_products(measure, each)]
        if len(alike) > 1 and measure.is_scaled("x") == measure.is_scaled("y"):
            found |= _sharing_products(alike, xs)
        else:
            found[measure.name] = measure.between(xs)
    return found


def _sharing_products(measures: Sequence[Measure], xs: Sequence[Tensor]) -> dict[str, Tensor]:
    first = to_working_precision(xs[0])
    for x in xs:
        require_pair(first, to_working_precision(x))
    scores = {each.name: first.new_empty(len(xs), len(xs)) for each in measures}
    with torch.no_grad():
        sides = [measures[0].prepared(x, "x", Folds([])) for x in xs]
        for row, left in enumerate(sides):
            for column, right in enumerate(sides):
                pair = PairOfReferences(left, right)
                for each in measures:
                    known = each.symmetric and column < row
                    table = scores[each.name]
                    table[row, column] = table[column, row] if known else each.compare(pair)
    return scores
