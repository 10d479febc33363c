"""Replace one principal component after the other and score (rule perturb_components)."""

import logging
from typing import TYPE_CHECKING

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.random import derived_seed
from scorebounds.core.samples import read_samples
from scorebounds.core.tables import write_table
from scorebounds.optimization.perturbation import COLUMNS, NoDirectionError, perturb_components

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, reference: str, *, seed: int, measures: list[str], n_draws: int) -> None:
    x, recording = read_samples(reference)
    dataset = recording.attrs["dataset"]
    seeds = [derived_seed(seed, "perturbation", dataset, draw) for draw in range(n_draws)]
    try:
        table = perturb_components(x, dataset, measures, seeds)
    except NoDirectionError as error:
        # Data as wide as they are long have no direction to spare; the rest can go on.
        logging.getLogger("scorebounds").warning("%s, not perturbed: %s", dataset, error)
        table = pd.DataFrame(columns=COLUMNS)
    write_table(target, table)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.input.reference,
            seed=snakemake.params.seed,
            **snakemake.params.settings,
        )
