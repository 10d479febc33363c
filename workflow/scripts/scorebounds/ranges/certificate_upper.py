"""Certified largest NBS at a given CKA: Lagrangian bounds of L with at most one turned pair.

The theorem, the bound and its proof are in docs/theory/certificate.md. Cases are the largest block
of L: a single component k, written (k, −1), or a turned pair (i, j). Cells are intervals of its
trace and, next to a pair, of the largest other component.
"""

from collections.abc import Hashable
from itertools import pairwise

import numpy as np

from scorebounds.ranges.branching import OVERHEAD, Cell, Work
from scorebounds.ranges.ellipsoid import minimise_convex
from scorebounds.ranges.quartic import largest_between, largest_terms
from scorebounds.ranges.turned_pair import Pair, best_on_edge, edge_bound, is_feasible, stationary

N_CELLS = 25
# Widths of intervals of the trace, and of the second largest block, below which they are not split.
NARROWEST, NARROWEST_SECOND = 2e-3, 0.0125
# Widths above which the trace, and then the second largest block, is split first.
WIDE, WIDE_SECOND = 1e-2, 0.05
# Smallest multiplier of a constraint whose multiplier is positive.
LEAST = 1e-6
START = np.array([0.5, 1.0, 1.0])
# About how many terms take as long as a pair in a bound, and as the bound of one on its edge.
PAIR_TERMS, EDGE_TERMS = 0.5, 20
# Eigenvalues this near to each other, relatively, count as equal; they are raised to the larger.
EQUAL = 1e-12


