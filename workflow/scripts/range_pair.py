"""Find the range of a pair of scores on one dataset (rule range_pair)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.samples import read_samples
from scorebounds.core.tables import write_table
from scorebounds.ranges.region import pair_range

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    targets: Mapping[str, str],
    reference: str,
    pair: tuple[str, str],
    *,
    device: torch.device,
    seed: int,
    settings: Mapping[str, Any],
) -> None:
    """Write each table in `targets` (by name)."""
    x, recording = read_samples(reference, device)
    dataset = recording.attrs["dataset"]
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
            device=chosen_device(snakemake.config["device"]),
            seed=snakemake.params.seed,
            settings=snakemake.params.settings,
        )
