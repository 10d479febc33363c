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
from scorebounds.ranges.certificate_lower import LowerDual, groups
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
# so many cells, more at the largest distance that is good enough.
DISTANCES, N_CELLS, MORE_CELLS = (0.9, 1.2, 1.8, 4, 10, 25), 2000, {1.2: 10_000}
TIGHT = DISTANCES[:3]
# Work of a search for an attained value, from scratch and from what was attained at a similar CKA,
# for the upper and the lower end: at any rank, and for each term.
SEARCH = {1: (3e6, 55_000), -1: (2.2e6, 31_000)}
SEARCH_NEAR = {1: (1.3e6, 3000), -1: (1.1e6, 5000)}

PAIR = {"cka", "nbs"}


def certified_range(*problem: Any, **options: Any) -> Range:
    """Return the first two of `certified_ends`, which takes the same arguments."""
    return certified_ends(*problem, **options)[:2]


class Certified(NamedTuple):
    """Lower and upper bounds, which are within the tolerance of an attained value, and that value.

    `attained_*` are NaN where none was searched.
    """

    lower: np.ndarray
    upper: np.ndarray
    lower_is_tight: np.ndarray
    upper_is_tight: np.ndarray
    attained_lower: np.ndarray
    attained_upper: np.ndarray


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
    is_tight = np.zeros((2, len(values)), dtype=bool)
    found = Certified(lower, upper, *is_tight, *np.full((2, len(values)), np.nan))
    if {base_of(a), base_of(b)} != PAIR:
        return found
    spectrum = np.sort(np.asarray(eigenvalues, dtype=float))[::-1]
    spectrum = spectrum / spectrum.sum()
    kind = _NbsEnds if base_of(a) == "cka" else _CkaEnds
    problem = kind(spectrum, rank, b, outside=outside, tolerance=tolerance, work=work or Work())
    for index, value in enumerate(to_base(a, values)):
        if 0 < value < 1 and "lower" in ends:
            end = problem.lower(float(value), lower[index])
            lower[index], found.lower_is_tight[index], found.attained_lower[index] = end
        if 0 < value < 1 and "upper" in ends:
            end = problem.upper(float(value), upper[index])
            upper[index], found.upper_is_tight[index], found.attained_upper[index] = end
    return found


Attained = Reached | ReachedLower
# A CKA, and what is attained there.
Latest = tuple[float, Attained]


class _End(NamedTuple):
    """An end in the requested form; see `Certified`."""

    bound: float
    is_tight: bool
    attained: float = np.nan


class _OutOfWorkError(Exception):
    """What is left does not cover a search."""


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
        self.n_terms = {1: len(spectrum) + 1, -1: len(groups(len(spectrum), rank)[0])}

    def _moved(self, base: float, step: float) -> float:
        """Return the score of the base measure whose form is a step away from that of another."""
        form = np.clip(from_base(self.form, np.array(base)) + step, 0, 1)
        return float(to_base(self.form, form))

    def _dual(self, cka: float, sign: int) -> UpperDual | LowerDual:
        low, high = before_rounding(np.array(cka), self.spectrum)
        if sign > 0:
            return UpperDual(self.spectrum, float(high), outside=self.outside)
        return LowerDual(self.spectrum, float(low), self.rank)

    def _reach(self, cka: float, sign: int, latest: Latest | None, similar: float) -> Latest:
        """Return a CKA and what is attained there, searched from the latest if that is similar.

        What it costs does not depend on what is remembered.
        """
        near = _if_similar(latest, cka, similar)
        fixed, per_term = (SEARCH if near is None else SEARCH_NEAR)[sign]
        cost = fixed + per_term * self.n_terms[sign]
        if not self.work.covers(cost):
            raise _OutOfWorkError
        self.work.spend(cost)
        dual = self._dual(cka, sign)
        if isinstance(dual, UpperDual):
            return cka, reach_upper(dual, near if isinstance(near, Reached) else None)
        return cka, reach_lower(dual, near if isinstance(near, ReachedLower) else None)

    def _affordable(self, value: float, known: float, sign: int) -> _End:
        """Return an end, or what is known of it where the work does not cover a search."""
        try:
            return self._bound(value, known, sign)
        except _OutOfWorkError:
            return _End(known, is_tight=False)

    def _bound(self, value: float, known: float, sign: int) -> _End:
        raise NotImplementedError


