"""Results of searches that the pairs of measures of one dataset have in common.

CKA with NBS and CKA with angular Procrustes, for example, ask for the same attained values.
"""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import numpy as np

N_KEPT = 1000

Result = TypeVar("Result")
Rest = ParamSpec("Rest")


class Problem(Protocol):
    """What is searched."""

    @property
    def key(self) -> Hashable:
        """All that a result depends on."""


ProblemType = TypeVar("ProblemType", bound=Problem)


def remembered(
    search: Callable[Concatenate[ProblemType, Rest], Result],
) -> Callable[Concatenate[ProblemType, Rest], Result]:
    """Make a function of a problem return the result again when it gets equal arguments."""
    kept: dict[Hashable, Result] = {}

    @wraps(search)
    def remembering(problem: ProblemType, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Result:
        key = problem.key, _by_value(args), _by_value(tuple(sorted(kwargs.items())))
        if key not in kept:
            if len(kept) >= N_KEPT:
                kept.clear()
            kept[key] = search(problem, *args, **kwargs)
        return kept[key]

    return remembering


def _by_value(value: Any) -> Hashable:
    """Return an argument as something that is equal for equal numbers."""
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    return tuple(map(_by_value, value)) if isinstance(value, tuple) else value
