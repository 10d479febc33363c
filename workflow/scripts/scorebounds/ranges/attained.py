"""Method 2: the range of one score at given values of another, every end attained by some Y."""

import logging
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from scorebounds.ranges.reduced import Points, join
from scorebounds.ranges.search import Scores, correct, extremise, leeway

logger = logging.getLogger(__name__)

# How far an end of a path may be from a goal at least, by rounding, and still be a start for it.
NEAR_GOAL = 1e-9
# Numbers held at once in a batch of points. All points of a batch take the steps of its slowest, so
# that large points are searched one after the other.
BATCH_NUMBERS = 1_000_000


class Space(Protocol):
    """Coordinates of Y, and the scores in them.

    Attributes
    ----------
    on_goal : float
        How far from its goal a score may be for the point to count.
    """

    on_goal: float

    def scorer(self, points: Points, names: tuple[str, str]) -> Scores:
        """Return the function of coordinates that gives both scores."""

    def build(self, point: Points) -> Tensor:
        """Return the Y of one point."""


class SearchSettings(NamedTuple):
    """Amount of search: starts per end, rounds of multipliers, steps in each, passes after that."""

    n_starts: int
    n_rounds: int
    n_steps: int
    n_passes: int


class Ends(NamedTuple):
    """Candidates for the ends of a range, one sign of b, best first.

    Attributes
    ----------
    points : Points
        Of all candidates.
    goal : Tensor of int, shape (n,)
        Index of the grid value that each is for.
    b : Tensor, shape (n,)
    searched : Tensor of bool, shape (n,)
        Where a search ended; the others are starts.
    """

    points: Points
    goal: Tensor
    b: Tensor
    searched: Tensor

    def best(self, index: int, sign: int) -> Tensor:
        """Return the numbers of the candidates for a grid value, best first."""
        rows = torch.nonzero(self.goal == index)[:, 0]
        return rows[torch.argsort(-sign * self.b[rows], stable=True)]


def find_ends(
    space: Space,
    names: tuple[str, str],
    grid: Tensor,
    sign: int,
    paths: Iterable[Points],
    search_settings: SearchSettings,
) -> Ends:
    """Search one end of the range of b for each value of a.

    Parameters
    ----------
    space : Space
    names : tuple of str
        Measures a and b.
    grid : Tensor, shape (n_grid,)
        Values of a.
    sign : int
        1 for the largest b, −1 for the smallest.
    paths : iterable of Points
        Kinds of Y to start from, which may be made one after the other; of each path the points
        where a crosses its goal.
    search_settings : SearchSettings

    Returns
    -------
    Ends
        All that was attained.
    """
    starts, goal = _starts(space, names, grid, sign, paths, search_settings.n_starts)
    found = _on_goal(space, names, grid, starts, goal, searched=False)
    searched = _search(space, names, grid, sign, found, search_settings)
    found = _merge(found, searched)
    for _ in range(search_settings.n_passes):
        neighbours = _neighbours(found, len(grid), sign)
        moved = _on_goal(space, names, grid, *neighbours, searched=False)
        found = _merge(found, moved, _search(space, names, grid, sign, moved, search_settings))
    return found


