"""Certified ranges: the ends of a score at given values of another, to within a tolerance.

CKA against NBS and the angular forms of both are certified by Lagrangian bounds with branching
(docs/theory/certificate.md); bounds against linear regression are exact; other pairs have those of
`outer_range`, or none.
"""

import math
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from scorebounds.ranges.bounds import base_of, from_base, outer_range, to_base
from scorebounds.ranges.branching import Work, certify
from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.certificate_upper import UpperDual
from scorebounds.ranges.linked_bounds import Samples
from scorebounds.ranges.nbs_bounds import ROUNDING, Range, before_rounding
from scorebounds.ranges.reach_lower import ReachedLower, reach_lower
from scorebounds.ranges.reach_upper import Reached, reach_upper

# Ends of the search for a CKA, and how near to the true crossing it ends, in tolerances.
NEAR_0, NEAR_1, CROSSING = 1e-6, 1 - 1e-6, 0.1
# Distances of CKAs whose extremes are similar, as shares of the distance to 0 or 1: in a search,
# and for an end to be certified.
SIMILAR, ADJACENT = 0.3, 0.1
# Distances from the attained CKA that are tried for a bound of it, in tolerances; a try ends after
# so many cells.
DISTANCES, N_CELLS = (0.9, 1.8, 4, 10, 25), 300
TIGHT = DISTANCES[:2]
# About how many Lagrangians a search for an attained value evaluates, from scratch and from what
# was attained at a similar CKA: the upper and the lower end.
STEPS, STEPS_NEAR = {1: 110_000, -1: 43_000}, {1: 10_000, -1: 9_000}

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
    """Return the first two of `certified_ends`."""
    found = certified_ends(
        a,
        b,
        grid,
        eigenvalues,
        rank,
        outside=outside,
        tolerance=tolerance,
        work=work,
        ends=ends,
        samples=samples,
    )
    return found.lower, found.upper


class Certified(NamedTuple):
    """Lower and upper bounds, and which of them are within the tolerance of an attained value."""

    lower: np.ndarray
    upper: np.ndarray
    lower_is_tight: np.ndarray
    upper_is_tight: np.ndarray


