"""Few samples with the products of many, for measures that see samples only through products.

Let E, n × m with orthonormal columns, span the constant, X and other directions of one fold, with
E 1 = √(n/m) 1, and let X = E X′ and Y = E Y′. Then X′ and Y′ have the products of X and Y, and
their sums divided by √(n/m). If n/m is the same for all folds, subtracting the mean of any of them
is the same operation on both, so that X′ and Y′ have the scores of X and Y. With as many other
directions as Y has columns, every Y has the products of some Y′.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from scorebounds.core.measure_table import entry_of
from scorebounds.measures.folds import fold_bounds

# Share of the samples that the fewer ones may be.
LARGEST_SHARE = 0.5
# Samples of each fold from which on it hardly matters that another has one more.
LEAST_IN_UNEQUAL_FOLDS = 400


def number_of_fewer(n_samples: int, n_neurons: int, n_folds: int) -> int:
    """Return how many samples stand for those of X, or all where fewer would not do or not help."""
    fewer, (in_fold, rest) = n_folds * (2 * n_neurons + 1), divmod(n_samples, n_folds)
    is_near = rest == 0 or in_fold >= LEAST_IN_UNEQUAL_FOLDS
    return fewer if is_near and fewer <= LARGEST_SHARE * n_samples else n_samples


class FewerSamples:
    """X in the fewest samples that can have the products of X with every Y of its width.

    Parameters
    ----------
    x : Tensor, shape (n_samples, q)
    bounds : sequence of (start, stop)
        The folds, each of more than 2 q samples, and equally large or nearly so.
    seed : int
        Of the directions outside X and of the coordinates in each fold: scores do not depend on
        them.

    Attributes
    ----------
    x : Tensor, shape (n_folds * (2 q + 1), q)
    is_exact : bool
        Whether all folds have as many samples, so that scores are the same up to rounding.
    """

    def __init__(self, x: Tensor, bounds: Sequence[tuple[int, int]], seed: int):
        width = x.shape[1]
        self._n_inside, self._n_kept = width + 1, 2 * width + 1
        self._bounds = bounds
        self.is_exact = len({stop - start for start, stop in bounds}) == 1
        generator = torch.Generator().manual_seed(seed)

        def basis(given: Tensor) -> Tensor:
            """Complete the constant and given columns by random ones to an orthonormal basis."""
            n_rows, n_drawn = len(given), self._n_kept - 1 - given.shape[1]
            ones = given.new_ones(n_rows, 1)
            drawn = torch.randn(n_rows, n_drawn, generator=generator, dtype=x.dtype).to(x)
            found: Tensor = torch.linalg.qr(torch.cat([ones, given, drawn], 1)).Q
            found[:, :1] = ones / n_rows**0.5
            return found

        self._bases = [basis(x[start:stop]) for start, stop in bounds]
        # Coordinates that mix all directions but the constant, so that no sample is special.
        self._mixed = basis(x.new_empty(self._n_kept, 0))
        self.x = self.reduce(x)

    def reduce(self, y: Tensor) -> Tensor:
        """Return fewer samples with the products of Y and X, shape (n_fewer, q)."""
        parts = []
        for (start, stop), basis in zip(self._bounds, self._bases, strict=True):
            inside = basis[:, : self._n_inside]
            coordinates = inside.mT @ y[start:stop]
            # What is outside X matters by its products alone.
            outside = torch.linalg.qr(y[start:stop] - inside @ coordinates, mode="r").R
            parts.append(self._mixed @ torch.cat([coordinates, outside]))
        return torch.cat(parts)

    def expand(self, fewer: Tensor) -> Tensor:
        """Return all samples, with the products of fewer ones, shape (n_samples, n_columns)."""
        folds = zip(self._bases, fewer.split(self._n_kept), strict=True)
        return torch.cat([basis @ (self._mixed.mT @ fold) for basis, fold in folds])


def in_fewer_samples(x: Tensor, names: Sequence[str], seed: int) -> FewerSamples | None:
    """Return X in fewer samples, or None where a measure needs all of them or few are spared.

    Parameters
    ----------
    x : Tensor, shape (n_samples, q)
    names : sequence of str
        Ids of the measures.
    seed : int
        As for `FewerSamples`.
    """
    entries, (n_samples, width) = [entry_of(name) for name in names], x.shape
    held_out = any(entry.cross_validated for entry in entries)
    bounds = fold_bounds(n_samples) if held_out else [(0, n_samples)]
    is_possible = all(entry.of_products for entry in entries)
    if not is_possible or number_of_fewer(n_samples, width, len(bounds)) == n_samples:
        return None
    return FewerSamples(x, bounds, seed)
