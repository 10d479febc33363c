"""Draw what each measure says of data optimised towards another (rule plot_scores)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.scores import score_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(scores, targets):
    use_style()
    save(*score_figure(read_table(scores)), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.scores, dict(snakemake.output.items()))