def certified_ends(
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
) -> Certified:
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
    Certified
        Arrays of shape (n_grid,). Bounds are NaN where none is known. What is tight is within the
        tolerance, or twice that for a given NBS, of what data with enough samples attain.
    """
    values = np.asarray(grid, dtype=float)
    lower, upper = outer_range(a, b, values, eigenvalues, rank, quick=True, samples=samples)
    found = Certified(lower, upper, *np.zeros((2, len(values)), dtype=bool))
    if {base_of(a), base_of(b)} != PAIR:
        return found
    spectrum = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    spectrum = spectrum / spectrum.sum()
    kind = _NbsEnds if base_of(a) == "cka" else _CkaEnds
    problem = kind(spectrum, rank, b, outside=outside, tolerance=tolerance, work=work or Work())
    for index, value in enumerate(to_base(a, values)):
        if 0 < value < 1 and "lower" in ends:
            lower[index], found.lower_is_tight[index] = problem.lower(float(value), lower[index])
        if 0 < value < 1 and "upper" in ends:
            upper[index], found.upper_is_tight[index] = problem.upper(float(value), upper[index])
    return found


Attained = Reached | ReachedLower


class _Ends:
    """What both directions need: the two problems at a CKA, of sign 1 for the largest NBS."""

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

    def _moved(self, base: float, step: float) -> float:
        """Return the score of the base measure whose form is a step away from that of another."""
        form = np.clip(from_base(self.form, np.array(base)) + step, 0, 1)
        return float(to_base(self.form, form))

    def _dual(self, cka: float, sign: int) -> UpperDual | LowerDual:
        low, high = before_rounding(np.array(cka), self.spectrum)
        if sign > 0:
            return UpperDual(self.spectrum, float(high), outside=self.outside)
        return LowerDual(self.spectrum, float(low), self.rank)

    def _reach(self, dual: UpperDual | LowerDual, near: Attained | None = None) -> Attained:
        """Return what is attained, from what is attained at a similar CKA if that is given."""
        sign = 1 if isinstance(dual, UpperDual) else -1
        self.work.spend((STEPS if near is None else STEPS_NEAR)[sign] * dual.n_terms)
        if isinstance(dual, UpperDual):
            return reach_upper(dual, near if isinstance(near, Reached) else None)
        return reach_lower(dual, near if isinstance(near, ReachedLower) else None)


class _NbsEnds(_Ends):
    """Ends of NBS, or of angular Procrustes, at a given CKA."""

    def __init__(self, *problem: Any, **options: Any):
        super().__init__(*problem, **options)
        # What served the latest value, by sign, to start from at the next.
        self.multipliers: dict[int, list[np.ndarray]] = {1: [], -1: []}
        self.latest: dict[int, tuple[float, Attained]] = {}

    def upper(self, cka: float, known: float) -> tuple[float, bool]:
        """Bound the largest NBS at a CKA, at least as good as `known`, and if it is tight."""
        return self._bound(cka, known, 1)

    def lower(self, cka: float, known: float) -> tuple[float, bool]:
        """Bound the smallest NBS at a CKA, at least as good as `known`, and if it is tight."""
        return self._bound(cka, known, -1)

    def _bound(self, cka: float, known: float, sign: int) -> tuple[float, bool]:
        if self.work.is_over:
            return known, False
        dual = self._dual(cka, sign)
        before = self.latest.get(sign)
        near = before[1] if before and _are_similar(cka, before[0], ADJACENT) else None
        reached = self._reach(dual, near)
        self.latest[sign] = cka, reached
        goal = self._moved(reached.score, sign * self.tolerance)
        if sign * (known - from_base(self.form, np.array(goal))) <= 0:
            return known, True
        pool = [dual.start, *self.multipliers[sign], reached.multipliers]
        found = certify(dual, sign * goal, abs(goal - reached.score), pool, self.work)
        self.multipliers[sign] = found.multipliers
        nbs = np.clip(sign * (found.bound + ROUNDING), 0, 1)
        bound = float(from_base(self.form, nbs))
        return sign * min(sign * bound, sign * known), found.bound <= sign * goal


class _CkaEnds(_Ends):
    """Ends of CKA, or of angular CKA, at a given NBS.

    Both ends of NBS increase with CKA. So a CKA at which the largest NBS is below the given one is
    a lower bound of CKA, and one at which the smallest NBS is above it an upper bound.
    """

    def lower(self, nbs: float, known: float) -> tuple[float, bool]:
        """Bound the smallest CKA at an NBS, at least as good as `known`, and if it is tight."""
        return self._bound(nbs - 2 * ROUNDING, known, 1)

    def upper(self, nbs: float, known: float) -> tuple[float, bool]:
        """Bound the largest CKA at an NBS, at least as good as `known`, and if it is tight."""
        return self._bound(nbs + 2 * ROUNDING, known, -1)

    def _bound(self, goal: float, known: float, sign: int) -> tuple[float, bool]:
        limit = float(np.clip(to_base(self.form, np.array(known)), NEAR_0, NEAR_1))
        attained = self._crossing(goal, limit, sign)
        for distance in DISTANCES:
            cka = self._moved(attained, -sign * distance * self.tolerance)
            if self.work.is_over or sign * (cka - limit) <= 0:
                return known, not self.work.is_over and distance in TIGHT
            dual = self._dual(cka, sign)
            score, multipliers, *_ = self._reach(dual)
            if sign * (goal - score) <= 0:
                continue
            pool = [dual.start, multipliers]
            aim = sign * goal, abs(goal - score)
            if certify(dual, *aim, pool, self.work, most_cells=N_CELLS).bound <= sign * goal:
                return float(from_base(self.form, np.array(cka))), distance in TIGHT
        return known, False

    def _crossing(self, goal: float, limit: float, sign: int) -> float:
        """Return about the CKA at which the extreme NBS is the goal, or `limit`."""
        # SciPy's optimisers are slow to import, and most callers never come here.
        from scipy.optimize import brentq

        # Angles arccos(CKA), in which neither end is steep. At the far end, the largest NBS is
        # nearly 1, and the smallest nearly 0.
        far, near_end = math.acos(NEAR_1 if sign > 0 else NEAR_0), math.acos(limit)
        excess = {far: 1 - goal if sign > 0 else -goal}
        latest: tuple[float, Attained] | None = None

        def excess_at(angle: float) -> float:
            nonlocal latest
            if angle not in excess:
                if self.work.is_over:
                    return 0.0
                cka = math.cos(angle)
                near = latest[1] if latest and _are_similar(cka, latest[0], SIMILAR) else None
                latest = cka, self._reach(self._dual(cka, sign), near)
                excess[angle] = latest[1].score - goal
            return excess[angle]

        if sign * excess[far] <= 0 or sign * excess_at(near_end) >= 0:
            return limit
        low, high = sorted((far, near_end))
        return math.cos(brentq(excess_at, low, high, xtol=CROSSING * self.tolerance))


def _are_similar(cka: float, other: float, share: float) -> bool:
    """Tell whether extremes at two CKAs are similar: they change fast near 0 and 1."""
    return abs(cka - other) < share * min(cka, 1 - cka)
