"""Extremes of one score where another is fixed: many small problems solved as one batch."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from scorebounds.optimization.lbfgs import CurvaturePair, descent_direction

logger = logging.getLogger(__name__)

Scores = Callable[[Tensor], tuple[Tensor, Tensor]]

N_MEMORY = 8
TINY = 1e-300
N_SHORTENINGS = 4
FIRST_PENALTY = 20.0
LAST_PENALTY = 1e5
# How far from its goal a score may be for the point to count.
ON_GOAL = 1e-13
SECONDS_BETWEEN_REPORTS = 10


@dataclass(frozen=True)
class AugmentedLagrangian:
    """The objective for a fixed multiplier and penalty of the constraint a = goal.

    Attributes
    ----------
    scores : callable
        Takes points and returns scores a and b.
    goal, sign, multiplier, penalty : Tensor, shape (n_problems,)
    """

    scores: Scores
    goal: Tensor
    sign: Tensor
    multiplier: Tensor
    penalty: Tensor

    def __call__(self, at: Tensor) -> Tensor:
        """Return the objective of each problem."""
        a, b = self.scores(at)
        off = a - self.goal
        return self.multiplier * off + self.penalty / 2 * off.square() - self.sign * b


def extremise(
    scores: Scores, points: Tensor, goal: Tensor, sign: Tensor, *, n_rounds: int, n_steps: int
) -> Tensor:
    """Maximise sign·b with a held at its goal, by augmented Lagrangians and batched L-BFGS.

    Parameters
    ----------
    scores : callable
        Takes points and returns scores a and b, both differentiable, shape (n_problems,).
    points : Tensor, shape (n_problems, n_coordinates)
        Where each problem starts.
    goal, sign : Tensor, shape (n_problems,)
        Value of a; 1 for the largest b, −1 for the smallest.
    n_rounds, n_steps : int
        Rounds of multipliers, and steps of L-BFGS in each.

    Returns
    -------
    Tensor, shape (n_problems, n_coordinates)
        Points near the extremes, with a near its goal; to be corrected.
    """
    multiplier = torch.zeros_like(goal)
    penalty = torch.full_like(goal, FIRST_PENALTY)
    missed = torch.full_like(goal, torch.inf)
    reported = time.monotonic()
    for number in range(n_rounds):
        if time.monotonic() - reported >= SECONDS_BETWEEN_REPORTS:
            reported = time.monotonic()
            logger.info("%d searches: round %d of %d", len(points), number + 1, n_rounds)
        objective = AugmentedLagrangian(scores, goal, sign, multiplier, penalty)
        points = minimise(objective, points, n_steps)
        with torch.no_grad():
            off = scores(points)[0] - goal
        multiplier = multiplier + penalty * off
        slow = off.abs() > 0.25 * missed
        penalty = torch.where(slow, (4 * penalty).clamp(max=LAST_PENALTY), penalty)
        missed = off.abs()
    return points


def minimise(objective: Callable[[Tensor], Tensor], points: Tensor, n_steps: int) -> Tensor:
    """Take L-BFGS steps with backtracking on each row of `points`, until no row decreases."""
    value, slope = _with_slope(objective, points)
    pairs: list[CurvaturePair] = []
    going = torch.ones_like(value, dtype=torch.bool)
    for _ in range(n_steps):
        step = descent_direction(slope, pairs, _initial_scale(slope, pairs))
        downhill = (step * slope).sum(-1)
        steepest = downhill >= 0
        step = torch.where(steepest[:, None], -slope, step)
        downhill = torch.where(steepest, -slope.square().sum(-1), downhill)
        line = (points, value, slope, step, downhill)
        moved, value_there, slope_there, going = _backtrack(objective, *line, going)
        if not going.any():
            break
        moved_by, change = moved - points, slope_there - slope
        curvature = (moved_by * change).sum(-1, keepdim=True)
        size = change.square().sum(-1, keepdim=True)
        sound = curvature > 1e-10 * size.clamp_min(TINY)
        inverse = torch.where(sound, 1 / curvature.masked_fill(~sound, 1), 0)
        pairs = [*pairs[1 - N_MEMORY :], CurvaturePair(moved_by, change, inverse)]
        points, value, slope = moved, value_there, slope_there
    return points


def _with_slope(objective: Callable[[Tensor], Tensor], points: Tensor) -> tuple[Tensor, Tensor]:
    at = points.detach().requires_grad_()
    value = objective(at)
    (slope,) = torch.autograd.grad(value.sum(), at)
    return value.detach(), slope


def _initial_scale(slope: Tensor, pairs: list[CurvaturePair]) -> Tensor:
    """Return the scale of the inverse Hessian that the latest pair suggests, per row."""
    if not pairs:
        first: Tensor = 0.01 / slope.norm(dim=-1, keepdim=True).clamp_min(0.01)
        return first
    inverse, size = pairs[-1].inverse, pairs[-1].change.square().sum(-1, keepdim=True)
    return torch.where(inverse > 0, 1 / (inverse * size).clamp_min(TINY), 1)


def _backtrack(
    objective: Callable[[Tensor], Tensor],
    points: Tensor,
    value: Tensor,
    slope: Tensor,
    step: Tensor,
    downhill: Tensor,
    going: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Shorten the step of each row until its value decreases; a row that fails stays put."""
    length = torch.ones_like(value)
    for _ in range(N_SHORTENINGS):
        moved = (points + length[:, None] * step).detach().requires_grad_()
        at_moved = objective(moved)
        value_there = at_moved.detach()
        fine = (value_there <= value + 1e-4 * length * downhill) & torch.isfinite(value_there)
        if (fine | ~going).all():
            break
        length = torch.where(fine, length, length / 4)
    # Of the points that were tried, only the slope at the last is needed.
    (slope_there,) = torch.autograd.grad(at_moved.sum(), moved)
    moved = moved.detach()
    going = going & fine & torch.isfinite(slope_there).all(-1)
    return (
        torch.where(going[:, None], moved, points),
        torch.where(going, value_there, value),
        torch.where(going[:, None], slope_there, slope),
        going,
    )


def leeway(goal: Tensor) -> Tensor:
    """Return the factor of a tolerance: near 0 other scores change with the square root of a."""
    return torch.where(goal < 1e-3, 1e-3, 1.0).to(goal)


def correct(scores: Scores, points: Tensor, goal: Tensor, n_steps: int = 20) -> Tensor:
    """Move each point along the slope of a until a meets its goal, by Newton's steps."""
    for _ in range(n_steps):
        at = points.detach().requires_grad_()
        a, _ = scores(at)
        off = a.detach() - goal
        moving = off.abs() > ON_GOAL * leeway(goal)
        if not moving.any():
            break
        (slope,) = torch.autograd.grad(a.sum(), at)
        size = slope.square().sum(-1).clamp_min(1e-30)
        step = (off / size)[:, None] * slope
        length = step.norm(dim=-1, keepdim=True)
        largest = 0.1 * points.norm(dim=-1, keepdim=True)
        step = step * (largest / length.clamp_min(TINY)).clamp(max=1)
        fine = moving[:, None] & torch.isfinite(step)
        points = torch.where(fine, points - step, points)
    return points
