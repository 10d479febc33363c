"""Gradient optimisation of synthetic data Y towards a score with a fixed reference X."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from scorebounds.core.random import derived_seed
from scorebounds.measures.base import ORTHOGONAL, TRANSLATION, Measure
from scorebounds.measures.components import PrincipalComponents, principal_components
from scorebounds.measures.inputs import require_matrix
from scorebounds.measures.pair import Pair, Reference
from scorebounds.measures.precision import source_precision
from scorebounds.optimization.adam import Adam
from scorebounds.optimization.capture import captured_variance
from scorebounds.optimization.trajectories import NOT_FINITE, REACHED, STEP_LIMIT, Trajectory

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_REPORTS = 10


def starting_points(
    shape: tuple[int, int], seed: int, names: Sequence[str], n_seeds: int
) -> Tensor:
    """Draw standard normal Y, shape (n_seeds, *shape), one named random stream per seed."""
    draws = []
    for index in range(n_seeds):
        generator = torch.Generator().manual_seed(derived_seed(seed, "start", *names, index))
        draws.append(torch.randn(shape, generator=generator, dtype=torch.float64))
    return torch.stack(draws)


def optimize(
    x: Tensor,
    measure: Measure,
    starts: Tensor,
    *,
    stop_score: float,
    max_steps: int,
    learning_rate: float,
    n_checkpoints: int,
) -> tuple[list[Trajectory], PrincipalComponents]:
    """Optimise Y towards `stop_score` of `measure` from every starting point with Adam.

    A distance is reduced. Where scores do not run up to 1, `stop_score` is a share of the way
    (`Measure.target_score`).

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
        The reference.
    measure : Measure
        Has to be differentiable.
    starts : Tensor, shape (n_seeds, n_samples, n_y)
        Where each trajectory starts; all are optimised as one batch, in the precision of `starts`.
        The captured variance is always computed in that of `x`.
    stop_score : float
        A trajectory ends with the first score at or above it.
    max_steps : int
        Number of updates after which a trajectory ends in any case.
    learning_rate : float
        Adam's; 0.1 in Cloos et al. 2025, section 3.
    n_checkpoints : int
        Number of score levels, from the first score to `stop_score`, at whose crossing Y is kept.

    Returns
    -------
    list of Trajectory
        In the order of `starts`.
    PrincipalComponents
        The PCs of `x` that `captured` refers to.

    Raises
    ------
    ValueError
        If the reference cannot be used or the measure cannot be optimised.
    """
    require_matrix(x)
    if not measure.differentiable:
        raise ValueError(f"measure {measure.name!r} has no gradient to follow, it can only score")
    reference = Reference(x, precision=source_precision(x))
    goal = _Goal(measure.target_score(stop_score, reference), up=measure.higher_is_closer)
    components = principal_components(x)
    evaluate = evaluator(x, measure, components, starts.dtype)
    keeper = _CheckpointKeeper(goal, n_checkpoints)
    trajectories = [Trajectory(len(components.eigenvalues)) for _ in starts]
    active = trajectories
    y = starts.clone().requires_grad_()
    adam = Adam(y, learning_rate, maximize=goal.up)
    report = _ProgressReport(measure.name, max_steps)
    for step in range(max_steps + 1):
        score, captured = evaluate(y)
        # One transfer each, for a GPU waits at every one.
        scores, of_components = score.tolist(), captured.cpu().numpy()
        reasons = _stop_reasons(scores, goal, last=step == max_steps)
        if not all(reasons):
            gradient, reasons = _gradient(score, y, reasons)
        for row, trajectory in enumerate(active):
            trajectory.record(scores[row], of_components[row])
            trajectory.stop_reason = reasons[row]
            keeper.keep(trajectory, y[row])
            if reasons[row]:
                trajectory.final = _single(y[row])
        going = [row for row, reason in enumerate(reasons) if not reason]
        if not going:
            break
        if len(going) < len(active):
            y, gradient = y.detach()[going].requires_grad_(), gradient[going]
            adam.keep(going)
            active = [active[row] for row in going]
        adam.step(y, gradient)
        report.show(step, score.detach())
    return trajectories, components


def evaluator(
    x: Tensor,
    measure: Measure,
    components: PrincipalComponents,
    dtype: torch.dtype = torch.float64,
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return the function of Y that gives the score and the captured variance of each PC.

    Scores are computed in the precision `dtype`, which is that of Y, and the captured variance in
    that of the components.
    """
    in_components = Reference(components.scores)
    # In PC coordinates XᵀY serves the score and the capture; a measure that a rotation of X
    # would change gets X as it is, and the capture its own products.
    rotated = {ORTHOGONAL, TRANSLATION} <= measure.invariances
    shared = rotated and dtype == x.dtype
    if rotated:
        reference = in_components if shared else Reference(components.scores.to(dtype))
    else:
        reference = Reference(x.to(dtype), precision=source_precision(x))

    def evaluate(y: Tensor) -> tuple[Tensor, Tensor]:
        pair = Pair(reference, y)
        score = measure.compare(pair)
        captured = pair if shared else Pair(in_components, y.detach().to(x.dtype))
        return score, captured_variance(captured, components)

    return evaluate


