"""Draw the R² of each component of a dataset along the score (rule plot_capture)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.captures import capture_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(capture, targets):
    use_style()
    save(*capture_figure(read_table(capture)), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.capture, dict(snakemake.output.items()))
