"""Shuffled labels, from which the chance level of a decoder is estimated."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from scorebounds.core.random import derived_seed
from scorebounds.decoding.design import Design

MAX_ENUMERATED = 10_000  # number of arrangements up to which all distinct labellings are listed


class Shuffle(NamedTuple):
    """Labels of a shuffle and the folds in which they are decoded, shape (n,) each."""

    classes: np.ndarray
    folds: np.ndarray


class _Block(NamedTuple):
    """Units whose labels are exchanged with each other.

    Attributes
    ----------
    samples : ndarray of int
        Samples of the block.
    unit : ndarray of int
        Unit of each of them, from 0.
    labels : ndarray of int
        Label of each unit.
    """

    samples: np.ndarray
    unit: np.ndarray
    labels: np.ndarray


def shuffles(plan: Design, variable: str, n_shuffles: int, seed: int) -> list[Shuffle]:
    """Draw distinct shuffles of the labels of a variable.

    Labels are exchanged where the design allows it (`Design.blocks`). Each shuffle divides the
    samples into other classes than the variable and than every other shuffle does: a shuffle that
    only renames classes, such as the complement of two classes, decodes exactly as well as the
    labels that it renames. Where folds are stratified by class, they are drawn again, so that those
    of a shuffle are as stratified as those of the variable.

    Parameters
    ----------
    plan : Design
    variable : str
    n_shuffles : int
        Number of shuffles; where fewer exist, all of them are returned in a fixed order.
    seed : int

    Returns
    -------
    list of Shuffle
        The smallest p value that they allow is 1 / (1 + their number).
    """
    rng = np.random.default_rng(derived_seed(seed, "permutation", variable))
    codes, folds = plan.classes[variable], plan.folds[variable]
    blocks = _blocks(plan.blocks[variable], plan.units, codes)
    if math.prod(_n_arrangements(block.labels) for block in blocks) <= MAX_ENUMERATED:
        every = itertools.product(*(_arrangements(block.labels.tolist()) for block in blocks))
        labellings = list(_distinct(blocks, codes, every))
        if len(labellings) > n_shuffles:
            chosen = rng.choice(len(labellings), n_shuffles, replace=False)
            labellings = [labellings[index] for index in chosen]
    else:
        drawn = ([rng.permutation(block.labels) for block in blocks] for _ in itertools.count())
        labellings = list(itertools.islice(_distinct(blocks, codes, drawn), n_shuffles))
    if not plan.stratified:
        return [Shuffle(classes, folds) for classes in labellings]
    rng = np.random.default_rng(derived_seed(seed, "permutation folds", variable))
    return [Shuffle(classes, _moved_folds(rng, codes, folds, classes)) for classes in labellings]


def partition(classes: np.ndarray) -> bytes:
    """Return what identifies the division of samples into classes, whatever their names."""
    _, first, codes = np.unique(classes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes].tobytes()


def _blocks(block_of: np.ndarray, units: np.ndarray, codes: np.ndarray) -> list[_Block]:
    blocks = []
    for number in np.unique(block_of):
        samples = np.flatnonzero(block_of == number)
        _, first, unit = np.unique(units[samples], return_index=True, return_inverse=True)
        blocks.append(_Block(samples, unit, codes[samples][first]))
    return blocks


def _n_arrangements(labels: np.ndarray) -> int:
    """Return the number of distinct orders of some labels."""
    counts = np.unique(labels, return_counts=True)[1].tolist()
    return math.factorial(len(labels)) // math.prod(math.factorial(count) for count in counts)


def _arrangements(labels: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """List the distinct orders of some labels."""
    if not labels:
        yield ()
        return
    for label in sorted(set(labels)):
        rest = list(labels)
        rest.remove(label)
        for tail in _arrangements(rest):
            yield (label, *tail)


def _expanded(
    blocks: Sequence[_Block], arrangement: Sequence[Sequence[int] | np.ndarray], like: np.ndarray
) -> np.ndarray:
    classes = np.empty_like(like)
    for block, labels in zip(blocks, arrangement, strict=True):
        classes[block.samples] = np.asarray(labels)[block.unit]
    return classes


def _distinct(
    blocks: Sequence[_Block],
    codes: np.ndarray,
    arrangements: Iterable[Sequence[Sequence[int] | np.ndarray]],
) -> Iterator[np.ndarray]:
    """Yield the labellings of arrangements, each partition once and not that of `codes`."""
    known: set[bytes] = {partition(codes)}
    for arrangement in arrangements:
        classes = _expanded(blocks, arrangement, codes)
        key = partition(classes)
        if key not in known:
            known.add(key)
            yield classes


def _moved_folds(
    rng: np.random.Generator, codes: np.ndarray, folds: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Give the samples of each class of a shuffle the folds of the samples of that class."""
    moved = np.empty_like(folds)
    for label in np.unique(codes):
        moved[classes == label] = rng.permutation(folds[codes == label])
    return moved
