"""Draw at which score each variable is decoded (rule plot_decoding_thresholds)."""

from typing import TYPE_CHECKING

from scorebounds.figures.decoding import decoding_threshold_figure
from scorebounds.figures.style import save, use_style
from scorebounds.jobs import job_log
from scorebounds.storage import read_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(thresholds, references, measures, targets):
    table = read_table(thresholds).query("kind == 'variable'")
    table = table[table.measure.isin(measures)]
    use_style()
    save(decoding_threshold_figure(table, read_table(references)), table, **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.thresholds,
            snakemake.input.references,
            snakemake.params.measures,
            dict(snakemake.output.items()),
        )
