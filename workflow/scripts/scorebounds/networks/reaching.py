"""Centre-out reaching, to the targets and at the times of Hatsopoulos et al. 2007."""

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from scorebounds.core.recording import recording
from scorebounds.networks.trials import PRECISION, Trials


class ReachingTask:
    """Centre-out reaching to eight targets, for motor cortex.

    The direction of the target (cosine and sine) is shown, and a hold signal is on until the go
    cue, 250 ms before the movement. The two outputs are the velocity of the hand, in distances to
    the target per second: 0 before the movement, then a minimum-jerk reach of 400 ms, which is
    bell-shaped. Onset of target and go cue vary between drawn trials, so that the movement has to
    wait for the cue.
    """

    n_inputs, n_outputs, n_conditions = 3, 2, 8
    step_ms = 10
    first_ms, last_ms, target_ms, go_ms, duration_ms = -1000, 400, -900, -250, 400
    recorded_from_ms = -800
    # Largest shift of target onset and movement onset in a drawn trial.
    target_jitter_ms, movement_jitter_ms = 80, 300
    # A reach that ends within this share of the distance to the target has reached it.
    radius = 0.1

    def __init__(self) -> None:
        self.time_ms = np.arange(self.first_ms, self.last_ms + self.step_ms, self.step_ms)
        angle = 2 * np.pi * np.arange(self.n_conditions) / self.n_conditions
        self.direction = np.stack([np.cos(angle), np.sin(angle)], -1)

    def _speed(self, since_onset_ms: Tensor) -> Tensor:
        """Return the speed of a minimum-jerk reach of unit distance, per second."""
        share = (since_onset_ms / self.duration_ms).clamp(0, 1)
        return 30 * share**2 * (1 - share) ** 2 / (self.duration_ms / 1000)

    def trials(self, condition: np.ndarray, generator: torch.Generator | None) -> Trials:
        """Draw a trial of each given condition; without a generator, movement starts at 0."""
        n_trials = len(condition)
        time = torch.from_numpy(self.time_ms).double()[:, None]
        target = torch.full((n_trials,), float(self.target_ms), dtype=PRECISION)
        onset = torch.zeros(n_trials, dtype=PRECISION)
        if generator is not None:
            drawn = torch.rand(2, n_trials, generator=generator, dtype=PRECISION)
            target += self.target_jitter_ms * (2 * drawn[0] - 1)
            # Earlier only, so that the reach ends within the trial.
            onset -= self.movement_jitter_ms * drawn[1]
        direction = torch.from_numpy(self.direction[condition]).double()
        shown = (time >= target).double()[..., None]
        held = (time < onset + self.go_ms).double()[..., None]
        targets = self._speed(time - onset)[..., None] * direction
        inputs = torch.cat([shown * direction, held], -1)
        weight = torch.ones(len(time), n_trials, 1, dtype=PRECISION)
        return Trials(inputs, targets, weight, condition)

    def _endpoints(self, outputs: Tensor) -> np.ndarray:
        endpoints: np.ndarray = outputs.sum(0).cpu().numpy() * self.step_ms / 1000
        return endpoints

    def _endpoint_error(self, trials: Trials, outputs: Tensor) -> np.ndarray:
        distance = self._endpoints(outputs) - self.direction[trials.condition]
        error: np.ndarray = np.linalg.norm(distance, axis=-1)
        return error

    def correct(self, trials: Trials, outputs: Tensor) -> np.ndarray:
        """Return for each trial whether the integrated velocity ends near the target."""
        correct: np.ndarray = self._endpoint_error(trials, outputs) < self.radius
        return correct

    def psychometric(self, trials: Trials, outputs: Tensor) -> pd.DataFrame:
        """Return by target where reaches end and how well the velocity is followed.

        Columns target, angle (degrees), end_x, end_y (means), endpoint_error (mean distance, as a
        share of the target's), velocity_r2 (share of the target velocity's sum of squares),
        n_trials.
        """
        ends, error = self._endpoints(outputs), self._endpoint_error(trials, outputs)
        targets = trials.targets.cpu().numpy()
        residual = ((outputs.cpu().numpy() - targets) ** 2).sum((0, 2))
        total = (targets**2).sum((0, 2))
        rows = []
        for target in range(self.n_conditions):
            of = trials.condition == target
            rows.append(
                {
                    "target": target,
                    "angle": 360 * target / self.n_conditions,
                    "end_x": ends[of, 0].mean(),
                    "end_y": ends[of, 1].mean(),
                    "endpoint_error": error[of].mean(),
                    "velocity_r2": 1 - residual[of].sum() / total[of].sum(),
                    "n_trials": int(of.sum()),
                }
            )
        return pd.DataFrame(rows)

    def recorded(self, rates: np.ndarray) -> xr.DataArray:
        """Keep the recording's times, every 10 ms around movement onset, and label the targets."""
        kept = self.time_ms >= self.recorded_from_ms
        array = recording(
            rates[kept],
            {"target": np.arange(self.n_conditions)},
            units="1",
            time=self.time_ms[kept],
            names=np.array([f"target {target}" for target in range(self.n_conditions)]),
            done=["kept the times around movement onset"],
        )
        return array.assign_attrs(decode_over="times", decode_from=0.0)
