"""Write the page that lists all results of a run (rule build_index)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_report, read_table
from scorebounds.pages.index import index_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str, products: list[str], tables: Mapping[str, list[str]], reports: list[str]
) -> None:
    folder = Path(target).parent
    files = [Path(os.path.relpath(path, folder)).as_posix() for path in products]
    page = index_page(
        files,
        {Path(path).stem: read_report(path) for path in reports},
        **{name: read_table(paths[0]) for name, paths in tables.items() if paths},
    )
    Path(target).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output[0],
            snakemake.params.products,
            {"cards": snakemake.input.cards, "availability": snakemake.input.availability},
            snakemake.input.reports,
        )
