"""Find the ranges of pairs of scores on one dataset (rule range_pair and its variant)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.samples import read_samples
from scorebounds.core.tables import write_table
from scorebounds.ranges.region import PairRange, pair_range

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    targets: Mapping[str, Sequence[str]],
    reference: str,
    pairs: Sequence[Sequence[str]],
    *,
    device: torch.device,
    seed: int,
    settings: Mapping[str, Any],
) -> None:
    """Write each table in `targets` (by name, a path for each pair)."""
    x, recording = read_samples(reference, device)
    dataset = recording.attrs["dataset"]
    for number, (a, b) in enumerate(pairs):
        try:
            found = pair_range(x, (a, b), dataset, seed=seed, settings=settings)
        except ValueError as error:
            raise ValueError(f"{dataset}, {a} and {b}: {error}") from error
        for name, paths in targets.items():
            write_table(paths[number], getattr(found, name))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            {name: snakemake.output.get(name) for name in PairRange._fields},
            snakemake.input.reference,
            snakemake.params.pairs,
            device=chosen_device(snakemake.config["device"]),
            seed=snakemake.params.seed,
            settings=snakemake.params.settings,
        )
