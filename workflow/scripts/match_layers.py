"""Score every layer of every network with every other (rule match_layers)."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import torch

from scorebounds.core.devices import chosen_device
from scorebounds.core.joblog import job_log
from scorebounds.core.tables import write_table
from scorebounds.measures import registry
from scorebounds.measures.among import scores_among
from scorebounds.networks.layers import scores_table
from scorebounds.networks.stored import StoredLayers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str,
    paths: list[str],
    names: list[str],
    *,
    n_untrained: int,
    blocks: Sequence[Sequence[int]],
    device: torch.device,
) -> None:
    tables = []
    # One layer may have as many neurons as there are images; settings with more are refused.
    warnings.simplefilter("ignore", registry.SaturatedScoreWarning)
    measures = list(map(registry.load, names))
    for state, of_state in (("trained", paths), ("untrained", paths[:n_untrained])):
        layers = StoredLayers(of_state, state, device)
        shape = (len(of_state), layers.n_layers)
        ends = [(start, min(stop, len(layers))) for start, stop in blocks if start < len(layers)]
        found = scores_among(measures, layers, [range(*each) for each in ends])
        for measure in measures:
            scores = found[measure.name].numpy().reshape(shape + shape)
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
            blocks=snakemake.params.blocks,
            device=chosen_device(snakemake.config["device"]),
        )
