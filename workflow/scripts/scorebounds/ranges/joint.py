"""Method 1, that of Cloos et al. 2025: Adam optimises both scores towards a target at once."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from scorebounds.measures import registry
from scorebounds.measures.base import ORTHOGONAL, TRANSLATION
from scorebounds.measures.closed_form import angular
from scorebounds.measures.components import principal_components
from scorebounds.measures.pair import Pair, Reference
from scorebounds.optimization.adam import Adam
from scorebounds.ranges.bounds import ANGULAR_OF, base_of

Scorer = Callable[[Tensor], tuple[Tensor, Tensor]]

# Loss below which a trajectory has arrived at its target.
ARRIVED = 1e-3
# Numbers in the points that are optimised as one batch, so that memory does not grow with the
# number of targets.
BATCH_NUMBERS = 20_000_000


class Joint(NamedTuple):
    """Result of the joint optimisation of one pair of scores.

    Attributes
    ----------
    targets : ndarray, shape (n_targets, 2)
    scores : list of ndarray, shape (n_steps_of_target, 2)
        Both scores along each trajectory.
    crossings : dict of (index, sign) to tuple of Tensor
        For each value of the grid and end (1 the largest b) the two points between which the most
        extreme of all trajectories passed it.
    """

    targets: np.ndarray
    scores: list[np.ndarray]
    crossings: dict[tuple[int, int], tuple[Tensor, Tensor]]


def border_targets(n_targets: int) -> np.ndarray:
    """Return points (a*, b*), evenly spaced along the border of the unit square, from (0, 0)."""
    way = 4 * np.arange(n_targets) / n_targets
    side, along = way.astype(int), way % 1
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=float)
    return np.asarray(corners[side] + along[:, None] * (corners[side + 1] - corners[side]))


def optimize_jointly(
    evaluate: Scorer,
    start: Tensor,
    grid: Tensor,
    *,
    n_targets: int,
    max_steps: int,
    learning_rate: float,
) -> Joint:
    """Minimise |a − a*| + |b − b*| from one start for targets on the border of the unit square.

    Parameters
    ----------
    evaluate : callable
        Takes points, shape (n, *start.shape), and returns scores a and b, shape (n,).
    start : Tensor, shape (n_samples, n_columns)
        Where all trajectories start: Y, or X and Y side by side where both move.
    grid : Tensor, shape (n_grid,)
        Values of a whose crossings are kept.
    n_targets, max_steps : int
        A trajectory ends with a loss below 0.001 or after `max_steps` updates.
    learning_rate : float
        Adam's.

    Returns
    -------
    Joint
        Targets are optimised in batches, in single precision. Cloos et al. 2025, section 4.4.
    """
    start = start.float()
    targets = border_targets(n_targets)
    keeper = _Crossings(grid.float())
    scores: list[np.ndarray] = []
    for goals in torch.from_numpy(targets).to(start).split(max(1, BATCH_NUMBERS // start.numel())):
        scores += _approach(
            evaluate, start, goals, keeper, max_steps=max_steps, learning_rate=learning_rate
        )
    return Joint(targets, scores, keeper.crossings)


def _approach(
    evaluate: Scorer,
    start: Tensor,
    goals: Tensor,
    keeper: "_Crossings",
    *,
    max_steps: int,
    learning_rate: float,
) -> list[np.ndarray]:
    """Optimise one batch of targets; return the scores along each trajectory."""
    scores: list[list[np.ndarray]] = [[] for _ in goals]
    active = torch.arange(len(goals), device=start.device)
    y = start.expand(len(goals), -1, -1).clone()
    adam = Adam(y, learning_rate)
    before: tuple[Tensor, Tensor] | None = None
    for step in range(1, max_steps + 2):
        at = y.detach().requires_grad_()
        both = torch.stack(evaluate(at), -1)
        loss = (both - goals[active]).abs().sum(-1)
        (slope,) = torch.autograd.grad(loss.sum(), at)
        both = both.detach()
        values = both.cpu().numpy()
        for row, number in enumerate(active.tolist()):
            scores[number].append(values[row])
        if before is not None:
            keeper.keep(*before, y, both)
        going = (loss.detach() > ARRIVED) & torch.isfinite(slope).all((1, 2))
        if not going.any() or step > max_steps:
            break
        if not going.all():
            active, y, both, slope = active[going], y[going], both[going], slope[going]
            adam.keep(going)
        before, y = (y, both), y.clone()
        adam.step(y, slope)
    return [np.stack(each) for each in scores]


class FixedX:
    """Points of the joint optimisation that are Y alone, for one X.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
    names : tuple of str
        Ids of measures a and b.
    """

    def __init__(self, x: Tensor, names: tuple[str, str]):
        self.x, self.names = x, names

    def start(self, y: Tensor) -> Tensor:
        """Return the point at which Y is `y`."""
        return y

    def sides(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return X and Y of a point."""
        return self.x, point

    def scorer(self) -> Scorer:
        """Return the function of points that gives both scores, from products that they share.

        It works in the precision of the points.
        """
        base = [registry.load(base_of(name)) for name in self.names]
        rotatable = all({ORTHOGONAL, TRANSLATION} <= each.invariances for each in base)
        references: dict[torch.dtype, Reference] = {}

        def evaluate(points: Tensor) -> tuple[Tensor, Tensor]:
            if points.dtype not in references:
                x = self.x.to(points)
                x = principal_components(x).scores if rotatable else x
                references[points.dtype] = Reference(x)
            pair = Pair(references[points.dtype], points)
            first, second = (
                to_measure_scale(name, each.compare(pair))
                for name, each in zip(self.names, base, strict=True)
            )
            return first, second

        return evaluate


def to_measure_scale(name: str, score: Tensor) -> Tensor:
    """Return the score of `name` that goes with one of its base measure, in its precision."""
    return angular(score) if name in ANGULAR_OF else score


class _Crossings:
    """Keeps, for each value of the grid and each end, the most extreme passage of a over it."""

    def __init__(self, grid: Tensor):
        self.grid = grid
        self.best = grid.new_full((2, len(grid)), -torch.inf)
        self.crossings: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def keep(self, y: Tensor, scores: Tensor, moved: Tensor, scores_there: Tensor) -> None:
        a, a_there = scores[:, :1], scores_there[:, :1]
        passed = (a - self.grid) * (a_there - self.grid) <= 0
        share = (self.grid - a) / torch.where(a_there == a, 1, a_there - a)
        b = scores[:, 1:] + share * (scores_there[:, 1:] - scores[:, 1:])
        for end, sign in enumerate((-1, 1)):
            signed = torch.where(passed & torch.isfinite(b), sign * b, -torch.inf)
            best, row = signed.max(0)
            for index in torch.nonzero(best > self.best[end])[:, 0].tolist():
                self.best[end, index] = best[index]
                pair = y[row[index]].clone(), moved[row[index]].clone()
                self.crossings[index, sign] = pair


def point_at_goal(evaluate: Scorer, first: Tensor, second: Tensor, goal: float) -> Tensor | None:
    """Return the point on the line between two points at which a equals its goal, or None."""
    # SciPy's optimisers are slow to import, and most callers never come here.
    from scipy.optimize import brentq

    def off_goal(share: float) -> float:
        with torch.no_grad():
            return evaluate(first + share * (second - first))[0].item() - goal

    at_first = off_goal(0.0)
    if at_first == 0:
        return first
    if not at_first * off_goal(1.0) <= 0:
        return None
    return first + brentq(off_goal, 0.0, 1.0, xtol=1e-15) * (second - first)
