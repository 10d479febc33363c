"""Train a recurrent network on a task, or leave it as it was drawn; record it (train_model)."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.random import derived_seed
from scorebounds.core.recording import write_recording
from scorebounds.core.tables import write_table
from scorebounds.datasets.report import describe
from scorebounds.networks import checkpoints, records, rnn, tasks

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    targets: Mapping[str, str],
    name: str,
    checkpoint: Path,
    *,
    seed: int,
    device: torch.device,
    evidence_noise: float,
    training: Mapping[str, Any],
    **settings: Any,
) -> None:
    logging.getLogger("scorebounds").info("%s on %s", name, device)
    task_name = tasks.task_of(name)
    task = tasks.load(task_name, evidence_noise)
    network = rnn.make_network(task, derived_seed(seed, "weights", task_name), **settings)
    network.to(device)
    made_with = {"device": device.type, "evidence_noise": evidence_noise, **training, **settings}
    store = checkpoints.Checkpoint(checkpoint, {"name": name, "seed": seed, **made_with})
    stream = derived_seed(seed, "trials", task_name)
    if name != task_name:
        # The control: the weights from which the other one sets out.
        training = {**training, "max_steps": 0}
    trained = rnn.train(
        network, task, seed=stream, saved=store.read(), save=store.write, **training
    )
    array = records.record(network, task, trained, name, seed)
    write_recording(targets["recording"], array, name)
    Path(targets["report"]).write_text(describe(array, []), encoding="utf-8")
    write_table(targets["learning"], records.learning_table(trained, name))
    table = records.psychometric_table(network, task, stream, name)
    write_table(targets["psychometric"], table)
    store.remove()


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            dict(snakemake.output.items()),
            snakemake.wildcards.model,
            Path(snakemake.params.checkpoint),
            seed=snakemake.params.seed,
            device=chosen_device(snakemake.params.device),
            **snakemake.params.settings,
        )
