"""Which groups of conditions and neurons each jackknife replicate lacks or repeats."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from scorebounds.scorecards.jackknife import (
    BOTH,
    BOTH_REPEATED,
    CONDITIONS,
    NEURONS,
    NOTHING,
    REPEATED,
    TWO_OF_CONDITIONS,
    TWO_OF_NEURONS,
    TWO_REPEATED,
)

# Diagonals of the grid of groups of conditions × groups of neurons that are left out together, for
# intervals of scores without correction.
N_DIAGONALS = 2


@dataclass(frozen=True)
class LeftOut:
    """What a replicate lacks or repeats; groups are numbered from 1, and 0 is none."""

    kind: str
    group: int = 0
    neuron_group: int = 0
    other_group: int = 0

    @property
    def of_conditions(self) -> tuple[int, ...]:
        """Groups of conditions."""
        is_pair = self.kind in (TWO_OF_CONDITIONS, TWO_REPEATED)
        return (self.group, self.other_group if is_pair else 0)

    @property
    def of_neurons(self) -> tuple[int, ...]:
        """Groups of neurons."""
        return (self.neuron_group, self.other_group if self.kind == TWO_OF_NEURONS else 0)

    def __str__(self) -> str:
        is_repeated = self.kind in (REPEATED, TWO_REPEATED, BOTH_REPEATED)
        said = []
        for name, groups in (("conditions", self.of_conditions), ("neurons", self.of_neurons)):
            if numbers := [str(group) for group in groups if group]:
                plural = "s" if len(numbers) > 1 else ""
                part = f"group{plural} {' and '.join(numbers)} of the {name}"
                twice = is_repeated and name == "conditions"
                said.append(f"with {part} twice" if twice else f"without {part}")
        return " and ".join(said) or "with all"


def repeated_groups(n_conditions: int, n_neurons: int, *, is_nested: bool) -> Iterator[LeftOut]:
    """Yield the replicates of a held-out score, given the numbers of groups."""
    if is_nested:
        yield LeftOut(NOTHING)
    yield from _one_group(n_conditions, n_neurons, N_DIAGONALS, (REPEATED, BOTH_REPEATED))
    # Each group with the next one: their mean over few pairs is precise enough. Twice all groups
    # but one is hardly more than leaving out one.
    if n_conditions > 3:
        for group in range(1, n_conditions + 1):
            yield LeftOut(TWO_REPEATED, group, other_group=group % n_conditions + 1)


def left_out_groups(n_conditions: int, n_neurons: int, *, pairs: bool) -> Iterator[LeftOut]:
    """Yield what each replicate lacks, given the numbers of groups."""
    n_diagonals = n_neurons if pairs else N_DIAGONALS
    yield from _one_group(n_conditions, n_neurons, n_diagonals, (CONDITIONS, BOTH))
    # Without both of two groups nothing is left.
    if pairs and n_conditions > 2:
        for group, other in itertools.combinations(range(1, n_conditions + 1), 2):
            yield LeftOut(TWO_OF_CONDITIONS, group, other_group=other)
    if pairs and n_neurons > 2:
        for group, other in itertools.combinations(range(1, n_neurons + 1), 2):
            yield LeftOut(TWO_OF_NEURONS, neuron_group=group, other_group=other)


def _one_group(
    n_conditions: int, n_neurons: int, n_diagonals: int, kinds: tuple[str, str]
) -> Iterator[LeftOut]:
    """Yield replicates of one group of conditions, of one of neurons, and of one of each.

    `kinds` are those of the first and the last; of the grid of both, as many diagonals are taken.
    """
    of_conditions, of_both = kinds
    conditions = range(1, n_conditions + 1) if n_conditions > 1 else ()
    neurons = range(1, n_neurons + 1) if n_neurons > 1 else ()
    for group in conditions:
        yield LeftOut(of_conditions, group)
    for group in neurons:
        yield LeftOut(NEURONS, neuron_group=group)
    if conditions and neurons:
        for shift in range(min(n_diagonals, n_neurons)):
            for group in conditions:
                yield LeftOut(of_both, group, (group - 1 + shift) % n_neurons + 1)
