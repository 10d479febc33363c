"""Draw how well variables are decoded along each score (rule plot_decoding)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.decoding import decoding_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(curves, references, thresholds, measures, targets):
    tables = map(read_table, (curves, references, thresholds))
    use_style()
    save(*decoding_figure(*tables, measures), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.curves,
            snakemake.input.references,
            snakemake.input.thresholds,
            snakemake.params.measures,
            dict(snakemake.output.items()),
        )
