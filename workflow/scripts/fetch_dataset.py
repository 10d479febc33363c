"""Fetch one file of the catalogue (rule fetch_dataset)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebounds.core.joblog import job_log
from scorebounds.fetching.addresses import mirror_sources
from scorebounds.fetching.checksums import read_lock, require_recorded
from scorebounds.fetching.fetch import fetch, restore
from scorebounds.fetching.store import Store
from scorebounds.fetching.transfer import Options

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: Path,
    name: str,
    urls: list[str],
    checksum: str,
    n_bytes: str,
    lock: Path,
    *,
    mirrors: list[str],
    offline: bool,
    downloads: Mapping[str, Any],
) -> None:
    store = Store(Path(str(target).removesuffix(name)))
    with store.locked(name):
        expected = checksum or read_lock(lock).get(name, "")
        if restore(target, name, expected, store):
            return
        options = Options(**downloads)
        fetch(
            target,
            [*mirror_sources(mirrors, name), *urls],
            expected,
            offline=offline,
            options=options._replace(most_bytes=int(n_bytes)) if n_bytes else options,
            origin="data/datasets.tsv" if checksum else f"{lock} (from its first download)",
        )
        if not checksum:
            require_recorded(target, name, lock)
        store.keep(target, name)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
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
