"""Train one convolutional network and record its layers (rule train_network)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import xarray as xr

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.random import derived_seed
from scorebounds.core.tables import write_dataset
from scorebounds.fetching.checksums import require_raw_files
from scorebounds.networks import convnets, images

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str,
    name: str,
    number: str,
    files: list[Path],
    *,
    checksums: list[str],
    lock: Path,
    seed: int,
    n_images: int,
    device: torch.device,
    training: Mapping[str, Any],
) -> None:
    require_raw_files(files, checksums, lock)
    train, held_out = images.load(name, files)
    shown = images.first(held_out, n_images)
    network = convnets.make_network(name, train, derived_seed(seed, "network", name, number))
    untrained = convnets.activations(network, shown, device)
    stream = derived_seed(seed, "batches", name, number)
    curve = convnets.train_network(network, train, held_out, seed=stream, device=device, **training)
    trained = convnets.activations(network, shown, device)
    layers = {
        f"{state}_{layer}": (("image", f"unit_{layer}"), values)
        for state, activations in (("trained", trained), ("untrained", untrained))
        for layer, values in enumerate(activations, 1)
    }
    learning = {"curve": (("point", "quantity"), curve)}
    attrs = {"images": name, "network": int(number), "n_layers": len(trained)}
    quantities = {"quantity": ["step", "loss", "accuracy"]}
    write_dataset(target, xr.Dataset({**layers, **learning}, coords=quantities, attrs=attrs))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.params.images,
            snakemake.wildcards.network,
            [Path(file) for file in snakemake.input.images],
            checksums=snakemake.params.checksums,
            lock=Path(snakemake.params.lock),
            seed=snakemake.params.seed,
            n_images=snakemake.params.n_images,
            device=chosen_device(snakemake.params.device),
            training=snakemake.params.training,
        )
