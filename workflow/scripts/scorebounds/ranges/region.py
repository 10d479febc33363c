"""The range of a pair of scores on one dataset, by all three methods."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.core.random import derived_seed
from scorebounds.measures import registry
from scorebounds.measures.inputs import require_matrix
from scorebounds.optimization.optimize import starting_points
from scorebounds.ranges.attained import Effort, Ends, Space, find_ends
from scorebounds.ranges.bounds import base_of, from_base, outer_range, to_base
from scorebounds.ranges.families import paths
from scorebounds.ranges.full import FullSpace, as_points, full_paths
from scorebounds.ranges.joint import FixedX, Joint, on_the_way, optimize_jointly
from scorebounds.ranges.joint_free import FreeX, require_gradient_in_x
from scorebounds.ranges.reduced import MEASURES, Points, ReducedSpace
from scorebounds.ranges.search import ON_GOAL
from scorebounds.ranges.verdicts import verdict

logger = logging.getLogger(__name__)

# How far the score of an attained Y, in full coordinates, may be from the value it stands for.
TOLERANCE = 1e-6
# Ends this near to the best agree with it.
AGREEMENT = 1e-3
ENDS = {"lower": -1, "upper": 1}
# Linear regression jumps where a component appears: its shares have to be fine.
N_SHARES = 1001

Sides = tuple[Tensor, Tensor]


class PairRange(NamedTuple):
    """The range of one pair of scores on one dataset: see `pair_range`."""

    region: pd.DataFrame
    guides: pd.DataFrame
    trajectories: pd.DataFrame


def require_pair_of_scores(names: Sequence[str]) -> None:
    """Raise ValueError unless both measures have a gradient and run up to 1."""
    for name in names:
        measure = registry.load(name)
        if not measure.differentiable or measure.perfect != 1 or measure.bounds[1] != 1:
            raise ValueError(
                f"ranges need measures that have a gradient and run up to 1, got {name!r}"
            )
    if len(set(names)) != len(names):
        raise ValueError(f"a range needs two different measures, got {names[0]!r} twice")


def pair_range(
    x: Tensor, names: tuple[str, str], dataset: str, *, seed: int, settings: Mapping[str, Any]
) -> PairRange:
    """Find which values of one score go with each value of another.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
        The reference; Y has at most its width.
    names : tuple of str
        Ids of measures a and b.
    dataset : str
        Name, for the tables and the random streams.
    seed : int
    settings : mapping
        The section `ranges` of the configuration.

    Returns
    -------
    PairRange
        `region`: per value of a, the lower and upper end of b by the joint optimisation of Cloos et
        al. 2025 (`paper`), by constrained search (`attained`) and the bound that no Y can cross
        (`outer`); empty where a method has none. `paper_x` tells whether X was fixed or free; what
        is reached with X free is no point of the region of this X. `guides`: which b go with an a
        of at least the guide, and the reverse. `trajectories`: those of the joint optimisation,
        thinned.

    Raises
    ------
    ValueError
        If the data or the pair of measures cannot be used.
    """
    require_pair_of_scores(names)
    if settings["joint"]["x"] == "free":
        require_gradient_in_x(names)
    require_matrix(x)
    problem = PairProblem(x, names, dataset, seed, settings)
    grid = np.linspace(0, 1, problem.n_grid)
    joint, paper = problem.paper(grid)
    region = pd.DataFrame({"dataset": dataset, "a": names[0], "b": names[1], "a_value": grid})
    region["paper_x"] = settings["joint"]["x"]
    others = {key: y for key, (x_there, y) in paper.items() if x_there is x}
    outer = outer_range(*names, grid, problem.eigenvalues, problem.largest_rank)
    for number, (end, sign) in enumerate(ENDS.items()):
        best, counts = problem.attained(names, grid, sign, others)
        region[f"paper_{end}"] = [problem.score_b(paper.get((i, sign))) for i in range(len(grid))]
        region[f"attained_{end}"] = best
        region[f"outer_{end}"] = outer[number]
        region[f"gap_{end}"] = sign * (outer[number] - best)
        region[f"n_starts_{end}"], region[f"n_agreed_{end}"] = counts
    guides = problem.guides(region)
    return PairRange(region, guides, trajectory_table(joint, dataset, names, settings["n_kept"]))


class PairProblem:
    """One dataset and pair of measures, with what all methods need of it.

    Parameters are those of `pair_range`.
    """

    def __init__(
        self,
        x: Tensor,
        names: tuple[str, str],
        dataset: str,
        seed: int,
        settings: Mapping[str, Any],
    ):
        self.x, self.names, self.settings = x, names, settings
        self.dataset, self.seed = dataset, seed
        self.loaded = {name: registry.load(name) for name in names}
        self.base = (base_of(names[0]), base_of(names[1]))
        spread = torch.linalg.svdvals(x - x.mean(0))
        kept = spread > spread[0] * max(x.shape) * torch.finfo(x.dtype).eps
        self.eigenvalues = spread[kept].square().cpu().numpy()
        self.largest_rank = min(x.shape[1], len(x) - 1)
        self.reduced = set(self.base) <= set(MEASURES)
        part = settings["reduced" if self.reduced else "full"]
        self.n_grid = part["n_grid"]
        self.effort = Effort(*(part[key] for key in Effort._fields))
        self.space: Space
        if self.reduced:
            self.space = ReducedSpace(x, self._stream("outside"))
        else:
            self.space = FullSpace(x, {name: registry.load(name) for name in self.base})

    def _stream(self, purpose: str) -> int:
        return derived_seed(self.seed, "ranges", purpose, self.dataset, *self.names)

    def paper(self, grid: np.ndarray) -> tuple[Joint, dict[tuple[int, int], Sides]]:
        """Run method 1; return it, and what it attained at values of the grid, by end."""
        names = ("ranges", self.dataset, *self.names)
        n_samples, width = self.x.shape
        y = starting_points((n_samples, width), self.seed, names, 1)[0].to(self.x.device)
        settings = dict(self.settings["joint"])
        moving = (FreeX if settings.pop("x") == "free" else FixedX)(self.x, self.names)
        evaluate, found = moving.scorer(), {}
        goals = torch.from_numpy(grid).to(self.x.device)
        joint = optimize_jointly(evaluate, moving.start(y), goals, **settings)
        for (index, sign), between in joint.crossings.items():
            point = on_the_way(evaluate, *between, float(grid[index]))
            if point is not None and self._is_at(moving.sides(point), self.names[0], grid[index]):
                found[index, sign] = moving.sides(point)
        return joint, found

    def attained(
        self,
        names: tuple[str, str],
        grid: np.ndarray,
        sign: int,
        others: Mapping[tuple[int, int], Tensor],
    ) -> tuple[np.ndarray, tuple[list[int], list[int]]]:
        """Run method 2; return the end of b at each value of a, and how many starts agreed."""
        base = (base_of(names[0]), base_of(names[1]))
        goals = torch.from_numpy(to_base(names[0], grid)).to(self.x)
        found = find_ends(
            self.space, base, goals, sign, self._paths(goals, others, sign), self.effort
        )
        x_itself = registry.load(base[0]).score(self.x, self.x)
        ends, n_starts, n_agreed = [], [], []
        for index, value in enumerate(grid):
            candidates = [self._first_sound(found, index, sign, names[0], value)]
            candidates += [others.get((index, each)) for each in ENDS.values()]
            candidates += [self.x] if abs(x_itself - goals[index]) < ON_GOAL else []
            scores = [self._score((self.x, y), names[1]) for y in candidates if y is not None]
            end = max(scores, key=lambda score: sign * score) if scores else np.nan
            ends.append(end)
            of_goal = found.b[(found.goal == index) & found.searched].cpu().numpy()
            n_starts.append(len(of_goal))
            agree = np.abs(from_base(names[1], of_goal) - end) < AGREEMENT
            n_agreed.append(int(agree.sum()))
        return np.array(ends), (n_starts, n_agreed)

    def _paths(
        self, goals: Tensor, others: Mapping[tuple[int, int], Tensor], sign: int
    ) -> dict[str, Points]:
        if isinstance(self.space, ReducedSpace):
            # Where a is not linear regression, its goals are no shares: some of all sizes.
            shares = torch.cat(
                [goals, torch.linspace(0, 1, N_SHARES, dtype=goals.dtype, device=goals.device)]
            )
            return paths(self.space, self._stream("starts"), shares.unique())
        found = full_paths(self.x, self._stream("starts"))
        own = [y for (_, end), y in sorted(others.items()) if end == sign]
        if len(own) > 1:
            found["joint optimisation"] = as_points(torch.stack(own))
        return found

    def _first_sound(
        self, found: Ends, index: int, sign: int, name: str, value: float
    ) -> Tensor | None:
        """Return the best Y of a goal whose score in full coordinates is the goal."""
        for row in found.best(index, sign).tolist():
            y = self.space.build(found.points[row : row + 1])
            if self._is_at((self.x, y), name, value):
                return y
        return None

    def _is_at(self, sides: Sides, name: str, value: float) -> bool:
        try:
            return abs(self._score(sides, name) - value) <= TOLERANCE
        except ValueError:
            return False

    def _score(self, sides: Sides, name: str) -> float:
        return self.loaded[name].score(*sides).item()

    def score_b(self, sides: Sides | None) -> float:
        """Return the second score of an attained X and Y."""
        return np.nan if sides is None else self._score(sides, self.names[1])

    def guides(self, region: pd.DataFrame) -> pd.DataFrame:
        """Return which scores each measure of the pair allows the other, from the guide on."""
        level = self.settings["guide"]
        a, b = self.names
        high = region[region.a_value >= level - 1e-9]
        levels = np.unique([level, 1.0])
        forward = [high.attained_lower.min(), high.attained_upper.max()]
        if abs(region.a_value - level).min() > 1e-9:  # the guide is no value of the grid
            at = [self.attained((a, b), levels, sign, {})[0] for sign in ENDS.values()]
            forward = [np.fmin(forward[0], at[0].min()), np.fmax(forward[1], at[1].max())]
        back = {end: self.attained((b, a), levels, sign, {})[0] for end, sign in ENDS.items()}
        reached = region.a_value[region.attained_upper >= level]
        lower = pd.Series([*back["lower"], *reached]).min()
        upper = pd.Series([*back["upper"], *reached]).max()
        fine = np.linspace(level, 1, 6)
        rows = []
        for given, implied, ends in ((a, b, forward), (b, a, (lower, upper))):
            outer = outer_range(given, implied, fine, self.eigenvalues, self.largest_rank)
            names = {"dataset": self.dataset, "given": given, "implied": implied, "level": level}
            proven = {"outer_low": outer[0].min(), "outer_high": outer[1].max()}
            rows.append({**names, "low": ends[0], "high": ends[1], **proven})
        table = pd.DataFrame(rows)
        table["verdict"] = verdict(table.low[0], table.low[1])
        return table


def trajectory_table(
    joint: Joint, dataset: str, names: tuple[str, str], n_kept: int
) -> pd.DataFrame:
    """Tabulate the trajectories of the joint optimisation, at most `n_kept` points of each."""
    tables = []
    for number, (target, scores) in enumerate(zip(joint.targets, joint.scores, strict=True)):
        steps = np.unique(np.linspace(0, len(scores) - 1, n_kept).round().astype(int))
        tables.append(
            pd.DataFrame(
                {
                    "dataset": dataset,
                    "a": names[0],
                    "b": names[1],
                    "target": number,
                    "a_target": target[0],
                    "b_target": target[1],
                    "step": steps,
                    "a_value": scores[steps, 0],
                    "b_value": scores[steps, 1],
                }
            )
        )
    return pd.concat(tables)
