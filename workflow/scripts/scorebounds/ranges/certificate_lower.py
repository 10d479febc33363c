"""Certified smallest NBS at a given CKA: Lagrangian bounds over the sorted spectrum of Y.

The bound and its proof are in docs/theory/certificate.md. Case j is the number of components of X
that Y keeps whole. Cells are intervals of ρ = ‖ℓ‖, of the share that Y keeps of the next component,
and of the level ℓ of that component, in units of the largest that sorted ℓ can have there. All
values are those of −NBS, so that both ends of the range are bounds from above; see
`branching.Dual`.
"""

from collections.abc import Hashable
from itertools import pairwise

import numpy as np

from scorebounds.ranges.branching import OVERHEAD, Cell, Work
from scorebounds.ranges.ellipsoid import minimise_convex
from scorebounds.ranges.nbs_bounds import (
    largest_partial_sums,
    participation_window,
    sums_of_roots,
)
from scorebounds.ranges.quartic import smallest_terms

N_CELLS = 40
# Ratio of the ends of a cell, less 1, below which it is not split.
NARROWEST = 1e-3
# Widths of intervals of the share and of the level below which they are not split.
NARROWEST_SHARE, NARROWEST_LEVEL = 1 / 16, 1 / 128
LEAST = 1e-7
# How far multipliers can be from where a search starts, as a share of these.
SPREAD = 1.5

# Directions outside X share a term with up to this share of as many as come before them.
GROUPED = 1 / 16

# A cell of each case: ends of ρ, of the share, and of the level.
Cells = tuple[np.ndarray, ...]


