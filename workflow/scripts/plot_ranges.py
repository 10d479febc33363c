"""Draw which pairs of scores are possible on a dataset (rule plot_ranges)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.ranges import range_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(ranges, guides, trajectories, targets, guide):
    tables = [
        pd.concat(read_table(path) for path in paths) for paths in (ranges, guides, trajectories)
    ]
    use_style()
    save(*range_figure(*tables, guide), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.ranges,
            snakemake.input.guides,
            snakemake.input.trajectories,
            dict(snakemake.output.items()),
            snakemake.params.guide,
        )
