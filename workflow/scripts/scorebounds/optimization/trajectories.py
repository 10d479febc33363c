"""Trajectories of synthetic data during an optimisation, and how they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field

import numpy as np
import xarray as xr

REACHED = "reached"
STEP_LIMIT = "step limit"
NOT_FINITE = "not finite"


@dataclass
class Trajectory:
    """The scores and data of one seed during an optimisation.

    Attributes
    ----------
    score : list of float
        Score after 0, 1, 2, … updates.
    captured : ndarray, shape (n_updates + 1, n_components)
        R² of each principal component of X at the same steps; single precision.
    checkpoints : dict of int to ndarray, shape (n_samples, n_neurons)
        Y after so many updates, in single precision, at steps spread evenly over the score.
    final : ndarray, shape (n_samples, n_neurons)
        Y after the last update, in single precision.
    stop_reason : str
        `reached`, `step limit` or `not finite`.
    """

    n_components: InitVar[int]
    score: list[float] = field(default_factory=list)
    checkpoints: dict[int, np.ndarray] = field(default_factory=dict)
    final: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    stop_reason: str = ""

    def __post_init__(self, n_components: int) -> None:
        # One block that doubles: a small array kept at every step, between the large ones that
        # come and go, would fragment the heap by gigabytes.
        self._captured = np.empty((64, n_components), dtype=np.float32)

    @property
    def captured(self) -> np.ndarray:
        """R² of each component after 0, 1, 2, … updates."""
        return self._captured[: len(self.score)]

    def record(self, score: float, captured: np.ndarray) -> None:
        """Add what the next update led to."""
        step = len(self.score)
        if step == len(self._captured):
            self._captured = np.concatenate([self._captured, np.empty_like(self._captured)])
        self._captured[step] = captured
        self.score.append(score)


def to_dataset(
    trajectories: Sequence[Trajectory], variance_ratio: np.ndarray, attrs: Mapping[str, object]
) -> xr.Dataset:
    """Put the trajectories of all seeds into one labelled dataset.

    Returns
    -------
    Dataset
        `score` (seed, step) and `captured` (seed, step, component), NaN after a seed's last step;
        `stop_reason` (seed), `n_updates` (seed), `variance_ratio` (component), components counted
        from 1; `final_activity` (seed, sample, neuron); and the checkpoints of all seeds one after
        the other, `checkpoint_activity` (checkpoint, sample, neuron) with `checkpoint_seed`,
        `_step` and `_score`.
    """
    n_steps = max(len(trajectory.score) for trajectory in trajectories)
    score = np.full((len(trajectories), n_steps), np.nan)
    captured = np.full((*score.shape, len(variance_ratio)), np.nan, dtype=np.float32)
    for seed, trajectory in enumerate(trajectories):
        score[seed, : len(trajectory.score)] = trajectory.score
        captured[seed, : len(trajectory.score)] = trajectory.captured
    variables = {
        "score": (("seed", "step"), score),
        "captured": (("seed", "step", "component"), captured),
        "n_updates": ("seed", [len(trajectory.score) - 1 for trajectory in trajectories]),
        "stop_reason": ("seed", [trajectory.stop_reason for trajectory in trajectories]),
        "variance_ratio": ("component", variance_ratio),
        "final_activity": (
            ("seed", "sample", "neuron"),
            np.stack([trajectory.final for trajectory in trajectories]),
        ),
        **_checkpoint_variables(trajectories),
    }
    coords = {"component": np.arange(1, len(variance_ratio) + 1)}
    return xr.Dataset(variables, coords=coords, attrs=dict(attrs))


def _checkpoint_variables(
    trajectories: Sequence[Trajectory],
) -> dict[str, tuple[str | tuple[str, ...], list[float] | list[int] | np.ndarray]]:
    kept = [
        (seed, step, trajectory.score[step], activity)
        for seed, trajectory in enumerate(trajectories)
        for step, activity in trajectory.checkpoints.items()
    ]
    if not kept:
        return {}
    seeds, steps, scores, activities = zip(*kept, strict=True)
    return {
        "checkpoint_seed": ("checkpoint", list(seeds)),
        "checkpoint_step": ("checkpoint", list(steps)),
        "checkpoint_score": ("checkpoint", list(scores)),
        "checkpoint_activity": (("checkpoint", "sample", "neuron"), np.stack(activities)),
    }
