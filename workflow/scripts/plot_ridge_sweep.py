"""Draw how well variables are decoded for several penalties (rule plot_ridge_sweep)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.decoding import ridge_sweep_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(curves, references, datasets, measures, targets):
    penalties = [name.removeprefix("ridge_cv_") for name in measures]
    tables = map(read_table, (curves, references))
    use_style()
    save(*ridge_sweep_figure(*tables, datasets, penalties), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.curves,
            snakemake.input.references,
            snakemake.params.datasets,
            snakemake.params.measures,
            dict(snakemake.output.items()),
        )
