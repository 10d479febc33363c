"""Bring one dataset into the common form, and report on it (rule prepare_dataset)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebounds.core.joblog import job_log
from scorebounds.core.recording import write_recording
from scorebounds.core.tables import write_report
from scorebounds.datasets.prepare import prepare
from scorebounds.fetching.checksums import require_raw_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    targets: Mapping[str, str],
    name: str,
    files: list[Path],
    checksums: list[str],
    lock: Path,
    provenance: Mapping[str, str],
    **settings: Any,
) -> None:
    if checksums:
        require_raw_files(files, checksums, lock)
    array, report = prepare(name, files, provenance, **settings)
    write_recording(targets["recording"], array, str(files[0]) if settings["custom"] else name)
    write_report(targets["report"], report)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            dict(snakemake.output.items()),
            snakemake.wildcards.dataset,
            [Path(file) for file in snakemake.input.raw],
            snakemake.params.checksums,
            Path(snakemake.params.lock),
            snakemake.params.provenance,
            seed=snakemake.params.seed,
            settings=snakemake.params.settings,
            custom=snakemake.params.custom,
        )
