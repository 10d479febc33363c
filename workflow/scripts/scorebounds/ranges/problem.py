"""One dataset and one pair of measures: what was reached, and what can be attained."""

from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scorebounds.core.measure_table import entry_of
from scorebounds.core.random import derived_seed
from scorebounds.measures import registry
from scorebounds.optimization.optimize import starting_points
from scorebounds.ranges.attained import Ends, SearchSettings, Space, find_ends
from scorebounds.ranges.bounds import base_of, from_base, outer_range, to_base
from scorebounds.ranges.certified import certified_range
from scorebounds.ranges.constructed import constructed_paths
from scorebounds.ranges.families import paths
from scorebounds.ranges.fewer import in_fewer_samples
from scorebounds.ranges.full import FullSpace, as_points, draw_noise, full_paths
from scorebounds.ranges.joint import FixedX, Joint, optimize_jointly, point_at_goal
from scorebounds.ranges.joint_free import FreeX
from scorebounds.ranges.linked_bounds import samples_of
from scorebounds.ranges.nbs_bounds import Range
from scorebounds.ranges.reduced import Points, ReducedSpace, without_spare_columns
from scorebounds.ranges.search import ON_GOAL, correct

# How far the score of an attained Y, in full coordinates, may be from the value it stands for.
TOLERANCE = 1e-6
# Ends this near to the best agree with it.
AGREEMENT = 1e-3
ENDS = {"lower": -1, "upper": 1}
# Newton's steps to a goal in all samples, from where fewer of them met it.
N_CORRECTIONS = 5
# Linear regression jumps where a component appears: its shares have to be fine.
N_SHARES = 1001

