"""What a task is: trials to train on, and conditions to record a network in."""

from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

# In single precision, differences by rounding between the kernels of two processors grow during
# training until the networks have nothing in common.
PRECISION = torch.float64


class Trials(NamedTuple):
    """Trials of a task.

    Attributes
    ----------
    inputs : Tensor, shape (n_steps, n_trials, n_inputs)
    targets : Tensor, shape (n_steps, n_trials, n_outputs)
        The outputs of a network that does the task perfectly.
    weight : Tensor, shape (n_steps, n_trials, 1)
        Weight of each step in the loss.
    condition : ndarray of int, shape (n_trials,)
        Index of each trial's condition.
    """

    inputs: Tensor
    targets: Tensor
    weight: Tensor
    condition: np.ndarray


class Task(Protocol):
    """What a network is trained to do.

    Attributes
    ----------
    n_inputs, n_outputs, n_conditions : int
    step_ms : int
        Duration of an Euler step.
    """

    n_inputs: int
    n_outputs: int
    n_conditions: int
    step_ms: int

    def trials(self, condition: np.ndarray, generator: torch.Generator | None) -> Trials:
        """Draw a trial of each given condition; without a generator, without noise."""
        ...

    def correct(self, trials: Trials, outputs: Tensor) -> np.ndarray:
        """Return for each trial whether the outputs, shaped like `targets`, are correct."""
        ...

    def psychometric(self, trials: Trials, outputs: Tensor) -> pd.DataFrame:
        """Summarise the outputs by what was shown."""
        ...

    def recorded(self, rates: np.ndarray) -> xr.DataArray:
        """Label rates (n_steps, n_conditions, n_units) of the noise-free conditions, in order."""
        ...