class _Goal(NamedTuple):
    """The score to reach, and whether it is above or below."""

    score: float
    up: bool

    def signed_score(self, score: float) -> float:
        """Return the score, or minus a distance: what the optimisation raises."""
        return score if self.up else -score


def _stop_reasons(scores: list[float], goal: _Goal, *, last: bool) -> list[str]:
    def reason(value: float) -> str:
        if not np.isfinite(value):
            return NOT_FINITE
        if goal.signed_score(value) >= goal.signed_score(goal.score):
            return REACHED
        return STEP_LIMIT if last else ""

    return [reason(value) for value in scores]


def _gradient(score: Tensor, y: Tensor, reasons: list[str]) -> tuple[Tensor, list[str]]:
    """Return each trajectory's gradient, and stop those where it is not finite."""
    (gradient,) = torch.autograd.grad(score.sum(), y)
    # A sum is as finite as what it adds, and takes one pass.
    finite = torch.isfinite(gradient.flatten(1).sum(1)).tolist()
    return gradient, [
        reason or ("" if fine else NOT_FINITE) for reason, fine in zip(reasons, finite, strict=True)
    ]


class _CheckpointKeeper:
    """Keeps Y whenever the score passes the next of its evenly spaced levels, and at the end."""

    def __init__(self, goal: _Goal, n_levels: int):
        self.goal = goal
        self.n_levels = n_levels

    def keep(self, trajectory: Trajectory, y: Tensor) -> None:
        if self.n_levels == 0:
            return
        signed = [self.goal.signed_score(score) for score in trajectory.score]
        levels = np.linspace(signed[0], self.goal.signed_score(self.goal.score), self.n_levels)
        best_before = max(signed[:-1], default=-np.inf)
        passed_before, passed = np.searchsorted(levels, [best_before, signed[-1]], "right")
        if passed > passed_before or trajectory.stop_reason:
            step = len(trajectory.score) - 1
            trajectory.checkpoints[step] = _single(y)


def _single(y: Tensor) -> np.ndarray:
    return y.detach().to(torch.float32).cpu().numpy()


class _ProgressReport:
    """Says in the log how far the batch has come, every few seconds."""

    def __init__(self, name: str, max_steps: int):
        self.name = name
        self.max_steps = max_steps
        self.last = time.monotonic()

    def show(self, step: int, score: Tensor) -> None:
        if time.monotonic() - self.last >= SECONDS_BETWEEN_REPORTS:
            self.last = time.monotonic()
            logger.info(
                "%s: step %d of at most %d, %d trajectories at %.3f to %.3f",
                self.name,
                step,
                self.max_steps,
                len(score),
                score.min().item(),
                score.max().item(),
            )
