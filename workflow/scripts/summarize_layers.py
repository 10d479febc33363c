"""Count how often the most similar layer is the corresponding one (rule summarize_layers)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table
from scorebounds.networks.layers import closeness_maps, summarize_layers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(layers: str, maps: str, tables: list[str]) -> None:
    scores = pd.concat([read_table(table) for table in tables], ignore_index=True)
    write_table(layers, summarize_layers(scores))
    write_table(maps, closeness_maps(scores))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.output.layers, snakemake.output.maps, snakemake.input.tables)
