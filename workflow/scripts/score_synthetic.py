"""Score optimised data with every measure (rule score_synthetic)."""

from typing import TYPE_CHECKING

import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.recording import read_recording, samples_by_neurons
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.optimization.cross_scores import score_with_all

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target, reference, optimized, measures, n_seeds):
    recording = read_recording(reference)
    synthetic = {}
    for path in optimized:
        with open_dataset(path) as stored:
            final = stored.final_activity[:n_seeds].values
            synthetic[stored.attrs["measure"]] = torch.from_numpy(final).double()
    table = score_with_all(torch.from_numpy(samples_by_neurons(recording)), synthetic, measures)
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
