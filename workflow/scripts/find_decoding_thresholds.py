"""Find the score at which each variable is decoded (rule find_decoding_thresholds)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table
from scorebounds.decoding.summary import mean_curves, seed_thresholds, variable_thresholds

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(targets: dict[str, str], reference: str, accuracies: list[str]) -> None:
    table, references = pd.concat(read_table(path) for path in accuracies), read_table(reference)
    write_table(targets["thresholds"], variable_thresholds(table, references))
    write_table(targets["seeds"], seed_thresholds(table, references))
    write_table(targets["curves"], mean_curves(table))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            dict(snakemake.output.items()),
            snakemake.input.reference,
            snakemake.input.accuracies,
        )
