"""Fetch one file of the catalogue (rule fetch_dataset)."""

from pathlib import Path
from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.fetching.catalogue import fetch_catalogue_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        fetch_catalogue_file(
            Path(snakemake.output[0]),
            f"{snakemake.wildcards.folder}/{snakemake.wildcards.file}",
            snakemake.params.urls,
            snakemake.params.checksum,
            snakemake.params.n_bytes,
            Path(snakemake.params.lock),
            # Not params: where a file comes from does not change it, so it is not fetched again.
            mirrors=snakemake.config["mirrors"],
            offline=snakemake.config["offline"],
            downloads=snakemake.config["downloads"],
        )
