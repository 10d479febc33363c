"""Certified ranges: the ends of a score at given values of another, to within a tolerance.

CKA against NBS and the angular forms of both are certified by Lagrangian bounds with branching
(docs/theory/certificate.md); bounds against linear regression are exact; other pairs have those of
`outer_range`, or none.
"""

from collections.abc import Callable, Collection

import numpy as np

from scorebounds.ranges.bounds import base_of, from_base, outer_range, to_base
from scorebounds.ranges.branching import Work, certify
from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.certificate_upper import START, UpperDual
from scorebounds.ranges.linked_bounds import Samples
from scorebounds.ranges.nbs_bounds import ROUNDING, Range, before_rounding
from scorebounds.ranges.reach_lower import reach_lower
from scorebounds.ranges.reach_upper import Reached, reach_upper

# Ends of the search for a CKA, and how near to the true crossing it ends.
NEAR_0, NEAR_1, CROSSING = 1e-6, 1 - 1e-6, 2e-4
# Distances of CKAs whose extremes are similar: in a search, and for an end to be certified.
SIMILAR, ADJACENT = 0.1, 0.025
# Margins in NBS that are tried for a bound of CKA, each three times the last; the first at least
# LEAST_MARGIN. A try ends after so many cells.
N_TRIES, LEAST_MARGIN, N_CELLS = 3, 2e-4, 120
# About how many Lagrangians a search for an attained value evaluates, from scratch or from what was
# attained at a similar CKA.
STEPS_UPPER, STEPS_NEAR, STEPS_LOWER = 100_000, 15_000, 40_000

PAIR = {"cka", "nbs"}


def certified_range(
    a: str,
    b: str,
    grid: np.ndarray,
    eigenvalues: np.ndarray,
    rank: int,
    *,
    outside: bool = True,
    tolerance: float = 0.002,
    work: Work | None = None,
    ends: Collection[str] = ("lower", "upper"),
    samples: Samples | None = None,
) -> Range:
    """Bound measure b for each value of measure a to within a tolerance, where that is provable.

    Parameters
    ----------
    a, b : str
        Ids of measures.
    grid : ndarray, shape (n_grid,)
        Scores of `a`.
    eigenvalues : ndarray, shape (r,)
        Of XXᵀ, X centred: sums of squares along its PCs.
    rank : int
        Largest rank that Y can have, at least r.
    outside : bool
        Whether samples leave a direction outside X (n_samples − 1 > r). True is always valid.
    tolerance : float
        Distance of each end from a value that is attained. Where it is not reached, the end is the
        best that was proven, never worse than the quick form of `outer_range`.
    work : Work, optional
        What may be spent; once it is over, the remaining ends are those quick ones. No limit by
        default.
    ends : collection of str
        Which ends to certify, of `lower` and `upper`; the other is the quick bound.
    samples : Samples, optional
        See `outer_range`.

    Returns
    -------
    tuple of ndarray, shape (n_grid,)
        Lower and upper bound of `b`; NaN where no bound is known.
    """
    values = np.asarray(grid, dtype=float)
    lower, upper = outer_range(a, b, values, eigenvalues, rank, quick=True, samples=samples)
    if {base_of(a), base_of(b)} != PAIR:
        return lower, upper
    spectrum = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    spectrum = spectrum / spectrum.sum()
    kind = _NbsEnds if base_of(a) == "cka" else _CkaEnds
    problem = kind(spectrum, rank, b, outside=outside, tolerance=tolerance, work=work or Work())
    for index, value in enumerate(to_base(a, values)):
        if 0 < value < 1 and "lower" in ends:
            lower[index] = np.fmax(lower[index], problem.lower(float(value), lower[index]))
        if 0 < value < 1 and "upper" in ends:
            upper[index] = np.fmin(upper[index], problem.upper(float(value), upper[index]))
    return lower, upper


