"""Optimise data towards one dataset with one measure from every seed (rule optimize_dataset)."""

from typing import TYPE_CHECKING

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.memory import parts_at_once
from scorebounds.core.samples import read_samples
from scorebounds.core.tables import write_dataset
from scorebounds.optimization.recordings import optimize_recording

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


if __name__ == "__main__":
    n_seeds = snakemake.params.settings["n_seeds"]
    with job_log(snakemake.log[0], n_parts=n_seeds):
        torch.set_num_threads(snakemake.threads)
        x, recording = read_samples(
            snakemake.input.reference, chosen_device(snakemake.config["device"])
        )
        optimized = optimize_recording(
            x,
            recording,
            snakemake.wildcards.measure,
            seed=snakemake.params.seed,
            n_at_once=parts_at_once(dict(snakemake.resources.items()), snakemake.config, n_seeds),
            **snakemake.params.settings,
        )
        write_dataset(snakemake.output[0], optimized)
