"""Find what a high score implies for measures that it was not paired with (rule range_others)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.samples import read_samples
from scorebounds.core.tables import read_table, write_table
from scorebounds.ranges.guides import guides_of_other_pairs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str,
    reference: str,
    guides: list[str],
    measures: list[str],
    *,
    seed: int,
    settings: Mapping[str, Any],
) -> None:
    x, recording = read_samples(reference)
    found = guides_of_other_pairs(
        x,
        pd.concat(read_table(path) for path in guides),
        measures,
        recording.attrs["dataset"],
        seed=seed,
        settings=settings,
    )
    write_table(target, found)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.input.reference,
            snakemake.input.guides,
            snakemake.params.measures,
            seed=snakemake.params.seed,
            settings=snakemake.params.settings,
        )
