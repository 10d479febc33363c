"""Compare what networks share, also before training (rule compare_networks)."""

from typing import TYPE_CHECKING

import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import write_table
from scorebounds.measures import registry
from scorebounds.networks.shared_subspace import components_table, state_maps
from scorebounds.networks.stored import read_layers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(components: str, states: str, paths: list[str], *, n_untrained: int) -> None:
    trained = read_layers(paths, "trained")
    untrained = read_layers(paths[:n_untrained], "untrained")
    write_table(components, components_table(trained))
    write_table(states, state_maps(trained, untrained, registry.load("cka")))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output.components,
            snakemake.output.states,
            snakemake.input.networks,
            n_untrained=snakemake.params.n_untrained,
        )