class _NbsEnds(_Ends):
    """Ends of NBS, or of angular Procrustes, at a given CKA."""

    def __init__(self, *problem: Any, **options: Any):
        super().__init__(*problem, **options)
        # What served the latest value, by sign, to start from at the next.
        self.multipliers: dict[int, list[np.ndarray]] = {1: [], -1: []}
        self.latest: dict[int, Latest] = {}

    def upper(self, cka: float, known: float) -> _End:
        """Bound the largest NBS at a CKA, at least as good as `known`."""
        return self._affordable(cka, known, 1)

    def lower(self, cka: float, known: float) -> _End:
        """Bound the smallest NBS at a CKA, at least as good as `known`."""
        return self._affordable(cka, known, -1)

    def _bound(self, cka: float, known: float, sign: int) -> _End:
        self.latest[sign] = self._reach(cka, sign, self.latest.get(sign), ADJACENT)
        dual, reached = self._dual(cka, sign), self.latest[sign][1]
        goal = self._moved(reached.score, sign * self.tolerance)
        attained = float(from_base(self.form, np.array(reached.score)))
        if sign * (known - from_base(self.form, np.array(goal))) <= 0:
            return _End(known, is_tight=True, attained=attained)
        pool = [dual.start, *self.multipliers[sign], reached.multipliers]
        found = certify(dual, sign * goal, abs(goal - reached.score), pool, self.work)
        self.multipliers[sign] = found.multipliers
        nbs = np.clip(sign * (found.bound + ROUNDING), 0, 1)
        bound = float(from_base(self.form, nbs))
        bound = sign * min(sign * bound, sign * known)
        return _End(bound, found.bound <= sign * goal, attained)


class _CkaEnds(_Ends):
    """Ends of CKA, or of angular CKA, at a given NBS.

    Both ends of NBS increase with CKA. So a CKA at which the largest NBS is below the given one is
    a lower bound of CKA, and one at which the smallest NBS is above it an upper bound.
    """

    def lower(self, nbs: float, known: float) -> _End:
        """Bound the smallest CKA at an NBS, at least as good as `known`."""
        return self._affordable(nbs - 2 * ROUNDING, known, 1)

    def upper(self, nbs: float, known: float) -> _End:
        """Bound the largest CKA at an NBS, at least as good as `known`."""
        return self._affordable(nbs + 2 * ROUNDING, known, -1)

    def _bound(self, goal: float, known: float, sign: int) -> _End:
        limit = float(to_base(self.form, np.array(known)))
        crossing, near = self._crossing(goal, sign, SIMILAR)
        cka = self._moved(crossing, -sign * DISTANCES[0] * self.tolerance)
        reached = self._reach(cka, sign, near, ADJACENT)[1] if 0 < cka < 1 else None
        if reached and sign * (reached.score - goal) >= 0:
            # Extremes that were searched from similar ones are not the most extreme.
            crossing, near = self._crossing(goal, sign, 0)
            reached = None
        attained = float(from_base(self.form, np.array(crossing)))
        for distance in DISTANCES:
            cka = self._moved(crossing, -sign * distance * self.tolerance)
            if self.work.is_over:
                break
            if sign * (cka - limit) <= 0:
                return _End(known, distance in TIGHT, attained)
            score, multipliers, *_ = reached or self._reach(cka, sign, near, ADJACENT)[1]
            reached = None
            if sign * (goal - score) <= 0:
                continue
            dual = self._dual(cka, sign)
            pool = [dual.start, multipliers]
            aim = sign * goal, abs(goal - score)
            n_cells = MORE_CELLS.get(distance, N_CELLS)
            if certify(dual, *aim, pool, self.work, most_cells=n_cells).bound <= sign * goal:
                bound = float(from_base(self.form, np.array(cka)))
                return _End(bound, distance in TIGHT, attained)
        return _End(known, is_tight=False, attained=attained)

    def _crossing(self, goal: float, sign: int, similar: float) -> tuple[float, Latest | None]:
        """Return about the CKA at which the extreme NBS is the goal, and what is attained near."""
        # SciPy's optimisers are slow to import, and most callers never come here.
        from scipy.optimize import brentq

        # Angles arccos(CKA), in which neither end is steep.
        ends = math.acos(NEAR_1), math.acos(NEAR_0)
        excess = dict(zip(ends, (1 - goal, -goal), strict=True))
        latest: Latest | None = None

        def excess_at(angle: float) -> float:
            nonlocal latest
            if angle not in excess:
                latest = self._reach(math.cos(angle), sign, latest, similar)
                excess[angle] = latest[1].score - goal
            return excess[angle]

        if not 0 < goal < 1:
            return (NEAR_0 if goal <= 0 else NEAR_1), None
        return math.cos(brentq(excess_at, *ends, xtol=CROSSING * self.tolerance)), latest


def _if_similar(latest: Latest | None, cka: float, share: float) -> Attained | None:
    """Return what was attained at a similar CKA, if it is: extremes change fast near 0 and 1."""
    if latest and abs(cka - latest[0]) < share * min(cka, 1 - cka):
        return latest[1]
    return None
