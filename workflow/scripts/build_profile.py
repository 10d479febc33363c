"""Write the page on the layers of a model (rule build_profile)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_picture, read_table
from scorebounds.pages.profile import profile_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    target: str, table: str, layers: Mapping[str, str], picture: str, dataset: str, model: str
) -> None:
    page = profile_page(read_table(table), layers, read_picture(picture), dataset, model)
    Path(target).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output[0],
            snakemake.input.table,
            snakemake.params.layers,
            snakemake.input.picture,
            snakemake.wildcards.dataset,
            snakemake.wildcards.layered,
        )
