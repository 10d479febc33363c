"""Draw what a high score leaves to the other measures (rule plot_range_matrix)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.ranges import matrix_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(guides, targets, guide):
    use_style()
    save(*matrix_figure(read_table(guides), guide), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.guides, dict(snakemake.output.items()), snakemake.params.guide)
