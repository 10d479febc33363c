"""Recurrent networks of leaky rate units, trained on a task; training can be resumed."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from scorebounds.core.random import derived_seed
from scorebounds.networks.trials import PRECISION, Task, Trials

logger = logging.getLogger(__name__)

NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}
# Initial spectral radius; below 1, activity decays to zero.
RADIUS = 1.0
LARGEST_GRADIENT = 1.0
Point = tuple[float, float, float, float]
# Held-out trials of each condition.
N_HELD_OUT = 20


class RateNetwork(nn.Module):
    """Leaky rate units, τ dx/dt = −x + W f(x) + b + B u + noise, in Euler steps.

    Parameters
    ----------
    n_inputs, n_units, n_outputs : int
    nonlinearity : str
        `tanh` or `relu`, the f of x → rate.
    leak : float
        Step over time constant τ, above 0 and at most 1.
    noise : float
        Standard deviation that the noise alone would give x.
    """

    def __init__(
        self,
        n_inputs: int,
        n_units: int,
        n_outputs: int,
        *,
        nonlinearity: str,
        leak: float,
        noise: float,
    ):
        super().__init__()
        self.rate = NONLINEARITIES[nonlinearity]
        self.n_units, self.leak, self.noise = n_units, leak, noise
        self.inputs = nn.Parameter(_normal((n_inputs, n_units)) / n_inputs**0.5)
        self.recurrent = nn.Parameter(RADIUS * _normal((n_units, n_units)) / n_units**0.5)
        self.bias = nn.Parameter(torch.zeros(n_units, dtype=PRECISION))
        self.readout = nn.Linear(n_units, n_outputs, dtype=PRECISION)

    def rates(self, inputs: Tensor, generator: torch.Generator | None) -> Tensor:
        """Run from x = 0.

        Parameters
        ----------
        inputs : Tensor, shape (n_steps, n_trials, n_inputs)
        generator : Generator on the CPU, optional
            Of the noise; none without it.

        Returns
        -------
        Tensor, shape (n_steps, n_trials, n_units)
        """
        drive = self.leak * (inputs @ self.inputs + self.bias)
        if generator is not None and self.noise:
            # With this factor the noise alone gives x the standard deviation `noise`.
            scale = self.noise * (self.leak * (2 - self.leak)) ** 0.5
            drive = drive + scale * _normal(drive.shape, generator).to(drive.device)
        recurrent = self.leak * self.recurrent
        x = torch.zeros_like(drive[0])
        rates = []
        for driven in drive:
            x = torch.addmm(driven, self.rate(x), recurrent).add(x, alpha=1 - self.leak)
            rates.append(self.rate(x))
        return torch.stack(rates)

    def forward(self, inputs: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return the outputs, shape (n_steps, n_trials, n_outputs)."""
        outputs: Tensor = self.readout(self.rates(inputs, generator))
        return outputs


def _normal(shape: Sequence[int], generator: torch.Generator | None = None) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=PRECISION)


class Trained(NamedTuple):
    """How training went.

    Attributes
    ----------
    curve : ndarray, shape (n_points, 4)
        Step, mean loss since the last point (NaN at the first), share of held-out trials that are
        correct, and of the task's conditions that are correct without noise.
    stopped : str
        `reached` the accuracy, `step limit`, or `untrained`.
    """

    curve: np.ndarray
    stopped: str

    @property
    def n_steps(self) -> int:
        """Number of updates."""
        return int(self.curve[-1, 0])

    @property
    def accuracy(self) -> float:
        """Share of correct held-out trials at the end."""
        return float(self.curve[-1, 2])


