"""Say what was used, from where, and what was left out (rule collect_availability)."""

from pathlib import Path
from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import write_table
from scorebounds.fetching.availability import availability
from scorebounds.fetching.checksums import read_lock

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, entries: list[dict[str, str]], lock: str) -> None:
    write_table(target, availability(entries, read_lock(Path(lock))))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.output[0], snakemake.params.entries, snakemake.params.lock)
