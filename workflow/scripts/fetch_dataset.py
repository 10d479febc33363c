"""Fetch one file of the catalogue (rule fetch_dataset)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebounds.core.joblog import job_log
from scorebounds.fetching.checksums import hold_to_lock, read_lock
from scorebounds.fetching.fetch import fetch, mirror_sources
from scorebounds.fetching.transfer import Options

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: Path,
    name: str,
    urls: list[str],
    checksum: str,
    lock: Path,
    *,
    mirrors: list[str],
    offline: bool,
    downloads: Mapping[str, Any],
) -> None:
    sources = [*mirror_sources(mirrors, name), *urls]
    locked = read_lock(lock).get(name, "")
    fetch(
        target,
        sources,
        checksum or locked,
        offline=offline,
        options=Options(**downloads),
        origin="data/datasets.tsv" if checksum else f"{lock} (from its first download)",
    )
    if not checksum:
        hold_to_lock(target, name, lock)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            Path(snakemake.output[0]),
            f"{snakemake.wildcards.folder}/{snakemake.wildcards.file}",
            snakemake.params.urls,
            snakemake.params.checksum,
            Path(snakemake.params.lock),
            # Not params: where a file comes from does not change it, so it is not fetched again.
            mirrors=snakemake.config["mirrors"],
            offline=snakemake.config["offline"],
            downloads=snakemake.config["downloads"],
        )
