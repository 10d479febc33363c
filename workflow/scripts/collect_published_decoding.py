"""Put the published decoding curves next to ours (rule collect_published_decoding)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table
from scorebounds.decoding.published import compare_decoding, published_curves
from scorebounds.fetching.checksums import require_raw_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    curves_path: str,
    thresholds_path: str,
    our_thresholds: str,
    published_files: list[Path],
    counterparts: Mapping[str, str],
    *,
    checksums: list[str],
    lock: Path,
) -> None:
    require_raw_files(published_files, checksums, lock)
    folders = list(dict.fromkeys(file.parent for file in published_files))
    curves = published_curves(folders, counterparts)
    write_table(curves_path, curves)
    write_table(thresholds_path, compare_decoding(curves, read_table(our_thresholds)))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output.curves,
            snakemake.output.thresholds,
            snakemake.input.thresholds,
            [Path(file) for file in snakemake.input.get("published", [])],
            snakemake.params.counterparts,
            checksums=snakemake.params.checksums,
            lock=Path(snakemake.params.lock),
        )
