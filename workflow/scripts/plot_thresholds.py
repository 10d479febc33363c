"""Draw at which score each component is captured (rule plot_thresholds)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.captures import threshold_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(thresholds, published, targets):
    use_style()
    save(*threshold_figure(read_table(thresholds), read_table(published)), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.thresholds,
            snakemake.input.published,
            dict(snakemake.output.items()),
        )
