"""Find the range of a pair of scores on one dataset (rule range_pair)."""

from typing import TYPE_CHECKING

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.recording import read_recording, samples_by_neurons
from scorebounds.core.tables import write_table
from scorebounds.ranges.region import pair_range

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(targets, reference, pair, *, device, seed, settings):
    """Write each table in `targets` (by name)."""
    recording = read_recording(reference)
    dataset = recording.attrs["dataset"]
    x = torch.from_numpy(samples_by_neurons(recording)).to(device)
    try:
        found = pair_range(x, pair, dataset, seed=seed, settings=settings)
    except ValueError as error:
        raise ValueError(f"{dataset}, {' and '.join(pair)}: {error}") from error
    for name, path in targets.items():
        write_table(path, getattr(found, name))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            dict(snakemake.output.items()),
            snakemake.input.reference,
            (snakemake.wildcards.a, snakemake.wildcards.b),
            device=chosen_device(snakemake.params.device),
            seed=snakemake.params.seed,
            settings=snakemake.params.settings,
        )
