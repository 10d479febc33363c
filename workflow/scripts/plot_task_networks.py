"""Draw what the task networks learned and what they do (rule plot_task_networks)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.style import save, use_style
from scorebounds.figures.task_networks import task_networks_figure

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(learning, psychometric, targets, stop_accuracy):
    curves = pd.concat(map(read_table, learning), ignore_index=True)
    checks = pd.concat(map(read_table, psychometric), ignore_index=True)
    use_style()
    save(*task_networks_figure(curves, checks, stop_accuracy), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.learning,
            snakemake.input.psychometric,
            dict(snakemake.output.items()),
            snakemake.params.settings["training"]["stop_accuracy"],
        )
