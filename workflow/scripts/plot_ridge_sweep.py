"""Draw how well variables are decoded for several penalties (rule plot_ridge_sweep)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.decoding import ridge_sweep_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(curves, references, datasets, measures, targets):
    table, levels = read_table(curves), read_table(references)
    table = table[table.dataset.isin(datasets) & table.measure.isin(measures)]
    levels = levels[levels.dataset.isin(datasets)]
    use_style()
    save(ridge_sweep_figure(table, levels, measures), table, **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.curves,
            snakemake.input.references,
            snakemake.params.datasets,
            snakemake.params.measures,
            dict(snakemake.output.items()),
        )
