"""Activity that is read in blocks, and sums over blocks: in this process or as a Dask graph."""

import math
import mmap
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from scorebounds.core.checks import MIN_SAMPLES, count_neurons
from scorebounds.measures.precision import are_single, are_whole, rounding_cutoff

Block = Any


class Stored:
    """Activity in an array that is read in parts.

    Parameters
    ----------
    array : array_like with `shape`, `dtype` and slices
        (n_samples, n_neurons) or (n_times, n_conditions, n_neurons): a NumPy array, in memory or
        mapped, a dataset of h5py or zarr, a Dask array or a DataArray.
    name : str
        Used in messages.
    """

    def __init__(self, array: Any, name: str):
        self.array, self.name = array, name
        *samples, n_neurons = array.shape
        self.n_times = samples[0] if len(samples) > 1 else 1
        self.shape: tuple[int, int] = (math.prod(samples), n_neurons)

    @property
    def is_dask(self) -> bool:
        """Whether the blocks are computed by Dask."""
        # A DataArray has the method in any case.
        graph = getattr(self.array, "__dask_graph__", None)
        return graph is not None and graph() is not None

    def rows(self, start: int, stop: int) -> Block:
        """Return the samples from `start` to before `stop`, of all neurons."""
        if self.n_times == 1 and len(self.array.shape) == 2:
            return _values(self.array[start:stop])
        n_rows = self.array.shape[1]
        first = start // n_rows
        block = _values(self.array[first : -(-stop // n_rows)])
        return block.reshape(-1, self.shape[1])[start - first * n_rows : stop - first * n_rows]

    def columns(self, start: int, stop: int) -> Block:
        """Return the neurons from `start` to before `stop`, of all samples."""
        return _values(self.array[..., start:stop]).reshape(self.shape[0], stop - start)

    def as_dask(self) -> "Stored":
        """Return the same activity as a Dask array."""
        if self.is_dask:
            return self
        dask_array = import_module("dask.array")
        return Stored(dask_array.from_array(self.array, chunks="auto"), self.name)

    def release(self) -> None:
        """Give back the memory of the pages of a mapped file that were read."""
        base = self.array
        while base is not None and not isinstance(base, mmap.mmap):
            # Pages of a private copy would be lost with what was written to them.
            if getattr(base, "mode", None) == "c":
                return
            base = getattr(base, "base", None)
        if base is not None and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)


def _values(part: Any) -> Block:
    if isinstance(part, xr.DataArray):
        return part.values
    return part if hasattr(part, "__dask_graph__") else np.asarray(part)


def reduce_blocks(
    work: Callable[..., Any],
    combine: Callable[[Any, Any], Any],
    sides: Sequence[Stored],
    size: int,
    *,
    of_columns: bool = False,
) -> Any:
    """Apply `work` to each block of samples, or of neurons, and combine the results in order.

    Parameters
    ----------
    work : callable
        Takes the place of the first row (or column) of the block and the block of each side.
    combine : callable
        Takes the results of two neighbouring parts; associative.
    sides : sequence of Stored
        If one of them is a Dask array, all of it is computed as one Dask graph.
    size : int
        Rows, or columns, of a block.
    of_columns : bool
    """
    length = sides[0].shape[1 if of_columns else 0]
    bounds = [(start, min(start + size, length)) for start in range(0, length, size)]

    def read(side: Stored, start: int, stop: int) -> Block:
        return side.columns(start, stop) if of_columns else side.rows(start, stop)

    if not any(side.is_dask for side in sides):
        total = None
        for start, stop in bounds:
            part = work(start, *(read(side, start, stop) for side in sides))
            total = part if total is None else combine(total, part)
            for side in sides:
                side.release()
        return total
    delayed = import_module("dask").delayed
    lazy = [side.as_dask() for side in sides]
    parts = [
        delayed(work)(start, *(read(side, start, stop) for side in lazy)) for start, stop in bounds
    ]
    while len(parts) > 1:
        pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)]
        parts = [delayed(combine)(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return parts[0].compute()


class Statistics(NamedTuple):
    """Statistics of a side from one pass: per neuron, and of all values."""

    total: Tensor
    low: Tensor
    high: Tensor
    finite: Tensor
    squares: Tensor
    single: Tensor  # whether single precision holds all values
    whole: Tensor


def in_double(block: Block) -> Tensor:
    """Return a block as a new tensor in double precision."""
    return torch.from_numpy(np.array(block, dtype=np.float64))


def statistics(_start: int, block: Block) -> Statistics:
    """Return the statistics of a block of samples."""
    values = in_double(block)
    flat = values.flatten()
    low, high = torch.aminmax(values, dim=0)
    return Statistics(
        values.sum(0),
        low,
        high,
        torch.isfinite(low) & torch.isfinite(high),
        flat @ flat,
        # The first sample mostly decides, which spares looking at the others.
        torch.tensor(block.dtype == np.float32 or (are_single(values[0]) and are_single(values))),
        torch.tensor(are_whole(values[0]) and are_whole(values)),
    )


def combine_statistics(first: Statistics, second: Statistics) -> Statistics:
    """Return the statistics of two blocks together."""
    return Statistics(
        first.total + second.total,
        torch.minimum(first.low, second.low),
        torch.maximum(first.high, second.high),
        first.finite & second.finite,
        first.squares + second.squares,
        first.single & second.single,
        first.whole & second.whole,
    )


class Centring(NamedTuple):
    """What is subtracted from each neuron, and the factor that all are multiplied with."""

    mean: Tensor
    scale: float

    def apply(self, block: Block) -> Tensor:
        """Return a block of samples centred and scaled, in double precision."""
        return in_double(block).sub_(self.mean).mul_(self.scale)


class Side:
    """Stored activity with its statistics, checked as `Measure.score` checks its arguments.

    Parameters
    ----------
    stored : Stored
    size : int
        Rows of a block.
    """

    def __init__(self, stored: Stored, size: int):
        self.stored = stored
        n_samples, n_neurons = stored.shape
        if n_samples < MIN_SAMPLES or n_neurons == 0:
            raise ValueError(
                f"expected {stored.name} with at least {MIN_SAMPLES} samples and one neuron, "
                f"got shape {stored.array.shape}"
            )
        self.found: Statistics = reduce_blocks(statistics, combine_statistics, [stored], size)
        bad = np.flatnonzero(~self.found.finite.numpy())
        if bad.size:
            raise ValueError(
                f"expected finite values, got NaN or infinity in {stored.name}, "
                f"{count_neurons(bad)}; drop these neurons or the affected samples from both sides"
            )
        spread = torch.maximum(self.found.high - self.mean, self.mean - self.found.low).max()
        if spread <= 8 * torch.finfo(torch.float64).eps * self.largest:
            raise ValueError(
                f"expected {stored.name} that varies over samples, got a constant matrix"
            )

    @cached_property
    def mean(self) -> Tensor:
        """The mean of each neuron, shape (n_neurons,)."""
        return self.found.total / self.stored.shape[0]

    @cached_property
    def largest(self) -> float:
        """The largest absolute value."""
        return float(torch.maximum(self.found.high.abs(), self.found.low.abs()).max())

    @property
    def precision(self) -> float:
        """Relative rounding of values that were stored in single precision, or less; else 0."""
        rounded = bool(self.found.single) and not bool(self.found.whole)
        return torch.finfo(torch.float32).eps if rounded else 0.0

    def cutoff(self, scale: float) -> Tensor:
        """Return the largest singular value of the rounding of the scaled values."""
        n_samples, n_neurons = self.stored.shape
        size = (self.found.squares / (n_samples * n_neurons)).sqrt() * scale
        return rounding_cutoff(size, (n_samples, n_neurons), self.precision)

    def centring(self, *, scaled: bool) -> Centring:
        """Return how blocks are centred, and scaled to order one by a power of two."""
        scale = math.ldexp(1.0, -math.frexp(self.largest)[1]) if scaled else 1.0
        return Centring(self.mean, scale)
