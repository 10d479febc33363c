"""Score every layer of every network with every other (rule match_layers)."""

import warnings
from typing import TYPE_CHECKING

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.measures import registry
from scorebounds.networks.layers import (
    closeness_maps,
    drop_constant,
    scores_table,
    summarize_layers,
)

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def recorded(paths: list[str], state: str) -> list[torch.Tensor]:
    """Read the layers of networks, without silent units."""
    layers = []
    for path in paths:
        with open_dataset(path) as stored:
            numbers = range(1, stored.attrs["n_layers"] + 1)
            kept, n_silent = drop_constant(
                [stored[f"{state}_{number}"].values for number in numbers]
            )
        print(f"{path}: {state}, left out {n_silent} units that are silent for all images")
        layers += [torch.from_numpy(layer).double() for layer in kept]
    return layers


def main(
    target: str, accuracy: str, maps: str, paths: list[str], name: str, *, n_untrained: int
) -> None:
    measure, tables = registry.load(name), []
    # Layers wider than there are images are a part of the demonstration.
    warnings.simplefilter("ignore", registry.SaturatedScoreWarning)
    for state, of_state in (("trained", paths), ("untrained", paths[:n_untrained])):
        layers = recorded(of_state, state)
        scores = measure.between(layers).cpu().numpy()
        shape = (len(of_state), len(layers) // len(of_state))
        tables.append(scores_table(scores.reshape(shape + shape), name, state))
    table, up = pd.concat(tables), measure.higher_is_closer
    write_table(target, table)
    write_table(accuracy, summarize_layers(table, higher_is_closer=up))
    write_table(maps, closeness_maps(table, higher_is_closer=up))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output.scores,
            snakemake.output.accuracy,
            snakemake.output.maps,
            snakemake.input.networks,
            snakemake.wildcards.measure,
            n_untrained=snakemake.params.n_untrained,
        )
