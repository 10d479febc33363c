"""Bring one dataset into the common form (rule prepare_dataset)."""

from pathlib import Path
from typing import TYPE_CHECKING

from scorebounds import datasets
from scorebounds.checks import require_checksum
from scorebounds.jobs import job_log
from scorebounds.storage import write_recording

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target, name, files, checksums, provenance, *, seed, settings, custom):
    files = [Path(file) for file in files]
    if not custom:
        for file, sha256 in zip(files, checksums, strict=True):
            require_checksum(file, sha256)
    array = datasets.load(name, files, seed=seed, settings=settings, custom=custom)
    array.attrs.update(provenance, dataset=name)
    write_recording(target, array, str(files[0]) if custom else name)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output[0],
            snakemake.wildcards.dataset,
            snakemake.input.raw,
            snakemake.params.sha256,
            snakemake.params.provenance,
            seed=snakemake.params.seed,
            settings=snakemake.params.settings,
            custom=snakemake.params.custom,
        )
