"""Certified largest NBS at a given CKA: Lagrangian bounds of L with at most one turned pair.

The theorem, the bound and its proof are in docs/theory/certificate.md. Cases are the largest block
of L: a single component k, written (k, −1), or a turned pair (i, j). Cells are intervals of its
trace.
"""

from itertools import pairwise

import numpy as np

from scorebounds.ranges.branching import Cell
from scorebounds.ranges.ellipsoid import minimise_convex
from scorebounds.ranges.quartic import first_maximum, largest_terms, term
from scorebounds.ranges.turned_pair import Pair, best_on_edge, edge_bound, is_feasible, stationary

N_CELLS = 25
NARROWEST = 2e-3
# Smallest multiplier of a constraint whose multiplier is positive.
LEAST = 1e-6
START = np.array([0.5, 1.0, 1.0])
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

    narrowest = NARROWEST

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
        self.all_pairs = self.pair(first, second), first, second

    def pair(self, first: np.ndarray, second: np.ndarray) -> Pair:
        """Return pairs of components."""
        a, b = self.eigenvalues[first], self.eigenvalues[second]
        return Pair((a + b) / 2, (a - b) / 2, self.root[first] * self.root[second])

    def cells(self) -> list[Cell]:
        """Return the cells of the trace of the largest block."""
        edges = np.linspace(0, 1, N_CELLS + 1)
        cells = [(float(a), float(b)) for a, b in pairwise(edges)]
        return [cell for cell in cells if cell[1] * self.n_components >= 1]

    def split(self, cell: Cell) -> tuple[Cell, Cell] | None:
        """Return the two halves of a cell, or None where it is too narrow."""
        middle = 0.5 * (cell[0] + cell[1])
        return None if cell[1] - cell[0] <= NARROWEST else ((cell[0], middle), (middle, cell[1]))

    def cell_bound(self, cell: Cell) -> float:  # noqa: ARG002
        """Return a bound of all cases that needs no multipliers: none is known."""
        return np.inf

    def bounds(
        self, multipliers: np.ndarray, cell: Cell, cases: np.ndarray, goal: float
    ) -> np.ndarray:
        """Return a valid bound of each case in a cell, rounding included."""
        alpha, eta, gamma = (float(each) for each in multipliers)
        limit = np.array(_limit(cell))
        beta = alpha + eta * self.eigenvalues
        gains, _ = largest_terms(self.root, beta, np.array(gamma), limit)
        fixed = (eta * self.scaled_cka) ** 2 / (4 * gamma)
        total = alpha + fixed + float(self.count @ gains)
        first, second = self.first[cases], self.second[cases]
        single = second < 0
        found = np.empty(len(cases))
        if single.any():
            found[single] = self._single_bounds(multipliers, cell, first[single], beta, gains)
        if not single.all():
            pairs = ~single
            found[pairs] = self._pair_bounds(
                multipliers, cell, first[pairs], second[pairs], gains, goal - total
            )
        size = abs(alpha) + fixed + 1 / (4 * eta) + eta**2 / gamma + abs(alpha) + gamma
        size += float(self.count @ (self.root + np.abs(beta) + gamma))
        rounding = 4 * (self.n_components + 32) * np.finfo(float).eps * size
        return found + (total + rounding)

    def _single_bounds(
        self,
        multipliers: np.ndarray,
        cell: Cell,
        component: np.ndarray,
        beta: np.ndarray,
        gains: np.ndarray,
    ) -> np.ndarray:
        """Return what one large component adds, with a smaller turned pair elsewhere."""
        alpha, eta, gamma = multipliers
        limit = _limit(cell)
        pair, first, second = self.all_pairs
        ok = is_feasible(pair, *stationary(pair, eta, gamma), np.array(limit))
        turned = gamma * limit**2 - alpha * limit + _peak(pair.product[ok], eta, gamma)
        turned = turned - gains[first[ok]] - gains[second[ok]]
        root, beta_k = self.root[component], beta[component]
        inner = np.clip(first_maximum(root, beta_k, gamma), cell[0], cell[1])
        best = np.max([term(root, beta_k, gamma, np.asarray(at)) for at in (*cell, inner)], axis=0)
        return np.asarray(best - gains[component] + max(0.0, turned.max(initial=0.0)))

    def _pair_bounds(
        self,
        multipliers: np.ndarray,
        cell: Cell,
        first: np.ndarray,
        second: np.ndarray,
        gains: np.ndarray,
        goal: float,
    ) -> np.ndarray:
        """Return what one large turned pair adds."""
        alpha, eta, gamma = multipliers
        replaced = gains[first] + gains[second]
        lead = max(gamma * s * s - alpha * s for s in cell)
        found = lead + _peak(self.root[first] * self.root[second], eta, gamma) - replaced
        open_cases = np.flatnonzero(found > goal)
        pair = self.pair(first[open_cases], second[open_cases])
        at = stationary(pair, eta, gamma)
        inside = np.any([is_feasible(pair, *at, np.array(s)) for s in cell], axis=0)
        edge = open_cases[~inside]
        if len(edge):
            bound = edge_bound(self.pair(first[edge], second[edge]), multipliers, cell)
            found[edge] = np.fmin(found[edge], bound - replaced[edge])
        return np.asarray(found)

    def tune(
        self, cases: np.ndarray, cell: Cell, start: np.ndarray, goal: float, n_steps: int
    ) -> np.ndarray:
        """Return multipliers for each case at the middle of the cell."""
        trace = np.full(len(cases), 0.5 * (cell[0] + cell[1]))
        limit = np.full(len(cases), _limit(cell))
        starts = np.repeat(start[None], len(cases), 0)
        goals = np.full(len(cases), goal)
        return self.minimise(cases, trace, limit, starts, goals, n_steps)[1]

    def minimise(
        self,
        cases: np.ndarray,
        trace: np.ndarray,
        limit: np.ndarray,
        start: np.ndarray,
        goal: np.ndarray | None,
        n_steps: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Minimise the bound of each case at one trace over the multipliers."""

        def objective(
            rows: np.ndarray, at: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            low: np.ndarray = np.asarray(at[:, 1:] <= LEAST)
            outside: np.ndarray = np.asarray(low.any(1))
            safe = np.where(outside[:, None], start[rows], at)
            value, slope, _ = self.lagrangian(safe, cases[rows], trace[rows], limit[rows])
            outward = np.column_stack([np.zeros(len(at)), -1.0 * low[:, 0], -1.0 * ~low[:, 0]])
            return value, np.where(outside[:, None], outward, slope), outside

        radii = np.column_stack([np.full(len(cases), 0.8), start[:, 1] + 0.2, start[:, 2] + 0.2])
        return minimise_convex(objective, start, radii, goal, n_steps)

    def lagrangian(
        self, multipliers: np.ndarray, cases: np.ndarray, trace: np.ndarray, limit: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
        """Return values, gradients in the multipliers and maximisers (ℓ, m, v, counts of ℓ)."""
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
        weighted = count * level
        slope = np.column_stack(
            [
                1 - weighted.sum(1) - trace,
                self.scaled_cka * radius - weighted @ self.eigenvalues - m,
                (weighted * level).sum(1) + trace**2 - 2 * v * v - radius**2,
            ]
        )
        return value, slope, (level, m, v, count)


def _limit(cell: Cell) -> float:
    """Return the largest trace that another block can have."""
    return max(min(cell[1], 1 - cell[0]), 1e-12)


def _peak(product: np.ndarray, eta: float, gamma: float) -> np.ndarray:
    """Return the Lagrangian of a turned pair at its stationary point, less what the trace adds."""
    return np.asarray(1 / (4 * eta) + (eta * product) ** 2 / (2 * gamma))