def _starts(
    space: Space,
    names: tuple[str, str],
    grid: Tensor,
    sign: int,
    paths: Iterable[Points],
    n_starts: int,
) -> tuple[Points, Tensor]:
    """Take from each path where a crosses its goal, and keep the most promising for each goal."""
    kept: dict[tuple[int, int], Points] = {}
    values: list[Tensor] = []
    for number, path in enumerate(paths):
        a, b = _score(space, names, path)
        # Per goal the crossing with the best b, on straight lines between neighbours.
        low, high = torch.minimum(a[1:], a[:-1]), torch.maximum(a[1:], a[:-1])
        near = max(space.on_goal, NEAR_GOAL)
        crosses = (low[:, None] - near <= grid) & (grid <= high[:, None] + near)
        rise = (a[1:] - a[:-1])[:, None]
        share = ((grid - a[:-1, None]) / torch.where(rise == 0, 1, rise)).clamp(0, 1)
        between = b[:-1, None] + share * (b[1:] - b[:-1])[:, None]
        signed = torch.where(crosses & torch.isfinite(between), sign * between, -torch.inf)
        best, at = signed.max(0)
        values.append(best)
        ends = torch.stack(values)
        least = ends.topk(min(n_starts, len(ends)), 0).values[-1]
        kept = {place: row for place, row in kept.items() if ends[place] >= least[place[1]]}
        for goal in torch.nonzero(torch.isfinite(best) & (best >= least))[:, 0].tolist():
            row, part = at[goal], share[at[goal], goal]
            start, end = path.coordinates[row], path.coordinates[row + 1]
            kept[number, goal] = Points(
                path.order[row][None].clone(), (start + part * (end - start))[None]
            )
    top = ends.topk(min(n_starts, len(ends)), 0).indices
    good = torch.isfinite(ends.gather(0, top))
    goal = torch.arange(len(grid), device=grid.device).expand_as(top)
    chosen = zip(top[good].tolist(), goal[good].tolist(), strict=True)
    rows = [kept[place] for place in chosen]
    return (join(rows) if rows else path[:0]), goal[good]


def _score(space: Space, names: tuple[str, str], points: Points) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        parts = [space.scorer(part, names)(part.coordinates) for _, part in _batches(points)]
    return torch.cat([a for a, _ in parts]), torch.cat([b for _, b in parts])


def _batches(points: Points) -> list[tuple[slice, Points]]:
    size = max(1, BATCH_NUMBERS // points.coordinates.shape[1])
    slices = [slice(start, start + size) for start in range(0, len(points.coordinates), size)]
    return [(rows, points[rows]) for rows in slices]


def _on_goal(
    space: Space,
    names: tuple[str, str],
    grid: Tensor,
    points: Points,
    goal: Tensor,
    *,
    searched: bool,
) -> Ends:
    """Move points until a meets its goal, and keep those where it does."""
    only_a = names[0], names[0]
    corrected = [
        part.moved(correct(space.scorer(part, only_a), part.coordinates, grid[goal[rows]]))
        for rows, part in _batches(points)
    ]
    if not corrected:
        return Ends(points, goal, grid[:0], torch.zeros_like(goal, dtype=torch.bool))
    points = join(corrected)
    a, b = _score(space, names, points)
    on = ((a - grid[goal]).abs() < space.on_goal * leeway(grid[goal])) & torch.isfinite(b)
    return Ends(points[on], goal[on], b[on], torch.full_like(on[on], searched))


def _search(
    space: Space,
    names: tuple[str, str],
    grid: Tensor,
    sign: int,
    starts: Ends,
    search_settings: SearchSettings,
) -> Ends:
    """Search from each start."""
    results = []
    for rows, part in _batches(starts.points):
        goals = grid[starts.goal[rows]]
        coordinates = extremise(
            space.scorer(part, names),
            part.coordinates,
            goals,
            torch.full_like(goals, sign),
            n_rounds=search_settings.n_rounds,
            n_steps=search_settings.n_steps,
        )
        results.append(part.moved(coordinates))
    if not results:
        return starts
    return _on_goal(space, names, grid, join(results), starts.goal, searched=True)


def _neighbours(found: Ends, n_grid: int, sign: int) -> tuple[Points, Tensor]:
    """Take the best of each goal as a start for the adjacent goals."""
    rows, goals = [], []
    for index in range(n_grid):
        best = found.best(index, sign)
        if len(best):
            adjacent = [goal for goal in (index - 1, index + 1) if 0 <= goal < n_grid]
            rows += [int(best[0])] * len(adjacent)
            goals += adjacent
    numbers = torch.tensor([rows, goals], dtype=torch.long, device=found.goal.device)
    return found.points[numbers[0]], numbers[1]


def _merge(*parts: Ends) -> Ends:
    return Ends(
        join([part.points for part in parts]),
        torch.cat([part.goal for part in parts]),
        torch.cat([part.b for part in parts]),
        torch.cat([part.searched for part in parts]),
    )
