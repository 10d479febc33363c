"""Optimise data towards one dataset from every seed (rule optimize_dataset and its variant)."""

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
        at_once = parts_at_once(dict(snakemake.resources.items()), snakemake.config, n_seeds)
        targets = zip(snakemake.params.measures, snakemake.output, strict=True)
        for measure, path in targets:
            optimized = optimize_recording(
                x,
                recording,
                measure,
                seed=snakemake.params.seed,
                n_at_once=at_once,
                **snakemake.params.settings,
            )
            write_dataset(path, optimized)
