"""Compare layers of networks of several widths, depths and kinds (rule compare_architectures)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import write_table
from scorebounds.measures import registry
from scorebounds.networks.architectures import HALVES
from scorebounds.networks.comparisons import (
    comparison_maps,
    other_data_table,
    width_of,
    width_table,
)
from scorebounds.networks.stored import read_accuracies, read_classes, read_layers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(targets: Mapping[str, str], paths: Mapping[str, list[str]]) -> None:
    measure = registry.load("cka")
    # Maps show the first network of each kind; those of several widths and data are all compared.
    networks = {
        variant: read_layers(
            of_variant if width_of(variant) or variant in HALVES else of_variant[:1],
            "trained",
            rotated=True,
        )
        for variant, of_variant in paths.items()
    }
    write_table(targets["maps"], comparison_maps(networks, measure))
    write_table(targets["widths"], width_table(networks, measure))
    of_half = paths[HALVES[0]]
    untrained = read_layers(of_half, "untrained", rotated=True)
    other_data = other_data_table(networks, untrained, read_classes(of_half[0]), measure)
    write_table(targets["other_data"], other_data)
    tables = [
        read_accuracies(path).assign(network=variant, number=number)
        for variant, of_variant in paths.items()
        for number, path in enumerate(of_variant, 1)
    ]
    write_table(targets["probes"], pd.concat(tables))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        n_networks = snakemake.params.n_networks
        files = list(snakemake.input.networks)
        main(
            dict(snakemake.output.items()),
            {
                variant: files[number * n_networks : (number + 1) * n_networks]
                for number, variant in enumerate(snakemake.params.variants)
            },
        )
