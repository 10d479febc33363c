"""Fetch one file of the catalogue (rule fetch_dataset)."""

from pathlib import Path
from typing import TYPE_CHECKING

from scorebounds.download import fetch, mirror_sources
from scorebounds.jobs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target, relative_path, url, sha256, mirrors, offline):
    sources = [*mirror_sources(mirrors, relative_path), url]
    fetch(Path(target), sources, sha256, offline=offline)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output[0],
            f"{snakemake.wildcards.folder}/{snakemake.wildcards.file}",
            snakemake.params.url,
            snakemake.params.sha256,
            # Not params: where a file comes from does not change it, so it is not fetched again.
            mirrors=snakemake.config["mirrors"],
            offline=snakemake.config["offline"],
        )
