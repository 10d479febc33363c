"""Compare the published numbers with ours (rule collect_published)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table
from scorebounds.decoding.published import decoding_agreement
from scorebounds.fetching.checksums import require_raw_files
from scorebounds.optimization.published import agreement, compare_all, read_published

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    published_path: str,
    agreement_path: str,
    tables: list[str],
    published_files: list[Path],
    compared: Mapping[str, str],
    decoding: list[str],
    *,
    checksums: list[str],
    lock: Path,
) -> None:
    require_raw_files(published_files, checksums, lock)
    folders = {file.parent.name: file.parent for file in published_files}
    published = {dataset: read_published(folders[name]) for dataset, name in compared.items()}
    comparison = compare_all(published, *(read_table(table) for table in tables))
    write_table(published_path, comparison)
    agreements = [agreement(comparison)]
    agreements += [decoding_agreement(read_table(path)) for path in decoding]
    write_table(agreement_path, pd.concat(agreements))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output.published,
            snakemake.output.agreement,
            [
                snakemake.input.thresholds,
                snakemake.input.runs,
                snakemake.input.trajectories,
            ],
            [Path(file) for file in snakemake.input.published],
            snakemake.params.compared,
            list(snakemake.input.decoding),
            checksums=snakemake.params.checksums,
            lock=Path(snakemake.params.lock),
        )
