"""Score every layer of every network with every other (rule match_layers)."""

import warnings
from typing import TYPE_CHECKING

import pandas as pd
import torch

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import write_table
from scorebounds.measures import registry
from scorebounds.measures.among import scores_among
from scorebounds.networks.layers import scores_table
from scorebounds.networks.stored import read_layers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, paths: list[str], names: list[str], *, n_untrained: int) -> None:
    tables = []
    # One layer may have as many neurons as there are images; settings with more are refused.
    warnings.simplefilter("ignore", registry.SaturatedScoreWarning)
    for state, of_state in (("trained", paths), ("untrained", paths[:n_untrained])):
        networks = read_layers(of_state, state)
        shape = (len(networks), len(networks[0]))
        layers = [layer for network in networks for layer in network]
        measures = list(map(registry.load, names))
        found = scores_among(measures, layers)
        for measure in measures:
            scores = found[measure.name].cpu().numpy().reshape(shape + shape)
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