class LowerDual:
    """Bounds of −NBS over all Y of a CKA of `cka`; see `branching.Dual`.

    Parameters
    ----------
    spectrum : ndarray, shape (r,)
        Eigenvalues of XXᵀ, in decreasing order, of sum 1.
    cka : float
    rank : int
        Largest rank of Y, at least r.
    norm : float, optional
        ‖λ‖, where only the first eigenvalues are given.
    """

    def __init__(self, spectrum: np.ndarray, cka: float, rank: int, norm: float | None = None):
        self.spectrum, self.cka, self.rank = spectrum, cka, rank
        self.norm = float(np.linalg.norm(spectrum)) if norm is None else norm
        self.root = np.sqrt(spectrum)
        self.number, self.count = groups(len(spectrum), rank)
        self.n_cases, self.n_terms = len(spectrum), len(self.number)
        self.start = np.array([0.5, 1 / (cka + 0.1), 5.0])
        self.work = Work()

    @property
    def key(self) -> Hashable:
        """See `remembered.Problem`."""
        return self.cka, self.norm, self.rank, self.spectrum.tobytes()

    def window(self) -> tuple[float, float]:
        """Return the smallest and largest ρ."""
        first, last = participation_window(self.cka, self.spectrum, self.rank)
        # Both ends are rounded outwards; that Y has such a ρ is no condition of the bound.
        return first * (1 - 1e-12), max(last, first) * (1 + 1e-12)

    def cells(self) -> list[Cell]:
        """Return the cells of ρ."""
        edges = np.geomspace(*self.window(), N_CELLS + 1)
        return [(float(a), float(b), 0.0, 1.0, 0.0, 1.0) for a, b in pairwise(edges)]

    def split(self, cell: Cell) -> tuple[Cell, Cell] | None:
        """Return the two halves of a cell, or None where it is too narrow."""
        whole = np.log(np.divide(*self.window()[::-1])) / N_CELLS
        ratio = cell[1] / cell[0]
        widths = [np.log(ratio) / whole, cell[3] - cell[2], cell[5] - cell[4]]
        can_split = [
            ratio > 1 + NARROWEST,
            widths[1] > NARROWEST_SHARE,
            widths[2] > NARROWEST_LEVEL,
        ]
        sizes = np.where(can_split, widths, 0)
        if not sizes.any():
            return None
        at = 2 * int(sizes.argmax())
        low, high = cell[at : at + 2]
        middle = float(np.sqrt(low * high)) if at == 0 else 0.5 * (low + high)
        before, after = cell[:at], cell[at + 2 :]
        return (*before, low, middle, *after), (*before, middle, high, *after)

    def cell_bound(self, cell: Cell) -> float:
        """Return the bound of a cell that follows from partial sums (docs/bounds.md, section 2)."""
        shared = np.array([self.cka * self.norm * cell[0]])
        sums = largest_partial_sums(np.array([cell[1]]), shared, self.spectrum, self.rank)
        sums = np.minimum(sums, shared[:, None])
        sums[:, -1] = shared
        return -float(sums_of_roots(sums)[0])

    def _terms(
        self, multipliers: np.ndarray, highest: np.ndarray, least: np.ndarray, most: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return least terms and minimisers of kept components, and of those outside X.

        The ℓ of kept components are at least `least`, those outside X at most `most`.
        """
        alpha, eta, gamma = (multipliers[:, k, None] for k in range(3))
        limit = np.minimum(1 / self.number, highest[:, None] / np.sqrt(self.number))
        inside, beta = limit[:, : len(self.root)], alpha + eta * self.spectrum
        bottom = np.minimum(least[:, None], inside)
        kept, at_kept = smallest_terms(self.root, beta, gamma, inside, bottom)
        top = np.minimum(limit, most[:, None])
        at_out = np.clip(np.minimum(alpha / (2 * gamma), top), 0, None)
        return kept, at_kept, gamma * at_out**2 - alpha * at_out, at_out

    def _partial(
        self, multipliers: np.ndarray, cases: np.ndarray, share: np.ndarray, cell: Cells
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the least term, and its ℓ, of a component of which Y keeps a share."""
        alpha, eta, gamma = multipliers.T
        root, beta = self.root[cases] * np.sqrt(share), alpha + eta * self.spectrum[cases] * share
        number = self.number[cases]
        limit = np.minimum(cell[5] / number, cell[1] / np.sqrt(number))
        least = np.minimum(cell[4] / number, limit)
        return smallest_terms(root, beta, gamma, limit, least)

    def _of_radius(self, multipliers: np.ndarray, cell: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Return the least term in ρ, at an end of the cell, and that ρ."""
        slope, gamma = multipliers[:, 1] * self.cka * self.norm, multipliers[:, 2]
        low, high = (slope * rho - gamma * rho**2 for rho in cell[:2])
        return np.minimum(low, high), np.where(low <= high, cell[0], cell[1])

    def bounds(
        self,
        multipliers: np.ndarray,
        cell: Cell,
        cases: np.ndarray,
        goal: float,  # noqa: ARG002
    ) -> np.ndarray:
        """Return a valid bound of −NBS for each case in a cell, rounding included."""
        if cell[4:] == (0, 1):
            total = self._all_bounds(multipliers[None], tuple(np.array([end]) for end in cell))[
                cases
            ]
        else:
            ends = tuple(np.full(len(cases), end) for end in cell)
            total, *_ = self.lagrangian(np.repeat(multipliers[None], len(cases), 0), cases, ends)
            # Sorted ℓ have none so large there.
            number = self.number[cases]
            total[cell[4] / number > cell[1] / np.sqrt(number)] = np.inf
        alpha, eta, gamma = np.abs(multipliers)
        size = alpha + eta + gamma + self.rank * (2 * alpha + eta + 2 * gamma) + self.root.sum()
        rounding = 4 * (self.rank + 32) * np.finfo(float).eps * size
        return np.asarray(rounding - total)

    def _all_bounds(self, multipliers: np.ndarray, cell: Cells) -> np.ndarray:
        """Return a bound of NBS for each case, in a cell of all levels, from cumulative sums."""
        self.work.spend(OVERHEAD + self.n_terms)
        kept, _, out, _ = (each[0] for each in self._terms(multipliers, cell[1], cell[4], cell[5]))
        of_radius, _ = self._of_radius(multipliers, cell)
        r = len(kept)
        before = np.append(0, np.cumsum(kept))
        after = np.append(np.cumsum(out[:r][::-1])[::-1], 0)
        # The term of the share is concave in it, and least at an end of the cell.
        ends = [self._partial(multipliers, np.arange(r), end, cell)[0] for end in cell[2:4]]
        total = before[:-1] + np.minimum(*ends) + after[1:]
        rest = out[r:] @ self.count[r:]
        return np.asarray(total + rest + multipliers[0, 0] + of_radius[0])

    def tune(
        self, cases: np.ndarray, cell: Cell, start: np.ndarray, goal: float, n_steps: int
    ) -> np.ndarray:
        """Return multipliers for each case in the cell."""
        ends = tuple(np.full(len(cases), end) for end in cell)
        starts = np.repeat(start[None], len(cases), 0)
        goals = np.full(len(cases), goal)
        return self.minimise(cases, ends, starts, goals, n_steps)[1]

    def minimise(
        self,
        cases: np.ndarray,
        cell: Cells,
        start: np.ndarray,
        goal: np.ndarray | None,
        n_steps: int,
        spread: np.ndarray | float = SPREAD,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Minimise the bound of each case over multipliers within about a share of the start."""

        def objective(
            rows: np.ndarray, at: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            low: np.ndarray = np.asarray(at[:, 1:] <= np.array([0, LEAST]))
            outside: np.ndarray = np.asarray(low.any(1))
            safe = np.where(outside[:, None], start[rows], at)
            ends = tuple(end[rows] for end in cell)
            value, slope, _, _ = self.lagrangian(safe, cases[rows], ends)
            outward = np.column_stack([np.zeros(len(at)), -1.0 * low[:, 0], -1.0 * ~low[:, 0]])
            return -value, np.where(outside[:, None], outward, -slope), outside

        radii = np.reshape(spread, (-1, 1)) * np.abs(start) * np.array([0.6, 1.0, 1.0]) + 0.3
        return minimise_convex(objective, start, radii, goal, n_steps)

    def lagrangian(
        self, multipliers: np.ndarray, cases: np.ndarray, cell: Cells
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return bounds of NBS, gradients in the multipliers, minimisers ℓ and numbers kept."""
        self.work.spend(OVERHEAD + len(cases) * self.n_terms)
        number = self.number[cases]
        limits = cell[4] / number, cell[5] / number
        kept, at_kept, out, at_out = self._terms(multipliers, cell[1], *limits)
        of_radius, rho = self._of_radius(multipliers, cell)
        rows, r = np.arange(len(cases)), len(self.root)
        parts = [self._partial(multipliers, cases, end, cell) for end in cell[2:4]]
        is_more = parts[1][0] < parts[0][0]
        share = np.where(is_more, cell[3], cell[2])
        is_kept = np.arange(r) < cases[:, None]
        level, terms = at_out.copy(), out.copy()
        level[:, :r] = np.where(is_kept, at_kept, at_out[:, :r])
        terms[:, :r] = np.where(is_kept, kept, out[:, :r])
        level[rows, cases] = np.where(is_more, parts[1][1], parts[0][1])
        terms[rows, cases] = np.minimum(parts[0][0], parts[1][0])
        value = multipliers[:, 0] + of_radius + terms @ self.count
        shared = np.where(is_kept, at_kept, 0) @ self.spectrum
        shared = shared + self.spectrum[cases] * share * level[rows, cases]
        n_kept = cases + (share > 0)
        slope = np.column_stack(
            [
                1 - level @ self.count,
                self.cka * self.norm * rho - shared,
                level**2 @ self.count - rho**2,
            ]
        )
        return value, slope, level, n_kept


def groups(r: int, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first number of each group of directions of Y, and how many are in it.

    Those of X's components are single. Others differ only in the largest ℓ that sorted ℓ can have,
    and take that of the first in their group.
    """
    first = list(range(1, r + 1))
    start = r + 1
    while start <= rank:
        first.append(start)
        start += max(1, int(GROUPED * start))
    number = np.array(first)
    return number, np.diff(np.append(number, rank + 1)).astype(float)
