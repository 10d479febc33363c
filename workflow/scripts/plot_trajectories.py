"""Draw score against step (rule plot_trajectories)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.captures import trajectory_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(trajectories, targets):
    use_style()
    save(*trajectory_figure(read_table(trajectories)), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.trajectories, dict(snakemake.output.items()))
