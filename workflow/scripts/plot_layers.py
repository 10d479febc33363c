"""Draw how often each measure finds the corresponding layer (rule plot_layers)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.layers import correspondence_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(layers, targets):
    use_style()
    save(*correspondence_figure(read_table(layers)), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.layers, dict(snakemake.output.items()))
