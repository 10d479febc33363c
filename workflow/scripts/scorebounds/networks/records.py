"""Record a network trained on a task: its rates, learning curve and behaviour."""

import pandas as pd
import xarray as xr

from scorebounds.core.recording import with_history, without_constant_neurons
from scorebounds.networks.rnn import RateNetwork, Trained, held_out, noise_free
from scorebounds.networks.trials import Task


def record(
    network: RateNetwork, task: Task, trained: Trained, name: str, seed: int
) -> xr.DataArray:
    """Record the units in each condition, without noise, at the recording's times.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        Rates with the task's labels. Attributes: accuracy (on held-out trials, with noise),
        correct_without_noise (of the conditions recorded), steps, stopped, seed.
    """
    rates, correct = noise_free(network, task)
    array = task.recorded(rates)
    array = array.assign_attrs(
        dataset=name,
        licence="",
        citation="",
        accuracy=trained.accuracy,
        correct_without_noise=correct,
        steps=trained.n_steps,
        stopped=trained.stopped,
        seed=seed,
    )
    done = [
        f"trained {network.n_units} units for {trained.n_steps} steps ({trained.stopped}), to "
        f"{trained.accuracy:.1%} of held-out trials correct",
        f"ran each condition once without noise, {correct:.1%} of {task.n_conditions} correct",
    ]
    history = array.attrs["history"].splitlines()
    array = with_history(array.assign_attrs(history=""), *done, *history)
    return without_constant_neurons(array)


def learning_table(trained: Trained, name: str) -> pd.DataFrame:
    """Return the learning curve: a row per evaluation on the held-out trials.

    Columns model, step, loss (mean since the last evaluation), accuracy (share of held-out trials),
    correct_without_noise (share of conditions).
    """
    columns = ["step", "loss", "accuracy", "correct_without_noise"]
    table = pd.DataFrame(trained.curve, columns=columns)
    table.insert(0, "model", name)
    return table.astype({"step": int})


def psychometric_table(network: RateNetwork, task: Task, seed: int, name: str) -> pd.DataFrame:
    """Return the network's behaviour in the held-out trials, see `Task.psychometric`."""
    table = task.psychometric(*held_out(network, task, seed))
    table.insert(0, "model", name)
    return table
