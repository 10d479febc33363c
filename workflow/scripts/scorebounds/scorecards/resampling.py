"""How often scores are resampled."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class ResamplingSettings:
    """Numbers of shuffles and jackknife groups, and the seed.

    Attributes
    ----------
    n_permutations : int
        Shuffles of the model's conditions.
    n_groups : int
        Parts of the conditions, and of the neurons, each of which the jackknife leaves out once.
    seed : int
    n_permutations_of : mapping of str to int
        Shuffles for the measures that have a number of their own.
    """

    n_permutations: int
    n_groups: int
    seed: int
    n_permutations_of: Mapping[str, int] = field(default_factory=dict)

    def for_measure(self, measure: str) -> "ResamplingSettings":
        """Return the settings for one measure."""
        own = self.n_permutations_of.get(measure, self.n_permutations)
        return replace(self, n_permutations=own)