def make_network(
    task: Task, seed: int, *, n_units: int, nonlinearity: str, time_constant: float, noise: float
) -> RateNetwork:
    """Make an untrained network for a task, its weights drawn from `seed`.

    Raises
    ------
    ValueError
        If the time constant, in ms, is below the task's step.
    """
    if time_constant < task.step_ms:
        raise ValueError(
            f"task-networks, time_constant: expected at least the step of {task.step_ms} ms, "
            f"got {time_constant:g} ms"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return RateNetwork(
            task.n_inputs,
            n_units,
            task.n_outputs,
            nonlinearity=nonlinearity,
            leak=task.step_ms / time_constant,
            noise=noise,
        )


def train(
    network: RateNetwork,
    task: Task,
    *,
    seed: int,
    batch_size: int,
    learning_rate: float,
    stop_accuracy: float,
    max_steps: int,
    check_every: int,
    saved: Mapping[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] | None = None,
) -> Trained:
    """Train with Adam until enough held-out trials are correct.

    Every step has its own random numbers, so that training resumed from a saved state ends with
    the same weights as training that was never interrupted.

    Parameters
    ----------
    network : RateNetwork
        Changed in place, on the device where it is.
    seed : int
        Of the trials and the noise.
    stop_accuracy : float
        Share of correct held-out trials at which training ends, provided that every condition is
        correct without noise; it ends in any case after `max_steps` updates.
    check_every : int
        Updates between two evaluations on the held-out trials.
    saved : mapping, optional
        The state that `save` received last.
    save : function, optional
        Called at each evaluation with the state needed to resume.
    """
    adam = torch.optim.Adam(network.parameters(), lr=learning_rate)
    if saved is None:
        curve = [(0.0, float("nan"), *_evaluate(network, task, seed))]
    else:
        network.load_state_dict(saved["network"])
        adam.load_state_dict(saved["adam"])
        curve = saved["curve"]
        logger.info("resuming after step %d", curve[-1][0])
    losses: list[Tensor] = []
    for step in range(int(curve[-1][0]) + 1, max_steps + 1):
        if _is_done(curve[-1], stop_accuracy):
            break
        losses.append(_update(network, adam, task, derived_seed(seed, "step", step), batch_size))
        if step % check_every == 0 or step == max_steps:
            mean_loss = torch.stack(losses).mean().item()
            curve.append((float(step), mean_loss, *_evaluate(network, task, seed)))
            losses = []
            said = "step %d of at most %d: loss %.4f, correct %.3f, without noise %.3f"
            logger.info(said, step, max_steps, *curve[-1][1:])
            if save is not None:
                save({"network": network.state_dict(), "adam": adam.state_dict(), "curve": curve})
    return Trained(np.array(curve), _stop_reason(curve[-1], stop_accuracy, max_steps))


def _evaluate(network: RateNetwork, task: Task, seed: int) -> tuple[float, float]:
    """Return the shares of held-out trials and of noise-free conditions that are correct."""
    accuracy = float(task.correct(*held_out(network, task, seed)).mean())
    return accuracy, noise_free(network, task)[1]


def _is_done(point: Point, stop_accuracy: float) -> bool:
    return point[2] >= stop_accuracy and point[3] == 1


def _stop_reason(point: Point, stop_accuracy: float, max_steps: int) -> str:
    if max_steps == 0:
        return "untrained"
    if _is_done(point, stop_accuracy):
        return "reached"
    logger.warning(
        "training ended after %d steps with %.1f %% of held-out trials correct and %.1f %% of "
        "conditions without noise; expected %.1f %% (stop_accuracy) and all",
        max_steps,
        100 * point[2],
        100 * point[3],
        100 * stop_accuracy,
    )
    return "step limit"


def _update(
    network: RateNetwork, adam: torch.optim.Adam, task: Task, seed: int, batch_size: int
) -> Tensor:
    """Make one step of Adam on a batch of trials, and return its loss."""
    generator = torch.Generator().manual_seed(seed)
    condition = torch.randint(task.n_conditions, (batch_size,), generator=generator).numpy()
    device = network.bias.device
    trials = task.trials(condition, generator)
    outputs = network(trials.inputs.to(device), generator)
    error = (outputs - trials.targets.to(device)) ** 2
    loss: Tensor = (trials.weight.to(device) * error).mean()
    adam.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
    adam.step()
    return loss.detach()


@torch.no_grad()
def held_out(network: RateNetwork, task: Task, seed: int) -> tuple[Trials, Tensor]:
    """Return the held-out trials, as many of each condition, and the network's outputs in them."""
    generator = torch.Generator().manual_seed(derived_seed(seed, "held out"))
    trials = task.trials(np.repeat(np.arange(task.n_conditions), N_HELD_OUT), generator)
    return trials, network(trials.inputs.to(network.bias.device), generator)


@torch.no_grad()
def noise_free(network: RateNetwork, task: Task) -> tuple[np.ndarray, float]:
    """Run each condition without any noise.

    Returns
    -------
    rates : ndarray, shape (n_steps, n_conditions, n_units)
        Double precision.
    correct : float
        Share of the conditions that the network does correctly.
    """
    trials = task.trials(np.arange(task.n_conditions), None)
    rates = network.rates(trials.inputs.to(network.bias.device), None)
    correct = float(task.correct(trials, network.readout(rates)).mean())
    return rates.cpu().numpy(), correct
