"""Write the explorer, one page on what each score means (rule build_explorer)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.pages.explorer import explorer_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, tables: Mapping[str, str], bounds: list[str]) -> None:
    curves = pd.concat(read_table(path) for path in bounds) if bounds else None
    page = explorer_page({name: read_table(path) for name, path in tables.items()}, curves)
    Path(target).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output[0],
            {Path(path).stem: path for path in snakemake.input.tables},
            snakemake.input.bounds,
        )
