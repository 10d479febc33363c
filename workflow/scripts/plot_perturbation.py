"""Draw what a score loses with one component (rule plot_perturbation)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.perturbation import perturbation_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(perturbation, targets):
    use_style()
    save(*perturbation_figure(read_table(perturbation)), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.perturbation, dict(snakemake.output.items()))