Sides = tuple[Tensor, Tensor]


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
        entries = [entry_of(name) for name in names]
        self.reduced = all(entry.few_coordinates for entry in entries)
        x = without_spare_columns(x) if all(each.rotation_invariant for each in entries) else x
        self.names, self.settings = names, settings
        self.dataset, self.seed = dataset, seed
        self.loaded = {name: registry.load(name) for name in names}
        self.base = (base_of(names[0]), base_of(names[1]))
        spread = torch.linalg.svdvals(x - x.mean(0))
        kept = spread > spread[0] * max(x.shape) * torch.finfo(x.dtype).eps
        self.eigenvalues = spread[kept].square().cpu().numpy()
        self.largest_rank = min(x.shape[1], len(x) - 1)
        self.samples = samples_of(x.cpu().numpy())
        self._certified: dict[Hashable, Range] = {}
        self._all_samples = x
        self._fewer = in_fewer_samples(x, self.base, self._stream("fewer samples"))
        # What is searched: as many samples as the scores need.
        self.x = x if self._fewer is None else self._fewer.x
        part = settings["reduced" if self.reduced else "full"]
        self.n_grid = part["n_grid"]
        self.search_settings = SearchSettings(*(part[key] for key in SearchSettings._fields))
        self.space: Space
        if self.reduced:
            # Few numbers in many steps, which a GPU computes no faster.
            self.space = ReducedSpace(self.x.cpu(), self._stream("outside"))
        else:
            self.space = FullSpace(self.x, {name: registry.load(name) for name in self.base})

    def _stream(self, purpose: str) -> int:
        return derived_seed(self.seed, "ranges", purpose, self.dataset, *self.names)

    def joint_optimisation(self, grid: np.ndarray) -> tuple[Joint, dict[tuple[int, int], Sides]]:
        """Run method 1; return it, and what it attained at values of the grid, by end."""
        names = ("ranges", self.dataset, *self.names)
        n_samples, width = self._all_samples.shape
        y = starting_points((n_samples, width), self.seed, names, 1)[0].to(self.x)
        if self._fewer is not None:
            y = self._fewer.reduce(y)
            # Adam's steps have one size, whatever that of Y is.
            y = y / y.square().mean().sqrt()
        settings = dict(self.settings["joint"])
        moving = (FreeX if settings.pop("x") == "free" else FixedX)(self.x, self.names)
        evaluate, found = moving.scorer(), {}
        goals = torch.from_numpy(grid).to(self.x.device)
        joint = optimize_jointly(evaluate, moving.start(y), goals, **settings)
        for (index, sign), between in joint.crossings.items():
            first, second = (side.double() for side in between)
            point = point_at_goal(evaluate, first, second, float(grid[index]))
            if point is None:
                continue
            sides = self._at_goal(moving.sides(point), self.names[0], float(grid[index]))
            if sides is not None:
                found[index, sign] = sides
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
        goals = torch.from_numpy(to_base(names[0], grid))
        goals = goals if self.reduced else goals.to(self.x)
        found = find_ends(
            self.space,
            base,
            goals,
            sign,
            self._paths(base, goals, others, sign),
            self.search_settings,
        )
        x_itself = registry.load(base[0]).score(self.x, self.x).item()
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

    def certified(
        self,
        names: tuple[str, str],
        grid: np.ndarray,
        ends: Collection[str] = tuple(ENDS),
    ) -> Range:
        """Return the certified ends of b at each value of a; NaN where there are none."""
        key = names, grid.tobytes(), tuple(ends)
        if key not in self._certified:
            self._certified[key] = certified_range(
                *names,
                grid,
                self.eigenvalues,
                self.largest_rank,
                outside=len(self.x) - 1 > len(self.eigenvalues),
                tolerance=self.settings["certificate"]["tolerance"],
                ends=ends,
                samples=self.samples,
            )
        lower, upper = self._certified[key]
        return lower.copy(), upper.copy()

    def outer(self, names: tuple[str, str], grid: np.ndarray) -> Range:
        """Return the bounds of b at each value of a without branching; NaN where none is known."""
        return outer_range(*names, grid, self.eigenvalues, self.largest_rank, samples=self.samples)

    def _paths(
        self,
        names: tuple[str, str],
        goals: Tensor,
        others: Mapping[tuple[int, int], Tensor],
        sign: int,
    ) -> Iterator[Points]:
        if isinstance(self.space, ReducedSpace):
            # Where a is not linear regression, its goals are no shares: some of all sizes.
            shares = torch.cat(
                [goals, torch.linspace(0, 1, N_SHARES, dtype=goals.dtype, device=goals.device)]
            )
            yield from paths(self.space, self._stream("starts"), torch.unique(shares)).values()
            yield from self._constructed(names, goals, sign).values()
            return
        noise = draw_noise(self._all_samples, self._stream("starts"))
        yield from full_paths(self.x, noise.in_fewer(self._fewer) if self._fewer else noise)
        own = [y for (_, end), y in sorted(others.items()) if end == sign]
        if len(own) > 1:
            yield as_points(torch.stack(own))

    def _constructed(self, names: tuple[str, str], goals: Tensor, sign: int) -> dict[str, Points]:
        """Return data near the ends of NBS at each CKA, where these are the measures."""
        if names != ("cka", "nbs") or not isinstance(self.space, ReducedSpace):
            return {}
        return constructed_paths(self.space, goals.cpu().numpy(), largest_nbs=sign > 0)

    def _first_sound(
        self, found: Ends, index: int, sign: int, name: str, value: float
    ) -> Tensor | None:
        """Return the best Y of a goal whose score in full coordinates is the goal."""
        for row in found.best(index, sign).tolist():
            y = self.space.build(found.points[row : row + 1]).to(self.x.device)
            sides = self._at_goal((self.x, y), name, value)
            if sides is not None:
                return sides[1]
        return None

    def _at_goal(self, sides: Sides, name: str, value: float) -> Sides | None:
        """Return X and Y where they score `value` in all samples, or None where they do not."""
        x, y = sides
        try:
            if self._fewer is not None and not self._fewer.is_exact:
                y = self._moved_to_goal(x, y, name, value)
            return (x, y) if abs(self._score((x, y), name) - value) <= TOLERANCE else None
        except ValueError:
            return None

    def _moved_to_goal(self, x: Tensor, y: Tensor, name: str, value: float) -> Tensor:
        """Move Y in fewer samples until that of all samples is at its goal."""
        base = registry.load(base_of(name))
        goal = torch.from_numpy(to_base(name, np.array([value]))).to(y)

        def scores(points: Tensor) -> tuple[Tensor, Tensor]:
            score = base.score(*self._in_all_samples((x, points.view(y.shape))))[None]
            return score, score

        return correct(scores, y.flatten()[None], goal, N_CORRECTIONS).view(y.shape)

    def _in_all_samples(self, sides: Sides) -> Sides:
        """Return X and Y whose scores count; fewer samples have them already where exact."""
        if self._fewer is None or self._fewer.is_exact:
            return sides
        x, y = sides
        whole = self._all_samples if x is self.x else self._fewer.expand(x)
        return whole, self._fewer.expand(y)

    def _score(self, sides: Sides, name: str) -> float:
        return self.loaded[name].score(*self._in_all_samples(sides)).item()

    def score_b(self, sides: Sides | None) -> float:
        """Return the second score of an attained X and Y."""
        return np.nan if sides is None else self._score(sides, self.names[1])
