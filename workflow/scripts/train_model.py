"""Train a recurrent network on a task, or leave it as it was drawn; record it (train_model)."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.recording import write_recording
from scorebounds.core.tables import write_report, write_table
from scorebounds.datasets.report import describe
from scorebounds.networks.training import train_and_record

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        name = snakemake.wildcards.model
        model = train_and_record(
            name,
            Path(snakemake.params.checkpoint),
            seed=snakemake.params.seed,
            device=chosen_device(snakemake.config["device"]),
            **snakemake.params.settings,
        )
        write_recording(snakemake.output.recording, model.recording, name)
        text = describe(model.recording, [])
        write_report(snakemake.output.report, text)
        write_table(snakemake.output.learning, model.learning)
        write_table(snakemake.output.psychometric, model.psychometric)
        model.checkpoint.remove()
