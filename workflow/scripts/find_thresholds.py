"""Find the score at which each component is captured (rule find_thresholds)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.optimization.summary import summarize_trajectories

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(optimized: list[str], targets: Mapping[str, str], *, level: float) -> None:
    """Write each table in `targets` (by name) from the results of all measures."""
    summaries = [summarize_trajectories(open_dataset(path), level) for path in optimized]
    for name, path in targets.items():
        write_table(path, pd.concat(summary[name] for summary in summaries))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.optimized,
            dict(snakemake.output.items()),
            level=snakemake.params.level,
        )
