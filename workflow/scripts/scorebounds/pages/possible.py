"""Which scores of one measure are possible at each score of another, at the steps of a slider."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from scorebounds.ranges.bounds import base_of, from_base, to_base

SCORES = np.linspace(0, 1, 101)
# Values of the first measure at which a searched range is inverted.
N_INVERSE = 1001
# How near two scores are the same.
SAME = 1e-9


class Ends(NamedTuple):
    """Ends of the attained and of the proven range, NaN where none is known.

    Attained ends were found by a search where `searched`, and are interpolated elsewhere.
    """

    attained_low: np.ndarray
    attained_high: np.ndarray
    proven_low: np.ndarray
    proven_high: np.ndarray
    searched: np.ndarray


def possible_scores(
    ranges: pd.DataFrame, bounds: pd.DataFrame, measures: Sequence[str]
) -> dict[tuple[str, str], Ends]:
    """Return the ends of the range of each measure at each of `SCORES` of another.

    Parameters
    ----------
    ranges : DataFrame
        Of one dataset: columns a, b, a_value, attained_lower, attained_upper, as in
        results/tables/ranges.csv. Between the values of its grid, attained ends are interpolated.
    bounds : DataFrame
        Of the same: columns a, b, a_value, certified_lower, certified_upper, as in the files
        `.bounds.csv`. Between its values, the lower end of the smaller one holds and the upper end
        of the larger one, because both increase.
    measures : sequence of str
        Ids; pairs that follow from an angular form of a searched measure are included.

    Returns
    -------
    dict
        By the given and the implied measure.
    """
    known: dict[tuple[str, str], Callable[[np.ndarray], Ends]] = {}
    for key, region in ranges.groupby(["a", "b"], sort=False):
        a, b = map(str, key)
        curve = bounds[(bounds.a == a) & (bounds.b == b)]
        known[a, b] = _forward(region, curve)
        known.setdefault((b, a), _backward(region, curve))
    found = {}
    for given in measures:
        for implied in measures:
            ends = _ends(known, given, implied)
            if given != implied and ends is not None:
                found[given, implied] = ends
    return found


def _ends(
    known: Mapping[tuple[str, str], Callable[[np.ndarray], Ends]], given: str, implied: str
) -> Ends | None:
    if base_of(given) == base_of(implied):
        exact = from_base(implied, to_base(given, SCORES))
        return Ends(exact, exact, exact, exact, np.full(len(SCORES), fill_value=True))
    for (a, b), ends_at in known.items():
        if base_of(a) == base_of(given) and base_of(b) == base_of(implied):
            values = from_base(a, to_base(given, SCORES))
            *found, searched = ends_at(values)
            ends = [from_base(implied, to_base(b, end)) for end in found]
            return _within_proven(Ends(ends[0], ends[1], ends[2], ends[3], searched))
    return None


def _within_proven(ends: Ends) -> Ends:
    """Hold interpolated ends to the proven ones, which are exact."""
    low, high = np.fmax(ends.attained_low, ends.proven_low), ends.attained_high
    low = np.where(np.isnan(ends.attained_low), np.nan, low)
    high = np.where(np.isnan(high), np.nan, np.fmin(high, ends.proven_high))
    return ends._replace(attained_low=low, attained_high=high)


def _forward(region: pd.DataFrame, curve: pd.DataFrame) -> Callable[[np.ndarray], Ends]:
    """Return the ends of b as a function of a."""

    def ends_at(values: np.ndarray) -> Ends:
        low, high = (
            np.interp(values, region.a_value, region[f"attained_{end}"], np.nan, np.nan)
            for end in ("lower", "upper")
        )
        searched = (abs(values[:, None] - region.a_value.to_numpy()) < SAME).any(axis=1)
        grid = curve.a_value.to_numpy()
        if len(grid) == 0:
            unknown = np.full(len(values), np.nan)
            return Ends(low, high, unknown, unknown, searched)
        below = np.searchsorted(grid, values + SAME, side="right") - 1
        above = np.searchsorted(grid, values - SAME).clip(max=len(grid) - 1)
        lower, upper = (curve[f"certified_{end}"].to_numpy() for end in ("lower", "upper"))
        return Ends(low, high, lower[below], upper[above], searched)

    return ends_at


def _backward(region: pd.DataFrame, curve: pd.DataFrame) -> Callable[[np.ndarray], Ends]:
    """Return the ends of a as a function of b."""

    def ends_at(values: np.ndarray) -> Ends:
        grid = np.linspace(0, 1, N_INVERSE)
        lower, upper = _forward(region, curve)(grid)[:2]
        attained = _inverted(values, grid, grid, lower, upper)
        searched = np.full(len(values), fill_value=False)
        steps = curve.a_value.to_numpy()
        if len(steps) == 0:
            unknown = np.full(len(values), np.nan)
            return Ends(*attained, unknown, unknown, searched)
        lower, upper = (curve[f"certified_{end}"].to_numpy() for end in ("lower", "upper"))
        proven = _inverted(values, steps[:-1], steps[1:], lower[:-1], upper[1:])
        return Ends(*attained, *proven, searched)

    return ends_at


def _inverted(
    values: np.ndarray, starts: np.ndarray, stops: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first start and the last stop of the stretches whose range contains each value."""
    possible = (lower <= values[:, None] + SAME) & (upper >= values[:, None] - SAME)
    none = ~possible.any(axis=1)
    first = starts[possible.argmax(axis=1)]
    last = stops[len(stops) - 1 - possible[:, ::-1].argmax(axis=1)]
    return np.where(none, np.nan, first), np.where(none, np.nan, last)
