"""Gather the ranges of all datasets and pairs (rule collect_ranges)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(targets: Mapping[str, str], sources: Mapping[str, list[str]]) -> None:
    """Write each table in `targets` (by name) from its files in `sources`."""
    for name, path in targets.items():
        write_table(path, pd.concat(read_table(source) for source in sources[name]))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            dict(snakemake.output.items()),
            {"ranges": snakemake.input.regions, "guides": snakemake.input.guides},
        )
