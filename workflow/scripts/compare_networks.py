"""Compare what networks share, also before training (rule compare_networks)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import write_table
from scorebounds.measures import registry
from scorebounds.networks.index_families import families_table
from scorebounds.networks.shared_subspace import components_table, state_maps
from scorebounds.networks.single_images import class_maps, first_components
from scorebounds.networks.stored import read_classes, read_layers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(targets: Mapping[str, str], paths: list[str], *, n_untrained: int) -> None:
    trained = read_layers(paths, "trained")
    untrained = read_layers(paths[:n_untrained], "untrained")
    classes = read_classes(paths[0])
    measures = [registry.load(name) for name in ("cka", "cka_debiased")]
    write_table(targets["components"], components_table(trained))
    write_table(targets["states"], state_maps(trained, untrained, measures[0]))
    write_table(targets["families"], families_table(trained))
    write_table(targets["classes"], class_maps(trained, classes, measures))
    write_table(targets["images"], first_components(trained, classes))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            dict(snakemake.output.items()),
            snakemake.input.networks,
            n_untrained=snakemake.params.n_untrained,
        )
