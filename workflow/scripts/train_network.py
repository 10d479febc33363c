"""Train one convolutional network and record its layers (rule train_network)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.tables import write_dataset
from scorebounds.fetching.checksums import require_raw_files
from scorebounds.networks.images import load, to_compare
from scorebounds.networks.recorded_layers import trained_layers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str,
    number: int,
    files: list[Path],
    *,
    checksums: list[str],
    lock: Path,
    images: str,
    compared: Mapping[str, Any],
    **settings: Any,
) -> None:
    require_raw_files(files, checksums, lock)
    train, held_out = load(images, files)
    shown = to_compare(train, held_out, **compared)
    write_dataset(target, trained_layers(images, number, train, held_out, shown, **settings))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            int(snakemake.wildcards.network),
            [Path(file) for file in snakemake.input.images],
            lock=Path(snakemake.params.lock),
            device=chosen_device(snakemake.config["device"]),
            **snakemake.params.settings,
        )
