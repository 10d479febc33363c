"""Branch and bound with Lagrange multipliers: certify that a score is at most a goal.

The set of all L is covered by cases (which block is the largest, or which component is the last one
that is kept) and, within each case, by cells of one or two numbers (the trace of the block; ρ and a
share). Any multipliers give a valid bound of every case in a cell, so that the search for good ones
cannot invalidate a result.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

# Cases of a cell whose multipliers are tuned at once.
BATCH = 8
# Multipliers that are kept for the next cells, and how many of them are tried first.
N_KEPT, N_TRIED = 40, 12
N_STEPS = 120
# Share of the tolerance by which multipliers are tuned below the goal, so that they serve others.
SPARE = 0.75
# What an evaluation costs beyond its terms, in terms.
OVERHEAD = 6000

Cell = tuple[float, ...]


class Work:
    """An amount of work, counted in terms of the Lagrangian, that is the same on every machine.

    A term takes about 30 ns.

    Parameters
    ----------
    most : float
        Largest number of terms to evaluate.
    """

    def __init__(self, most: float = np.inf):
        self.left = most

    def spend(self, n_terms: float) -> None:
        """Count terms that were evaluated."""
        self.left -= n_terms

    def covers(self, n_terms: float) -> bool:
        """Tell whether as many terms can still be evaluated."""
        return self.left >= n_terms

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.left <= 0


class Dual(Protocol):
    """A family of Lagrangian bounds of a score, from above."""

    n_cases: int
    n_terms: int
    # Where evaluations are counted, each with its overhead.
    work: Work

    def cells(self) -> list[Cell]:
        """Return the cells to start from."""

    def split(self, cell: Cell) -> tuple[Cell, Cell] | None:
        """Return the two halves of a cell, or None where it is too narrow."""

    def cell_bound(self, cell: Cell) -> float:
        """Return a bound of all cases in a cell that needs no multipliers, inf if there is none."""

    def bounds(
        self, multipliers: np.ndarray, cell: Cell, cases: np.ndarray, goal: float
    ) -> np.ndarray:
        """Return a valid bound of each case in a cell; only those near the goal need be tight."""

    def tune(
        self, cases: np.ndarray, cell: Cell, start: np.ndarray, goal: float, n_steps: int
    ) -> np.ndarray:
        """Return multipliers for each case, tuned until its bound meets the goal where it can."""


class Certificate(NamedTuple):
    """What was proven.

    Attributes
    ----------
    bound : float
        The score is at most this; inf where the work or the cells ran out.
    n_cells, n_tuned : int
        Cells visited, and cases whose multipliers were tuned.
    multipliers : list of ndarray, shape (3,)
        The latest that closed a case, to start from at a similar problem.
    """

    bound: float
    n_cells: int
    n_tuned: int
    multipliers: list[np.ndarray]


def certify(
    dual: Dual,
    goal: float,
    tolerance: float,
    pool: Sequence[np.ndarray],
    work: Work | None = None,
    most_cells: float = np.inf,
) -> Certificate:
    """Prove that a score is at most `goal`, or as little above it as the bounds allow.

    Parameters
    ----------
    dual : Dual
    goal : float
        What to prove.
    tolerance : float
        Distance of the goal from the value that is attained.
    pool : sequence of ndarray, shape (3,)
        Multipliers to start from, the best last.
    work : Work, optional
        What may be spent; nothing is proven once it is over. No limit by default.
    most_cells : float
        Number of cells after which nothing is proven; nor is it where a cell cannot meet the goal.
        By default there is no limit, and the goal is raised instead.

    Returns
    -------
    Certificate
        `bound` is the goal where all cases meet it, else the largest bound of a case.
    """
    kept, dual.work = list(pool), work or Work()
    todo = [(cell, np.arange(dual.n_cases)) for cell in dual.cells()]
    n_cells = n_tuned = 0
    while todo:
        if dual.work.is_over or n_cells >= most_cells:
            return Certificate(np.inf, n_cells, n_tuned, kept)
        cell, cases = todo.pop()
        n_cells += 1
        state = _Open(dual, cell, cases, goal)
        for multipliers in kept[: -N_TRIED - 1 : -1]:
            state.try_multipliers(multipliers)
        while len(state.cases):
            if dual.work.is_over:
                return Certificate(np.inf, n_cells, n_tuned, kept)
            chosen = state.representatives()
            tuned = dual.tune(chosen, cell, kept[-1], goal - SPARE * tolerance, N_STEPS)
            n_tuned += len(chosen)
            kept += [multipliers for multipliers in tuned if state.try_multipliers(multipliers)]
            del kept[:-N_KEPT]
            stuck = np.isin(state.cases, chosen)
            if not stuck.any():
                continue
            halves = dual.split(cell)
            if halves is not None:
                todo += [(half, state.cases) for half in halves]
                break
            if np.isfinite(most_cells):
                return Certificate(np.inf, n_cells, n_tuned, kept)
            goal = max(goal, float(state.bound[stuck].max()))
            state.raise_goal(goal)
    return Certificate(goal, n_cells, n_tuned, kept)


class _Open:
    """The cases of a cell whose bound is still above the goal."""

    def __init__(self, dual: Dual, cell: Cell, cases: np.ndarray, goal: float):
        self.dual, self.cell, self.cases, self.goal = dual, cell, cases, goal
        self.bound = np.full(len(cases), dual.cell_bound(cell))
        self.raise_goal(goal)

    def try_multipliers(self, multipliers: np.ndarray) -> bool:
        """Improve the bounds of all open cases, and tell whether any was closed."""
        if not len(self.cases) or not np.isfinite(multipliers).all():
            return False
        found = self.dual.bounds(multipliers, self.cell, self.cases, self.goal)
        self.bound = np.fmin(self.bound, found)
        n_before = len(self.cases)
        self.raise_goal(self.goal)
        return len(self.cases) < n_before

    def raise_goal(self, goal: float) -> None:
        """Keep the cases whose bound is above a goal."""
        self.goal = goal
        above = self.bound > goal
        self.cases, self.bound = self.cases[above], self.bound[above]

    def representatives(self) -> np.ndarray:
        """Return some open cases, from the worst bound to the best."""
        order = np.argsort(-self.bound, kind="stable")
        ranks = np.unique(np.linspace(0, len(order) - 1, BATCH).astype(int))
        cases: np.ndarray = self.cases[order[ranks]]
        return cases
