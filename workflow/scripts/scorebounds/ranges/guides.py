"""Which scores of other measures are compatible with a high score, for pairs not searched."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from scorebounds.core.measure_table import entry_of
from scorebounds.core.random import derived_seed
from scorebounds.ranges.bounds import base_of, from_base, to_base
from scorebounds.ranges.fewer import in_fewer_samples
from scorebounds.ranges.problem import PairProblem
from scorebounds.ranges.verdicts import verdict

ENDS = ["low", "high", "outer_low", "outer_high", "certified_low", "certified_high"]


def guides_of_other_pairs(
    x: Tensor,
    known: pd.DataFrame,
    names: Sequence[str],
    dataset: str,
    *,
    seed: int,
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    """Find which scores of `names` are compatible with a score of at least the reference level.

    Pairs in `known` are skipped. Between two forms of one measure, and where another form of the
    implied measure was searched, the ends follow exactly. The lower ends of the remaining pairs are
    searched; their upper ends are 1, attained by Y = X.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
        The reference.
    known : DataFrame
        The table `guides` of this dataset's pairs, see `pair_range`.
    names : sequence of str
        Measures that the reduced search takes: `cka`, `nbs`, `linreg` or their angular forms.
    dataset : str
        Name, for the table and the random streams.
    seed : int
    settings : mapping
        The section `ranges` of the configuration.

    Returns
    -------
    DataFrame
        Rows like those of `known`, each ordered pair once, none of them in `known`. A measure that
        is not in `names` has rows as the given one only, where they follow from `known`.
    """
    missing = [name for name in names if not entry_of(name).few_coordinates]
    if missing:
        raise ValueError(f"no reduced search takes {missing[0]!r}")
    # Nothing but products is needed of X.
    fewer = in_fewer_samples(x, names, derived_seed(seed, "ranges", "fewer samples", dataset))
    x = x if fewer is None else fewer.x
    found = {(row.given, row.implied): row[ENDS] for _, row in known.iterrows()}
    before = set(found)
    for given in dict.fromkeys([*names, *known.given]):
        for implied in names:
            if given != implied and (given, implied) not in found:
                ends = _following(found, given, implied, settings["reference_level"])
                if ends is None and given in names:
                    problem = PairProblem(x, (given, implied), dataset, seed, settings)
                    ends = _searched(problem)
                if ends is not None:
                    found[given, implied] = ends
    rows = [
        {
            "dataset": dataset,
            "given": given,
            "implied": implied,
            "level": settings["reference_level"],
            **ends,
            "verdict": verdict(ends.low, _low(found, implied, given)),
        }
        for (given, implied), ends in found.items()
        if (given, implied) not in before
    ]
    return pd.DataFrame(rows, columns=["dataset", "given", "implied", "level", *ENDS, "verdict"])


def _following(
    found: Mapping[tuple[str, str], pd.Series], given: str, implied: str, level: float
) -> pd.Series | None:
    """Return the ends that follow from what is known, if they do."""
    if base_of(given) == base_of(implied):
        least = from_base(implied, to_base(given, np.array(level)))
        return pd.Series([least, 1.0] * 3, ENDS, dtype=float)
    for (other, form), ends in found.items():
        if other == given and base_of(form) == base_of(implied):
            return pd.Series(from_base(implied, to_base(form, ends.to_numpy(float))), ENDS)
    return None


def _searched(problem: PairProblem) -> pd.Series:
    level = problem.settings["reference_level"]
    lows, _ = problem.attained(problem.names, np.unique([level, 1.0]), -1, {})
    levels = np.linspace(level, 1, 6)
    outer, _ = problem.outer(problem.names, levels)
    certified, _ = problem.certified(problem.names, np.array([level]), ["lower"])
    proven = np.fmax(outer.min(), certified[0])
    return pd.Series([np.nanmin(lows), 1.0, outer.min(), 1.0, proven, 1.0], ENDS)


def _low(found: Mapping[tuple[str, str], pd.Series], given: str, implied: str) -> float:
    return found[given, implied].low if (given, implied) in found else np.nan
