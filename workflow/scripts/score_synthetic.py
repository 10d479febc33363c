"""Score optimised data with every measure (rule score_synthetic)."""

from typing import TYPE_CHECKING

import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.samples import read_samples
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.optimization.cross_scores import score_with_all

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str, reference: str, optimized: list[str], measures: list[str], n_seeds: int
) -> None:
    x, recording = read_samples(reference)
    synthetic = {}
    for path in optimized:
        with open_dataset(path) as stored:
            final = stored.final_activity[:n_seeds].values
            synthetic[stored.attrs["measure"]] = torch.from_numpy(final).double()
    trajectories = None
    if "time" in recording.dims:
        n_times, n_conditions, _ = recording.shape
        trajectories = torch.arange(n_conditions).repeat(n_times)
    table = score_with_all(x, synthetic, measures, trajectories)
    table.insert(0, "dataset", recording.attrs["dataset"])
    write_table(target, table)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.input.reference,
            snakemake.input.optimized,
            snakemake.params.measures,
            snakemake.params.n_seeds,
        )
