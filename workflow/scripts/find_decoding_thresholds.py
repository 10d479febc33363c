"""Find the score at which each variable is decoded (rule find_decoding_thresholds)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table
from scorebounds.decoding.summary import mean_curves, variable_thresholds

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(thresholds: str, curves: str, reference: str, accuracies: list[str]) -> None:
    table = pd.concat(read_table(path) for path in accuracies)
    write_table(thresholds, variable_thresholds(table, read_table(reference)))
    write_table(curves, mean_curves(table))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output.thresholds,
            snakemake.output.curves,
            snakemake.input.reference,
            snakemake.input.accuracies,
        )
