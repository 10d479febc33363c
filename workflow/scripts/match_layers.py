"""Score every layer of every network with every other (rule match_layers)."""

import warnings
from typing import TYPE_CHECKING

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.measures import registry
from scorebounds.networks.layers import drop_constant, scores_table

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


def main(target: str, paths: list[str], names: list[str], *, n_untrained: int) -> None:
    tables = []
    # One layer may have as many neurons as there are images; settings with more are refused.
    warnings.simplefilter("ignore", registry.SaturatedScoreWarning)
    for state, of_state in (("trained", paths), ("untrained", paths[:n_untrained])):
        layers = recorded(of_state, state)
        shape = (len(of_state), len(layers) // len(of_state))
        for measure in map(registry.load, names):
            scores = measure.between(layers).cpu().numpy().reshape(shape + shape)
            up = measure.higher_is_closer
            tables.append(scores_table(scores, measure.name, state, higher_is_closer=up))
    write_table(target, pd.concat(tables))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        torch.set_num_threads(snakemake.threads)
        main(
            snakemake.output[0],
            snakemake.input.networks,
            snakemake.params.measures,
            n_untrained=snakemake.params.n_untrained,
        )