class UpperDual:
    """Bounds from above of NBS over all Y of a CKA of at most `cka`; see `branching.Dual`.

    Parameters
    ----------
    spectrum : ndarray, shape (r,)
        Eigenvalues of XXᵀ, in decreasing order, of sum 1.
    cka : float
    outside : bool
        Whether there is a direction outside X.
    """

    start = START

    def __init__(self, spectrum: np.ndarray, cka: float, *, outside: bool):
        self.scaled_cka = cka * float(np.linalg.norm(spectrum))
        everything = np.append(spectrum, 0.0) if outside else spectrum
        is_new = np.append(True, everything[1:] < everything[:-1] * (1 - EQUAL))
        self.eigenvalues = everything[is_new]
        self.count = np.diff(np.append(np.flatnonzero(is_new), len(everything))).astype(float)
        self.root = np.sqrt(self.eigenvalues)
        n = len(self.eigenvalues)
        self.n_components = len(everything)
        first, second = np.triu_indices(n, 1)
        self.first = np.concatenate([np.arange(n), first])
        self.second = np.concatenate([np.full(n, -1), second])
        self.n_cases, self.n_terms = len(self.first), n
        self.work = Work()
        self.all_pairs = self.pair(first, second), first, second

    @property
    def key(self) -> Hashable:
        """See `remembered.Problem`."""
        return self.scaled_cka, self.eigenvalues.tobytes(), self.count.tobytes()

    def pair(self, first: np.ndarray, second: np.ndarray) -> Pair:
        """Return pairs of components."""
        a, b = self.eigenvalues[first], self.eigenvalues[second]
        return Pair((a + b) / 2, (a - b) / 2, self.root[first] * self.root[second])

    def cells(self) -> list[Cell]:
        """Return the cells of the trace of the largest block, with any second largest block."""
        edges = np.linspace(0, 1, N_CELLS + 1)
        cells = [(float(a), float(b), 0.0, 1.0) for a, b in pairwise(edges)]
        return [cell for cell in cells if cell[1] * self.n_components >= 1]

    def split(self, cell: Cell) -> tuple[Cell, Cell] | None:
        """Return the two halves of a cell, or None where it is too narrow."""
        low, high, least, _ = cell
        most = _second(cell)[1]
        width, width_second = high - low, most - least
        if width > NARROWEST and (width > WIDE or width_second <= WIDE_SECOND):
            middle = 0.5 * (low + high)
            return (low, middle, least, most), (middle, high, least, most)
        if width_second > NARROWEST_SECOND:
            middle = 0.5 * (least + most)
            return (low, high, least, middle), (low, high, middle, most)
        return None

    def cell_bound(self, cell: Cell) -> float:  # noqa: ARG002
        """Return a bound of all cases that needs no multipliers: none is known."""
        return np.inf

    def bounds(
        self, multipliers: np.ndarray, cell: Cell, cases: np.ndarray, goal: float
    ) -> np.ndarray:
        """Return a valid bound of each case in a cell, rounding included."""
        first, second = self.first[cases], self.second[cases]
        is_pair = second >= 0
        found = np.full(len(cases), -np.inf)
        # Intervals of the second largest block are for pairs: the first one has all single cases.
        if not is_pair.all() and cell[2] == 0:
            found[~is_pair] = self._single_bounds(multipliers, cell, first[~is_pair])
        least, most = _second(cell)
        if is_pair.any() and least <= most:
            found[is_pair] = self._pair_bounds(
                multipliers, cell, first[is_pair], second[is_pair], goal
            )
        alpha, eta, gamma = np.abs(multipliers)
        size = 3 * alpha + (eta * self.scaled_cka) ** 2 / (4 * gamma) + 1 / (4 * eta)
        size += eta**2 / gamma + 2 * gamma + eta + 1
        size += float(self.count @ (self.root + alpha + eta * self.eigenvalues + gamma))
        return np.asarray(found + 4 * (self.n_components + 32) * np.finfo(float).eps * size)

    def _without_block(
        self, multipliers: np.ndarray, limit: float
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the bound if all blocks are single and at most `limit`, β and the terms."""
        alpha, eta, gamma = (float(each) for each in multipliers)
        beta = alpha + eta * self.eigenvalues
        gains, _ = largest_terms(self.root, beta, np.array(gamma), np.array(limit))
        fixed = (eta * self.scaled_cka) ** 2 / (4 * gamma)
        return alpha + fixed + float(self.count @ gains), beta, gains

    def _single_bounds(
        self, multipliers: np.ndarray, cell: Cell, component: np.ndarray
    ) -> np.ndarray:
        """Bound cases of one large component, with a smaller turned pair elsewhere."""
        alpha, eta, gamma = multipliers
        limit = _limit(cell)
        self.work.spend(OVERHEAD + self.n_terms + PAIR_TERMS * self.n_cases)
        total, beta, gains = self._without_block(multipliers, limit)
        pair, first, second = self.all_pairs
        ok = is_feasible(pair, *stationary(pair, eta, gamma), np.array(limit))
        turned = gamma * limit**2 - alpha * limit + _peak(pair.product[ok], eta, gamma)
        turned = turned - gains[first[ok]] - gains[second[ok]]
        ends = np.array(cell[0]), np.array(cell[1])
        best, _ = largest_between(self.root[component], beta[component], gamma, *ends)
        added = best - gains[component] + max(0.0, turned.max(initial=0.0))
        return np.asarray(total + added)

    def _pair_bounds(
        self,
        multipliers: np.ndarray,
        cell: Cell,
        first: np.ndarray,
        second: np.ndarray,
        goal: float,
    ) -> np.ndarray:
        """Bound cases of one large turned pair, with the largest other block in its interval."""
        alpha, eta, gamma = multipliers
        self.work.spend(OVERHEAD + self.n_terms + PAIR_TERMS * len(first))
        total, beta, gains = self._without_block(multipliers, _third(cell))
        ends, (least, most) = cell[:2], _second(cell)
        added = -gains[first] - gains[second]
        if least > 0:
            best, _ = largest_between(self.root, beta, gamma, np.array(least), np.array(most))
            added += self._largest_other(best - gains, first, second)
        lead = max(gamma * s * s - alpha * s for s in ends)
        found = total + lead + _peak(self.root[first] * self.root[second], eta, gamma) + added
        open_cases = np.flatnonzero(found > goal)
        pair = self.pair(first[open_cases], second[open_cases])
        at = stationary(pair, eta, gamma)
        inside = np.any([is_feasible(pair, *at, np.array(s)) for s in ends], axis=0)
        edge = open_cases[~inside]
        self.work.spend(EDGE_TERMS * len(edge))
        if len(edge):
            bound = edge_bound(self.pair(first[edge], second[edge]), multipliers, ends)
            found[edge] = np.fmin(found[edge], total + bound + added[edge])
        return np.asarray(found)

    def _largest_other(self, gain: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the largest gain of a component outside each pair, −inf where there is none."""
        largest = np.full(len(first), -np.inf)
        # Only two can be in the pair: one of the three largest is not.
        for k in np.argsort(-gain)[:3][::-1]:
            outside = (self.count[k] > 1) | ((first != k) & (second != k))
            largest = np.where(outside, gain[k], largest)
        return largest

    def tune(
        self, cases: np.ndarray, cell: Cell, start: np.ndarray, goal: float, n_steps: int
    ) -> np.ndarray:
        """Return multipliers for each case at the middle of the cell."""
        trace = np.full(len(cases), 0.5 * (cell[0] + cell[1]))
        limit = np.where(self.second[cases] < 0, _limit(cell), _third(cell))
        starts = np.repeat(start[None], len(cases), 0)
        goals = np.full(len(cases), goal)
        interval = _second(cell) if cell[2] > 0 else None
        return self.minimise(cases, trace, limit, starts, goals, n_steps, interval)[1]

    def minimise(
        self,
        cases: np.ndarray,
        trace: np.ndarray,
        limit: np.ndarray,
        start: np.ndarray,
        goal: np.ndarray | None,
        n_steps: int,
        interval: tuple[float, float] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Minimise the bound of each case at one trace over the multipliers."""

        def objective(
            rows: np.ndarray, at: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            low: np.ndarray = np.asarray(at[:, 1:] <= LEAST)
            outside: np.ndarray = np.asarray(low.any(1))
            safe = np.where(outside[:, None], start[rows], at)
            part = cases[rows], trace[rows], limit[rows]
            value, slope, _ = self.lagrangian(safe, *part, interval)
            outward = np.column_stack([np.zeros(len(at)), -1.0 * low[:, 0], -1.0 * ~low[:, 0]])
            return value, np.where(outside[:, None], outward, slope), outside

        radii = np.column_stack([np.full(len(cases), 0.8), start[:, 1] + 0.2, start[:, 2] + 0.2])
        return minimise_convex(objective, start, radii, goal, n_steps)

    def lagrangian(
        self,
        multipliers: np.ndarray,
        cases: np.ndarray,
        trace: np.ndarray,
        limit: np.ndarray,
        interval: tuple[float, float] | None = None,
    ) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
        """Return values, gradients in the multipliers and maximisers (ℓ, m, v, counts of ℓ).

        One component outside the block is in `interval`, the others are at most `limit`.
        """
        self.work.spend(OVERHEAD + len(cases) * self.n_terms)
        alpha, eta, gamma = multipliers.T
        beta = alpha[:, None] + eta[:, None] * self.eigenvalues
        gains, level = largest_terms(self.root, beta, gamma[:, None], limit[:, None])
        first, single = self.first[cases], self.second[cases] < 0
        second = np.where(single, first, self.second[cases])
        rows = np.arange(len(cases))
        count = np.repeat(self.count[None], len(cases), 0)
        count[rows, first] -= 1
        count[rows, second] -= ~single
        pair = self.pair(first, second)
        m, v = stationary(pair, eta, gamma)
        edge = ~is_feasible(pair, m, v, trace) & ~single
        if edge.any():
            on_edge = Pair(*(each[edge] for each in pair))
            m[edge], v[edge] = best_on_edge(on_edge, eta[edge], gamma[edge], trace[edge])
        m = np.where(single, self.eigenvalues[first] * trace, m)
        v = np.where(single, 0, v)
        block = np.sqrt(np.maximum(m + 2 * pair.product * v, 0)) - eta * m - 2 * gamma * v * v
        value = alpha + (eta * self.scaled_cka) ** 2 / (4 * gamma) + (count * gains).sum(1)
        value = value + block + gamma * trace**2 - alpha * trace
        radius = eta * self.scaled_cka / (2 * gamma)
        weighted, squared = count * level, count * level**2
        if interval is not None:
            ends = (np.full(gains.shape, end) for end in interval)
            best, there = largest_between(self.root, beta, gamma[:, None], *ends)
            gain = np.where(count > 0, best - gains, -np.inf)
            k = gain.argmax(1)
            value = value + gain[rows, k]
            weighted[rows, k] += there[rows, k] - level[rows, k]
            squared[rows, k] += there[rows, k] ** 2 - level[rows, k] ** 2
        slope = np.column_stack(
            [
                1 - weighted.sum(1) - trace,
                self.scaled_cka * radius - weighted @ self.eigenvalues - m,
                squared.sum(1) + trace**2 - 2 * v * v - radius**2,
            ]
        )
        return value, slope, (level, m, v, count)


def _limit(cell: Cell) -> float:
    """Return the largest trace that another block can have."""
    return max(min(cell[1], 1 - cell[0]), 1e-12)


def _second(cell: Cell) -> tuple[float, float]:
    """Return the interval of the second largest block of a cell."""
    return cell[2], min(cell[3], _limit(cell))


def _third(cell: Cell) -> float:
    """Return the largest trace that any further block can have."""
    least, most = _second(cell)
    return max(min(most, 1 - cell[0] - least), 1e-12)


def _peak(product: np.ndarray, eta: float, gamma: float) -> np.ndarray:
    """Return the Lagrangian of a turned pair at its stationary point, less what the trace adds."""
    return np.asarray(1 / (4 * eta) + (eta * product) ** 2 / (2 * gamma))