class _NbsEnds:
    """Ends of NBS, or of angular Procrustes, at a given CKA."""

    def __init__(
        self,
        spectrum: np.ndarray,
        rank: int,
        form: str,
        *,
        outside: bool,
        tolerance: float,
        work: Work,
    ):
        self.spectrum, self.rank, self.form = spectrum, rank, form
        self.outside, self.tolerance, self.work = outside, tolerance, work
        # What served the latest value, to start from at the next.
        self.upper_multipliers: list[np.ndarray] = [START]
        self.lower_multipliers: list[np.ndarray] = []
        self.latest: tuple[float, Reached] | None = None

    def _moved(self, nbs: float, step: float) -> float:
        """Return the NBS whose form is a step away from that of another."""
        form = np.clip(from_base(self.form, np.array(nbs)) + step, 0, 1)
        return float(to_base(self.form, form))

    def upper_dual(self, cka: float) -> UpperDual:
        _, high = before_rounding(np.array(cka), self.spectrum)
        return UpperDual(self.spectrum, float(high), outside=self.outside)

    def lower_dual(self, cka: float) -> LowerDual:
        low, _ = before_rounding(np.array(cka), self.spectrum)
        return LowerDual(self.spectrum, float(low), self.rank)

    def upper(self, cka: float, known: float) -> float:
        """Return the largest form of NBS at a CKA; `known` is a bound of it."""
        dual = self.upper_dual(cka)
        near = self.latest[1] if self.latest and abs(cka - self.latest[0]) < ADJACENT else None
        found_case = reach_upper(dual, near)
        self.latest = cka, found_case
        reached = found_case.score
        goal = self._moved(reached, self.tolerance)
        if known <= from_base(self.form, np.array(goal)):
            return known
        pool = [*self.upper_multipliers, found_case.multipliers]
        found = certify(dual, goal, goal - reached, pool, self.work)
        self.upper_multipliers = found.multipliers
        return float(from_base(self.form, np.array(min(found.bound + ROUNDING, 1.0))))

    def lower(self, cka: float, known: float) -> float:
        """Return the smallest form of NBS at a CKA; `known` is a bound of it."""
        dual = self.lower_dual(cka)
        reached, where, _, _ = reach_lower(dual)
        goal = self._moved(reached, -self.tolerance)
        if known >= from_base(self.form, np.array(goal)):
            return known
        pool = [dual.start, *self.lower_multipliers, where]
        found = certify(dual, -goal, reached - goal, pool, self.work)
        self.lower_multipliers = found.multipliers
        return float(from_base(self.form, np.array(max(-found.bound - ROUNDING, 0.0))))


class _CkaEnds(_NbsEnds):
    """Ends of CKA, or of angular CKA, at a given NBS.

    Both ends of NBS increase with CKA. So a CKA at which the largest NBS is below the given one is
    a lower bound of CKA, and one at which the smallest NBS is above it an upper bound.
    """

    def lower(self, nbs: float, known: float) -> float:
        """Return the smallest form of CKA at an NBS; `known` is a bound of it."""
        goal = nbs - 2 * ROUNDING
        low = max(float(to_base(self.form, np.array(known))), NEAR_0)
        for margin in self._margins(nbs):
            last: tuple[float, Reached] | None = None

            def excess(cka: float, margin: float = margin) -> float:
                nonlocal last
                if self.work.is_over:
                    return 0.0
                near = last[1] if last and abs(cka - last[0]) < SIMILAR else None
                dual = self.upper_dual(cka)
                self.work.spend((STEPS_UPPER if near is None else STEPS_NEAR) * dual.n_terms)
                last = cka, reach_upper(dual, near)
                return last[1].score - (goal - margin)

            cka = _crossing(excess, low, NEAR_1)
            if cka == low or self.work.is_over:
                break
            dual = self.upper_dual(cka)
            score, where, _ = reach_upper(dual)
            if score > goal - margin / 3:
                continue
            found = certify(dual, goal, goal - score, [START, where], self.work, N_CELLS)
            if found.bound <= goal:
                return float(from_base(self.form, np.array(cka)))
        return np.nan

    def upper(self, nbs: float, known: float) -> float:
        """Return the largest form of CKA at an NBS; `known` is a bound of it."""
        goal = nbs + 2 * ROUNDING
        high = min(float(to_base(self.form, np.array(known))), NEAR_1)
        for margin in self._margins(nbs):

            def excess(cka: float, margin: float = margin) -> float:
                if self.work.is_over:
                    return 0.0
                dual = self.lower_dual(cka)
                self.work.spend(STEPS_LOWER * dual.n_terms)
                return reach_lower(dual).score - (goal + margin)

            cka = _crossing(excess, NEAR_0, high)
            if cka == high or self.work.is_over:
                break
            dual = self.lower_dual(cka)
            score, where, _, _ = reach_lower(dual)
            if score < goal + margin / 3:
                continue
            found = certify(dual, -goal, score - goal, [dual.start, where], self.work, N_CELLS)
            if found.bound <= -goal:
                return float(from_base(self.form, np.array(cka)))
        return np.nan

    def _margins(self, nbs: float) -> list[float]:
        """Return distances in NBS that are left between what is attained and what is certified.

        The largest NBS rises slowly with CKA where it is near 1, and so does the distance in NBS.
        """
        smallest = max(0.5 * self.tolerance * min(1.0, 4 * (1 - nbs)), LEAST_MARGIN)
        return [smallest * 3**k for k in range(N_TRIES)]


def _crossing(excess: Callable[[float], float], low: float, high: float) -> float:
    """Return about where a function that increases from below to above zero is zero."""
    # SciPy's optimisers are slow to import, and most callers never come here.
    from scipy.optimize import brentq

    if excess(low) >= 0:
        return low
    if excess(high) <= 0:
        return high
    return float(brentq(excess, low, high, xtol=CROSSING))
