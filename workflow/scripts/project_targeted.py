"""Project recordings on the axes of their task variables (rule project_targeted)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.recording import read_recording
from scorebounds.core.tables import write_table
from scorebounds.decoding.targeted import targeted_trajectories

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, paths: list[str]) -> None:
    write_table(target, pd.concat(targeted_trajectories(read_recording(path)) for path in paths))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.output[0], snakemake.input.references)
