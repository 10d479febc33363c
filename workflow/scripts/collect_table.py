"""Gather one table of all datasets (rule collect_table)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, tables: list[str]) -> None:
    write_table(target, pd.concat(read_table(table) for table in tables))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.output[0], snakemake.input.tables)
