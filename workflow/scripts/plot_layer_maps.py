"""Draw the similarity of layers within and between networks (rule plot_layer_maps)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.layers import layer_maps_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(tables, targets):
    table = pd.concat(read_table(path) for path in tables)
    use_style()
    save(*layer_maps_figure(table), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.tables, dict(snakemake.output.items()))
