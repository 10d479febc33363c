"""Draw at which score each variable is decoded (rule plot_decoding_thresholds)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.decoding import decoding_threshold_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(thresholds, references, measures, targets):
    tables = map(read_table, (thresholds, references))
    use_style()
    save(*decoding_threshold_figure(*tables, measures), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.thresholds,
            snakemake.input.references,
            snakemake.params.measures,
            dict(snakemake.output.items()),
        )
