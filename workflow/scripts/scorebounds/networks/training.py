"""Train a recurrent network on its task, or leave it as it was drawn, and record it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
import xarray as xr

from scorebounds.core.random import derived_seed
from scorebounds.networks import records, rnn, tasks
from scorebounds.networks.checkpoints import Checkpoint

logger = logging.getLogger(__name__)


class TrainedModel(NamedTuple):
    """A recorded network and how it learned.

    Attributes
    ----------
    recording : DataArray, dims (time, condition, neuron)
    learning, psychometric : DataFrame
        See `records.learning_table` and `records.psychometric_table`.
    checkpoint : Checkpoint
        The saved state of the training, to be removed when the results are written.
    """

    recording: xr.DataArray
    learning: pd.DataFrame
    psychometric: pd.DataFrame
    checkpoint: Checkpoint


def train_and_record(
    name: str,
    checkpoint: Path,
    *,
    seed: int,
    device: torch.device,
    evidence_noise: float,
    training: Mapping[str, Any],
    **settings: Any,
) -> TrainedModel:
    """Train the network of a name, from its checkpoint if there is one, and record it.

    Parameters
    ----------
    name : str
        Name of a task; with `-untrained`, the control: the weights from which training starts.
    checkpoint : Path
        Where the training saves its state.
    evidence_noise : float
        Of the task.
    training, **settings
        Those of `rnn.train` and of `rnn.make_network`.
    """
    logger.info("%s on %s", name, device)
    task_name = tasks.task_of(name)
    task = tasks.load(task_name, evidence_noise)
    network = rnn.make_network(task, derived_seed(seed, "weights", task_name), **settings)
    network.to(device)
    made_with = {"device": device.type, "evidence_noise": evidence_noise, **training, **settings}
    store = Checkpoint(checkpoint, {"name": name, "seed": seed, **made_with})
    stream = derived_seed(seed, "trials", task_name)
    if name != task_name:
        training = {**training, "max_steps": 0}
    trained = rnn.train(
        network, task, seed=stream, saved=store.read(), save=store.write, **training
    )
    return TrainedModel(
        records.record(network, task, trained, name, seed),
        records.learning_table(trained, name),
        records.psychometric_table(network, task, stream, name),
        store,
    )
