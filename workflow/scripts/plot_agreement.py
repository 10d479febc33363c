"""Draw our thresholds against the published ones (rule plot_agreement)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.captures import agreement_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(published, agreement, targets):
    use_style()
    save(*agreement_figure(read_table(published), read_table(agreement)), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.published,
            snakemake.input.agreement,
            dict(snakemake.output.items()),
        )
